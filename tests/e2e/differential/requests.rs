//! Random requests to DynamoDB: most of them good, some spoilt in one place.

use almacen_testing_aws::dynamodb::schema::{IndexSchema, KeyAttribute, Projection, StreamView, TableSchema};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::expressions::{Placeholders, any, attributes, chance, number, of_type, one};

const TEXTS: [&str; 6] = ["a", "b", "c", "ñ", "10", "9"];
const SORTS: [&str; 9] = ["a", "a#1", "a#2", "a#10", "b#1", "z", "Z", "é", "\u{d7ff}"];
const NUMBERS: [&str; 7] = ["0", "1", "-2", "2.5", "10", "100", "0.001"];
const BYTES: [&str; 5] = ["AAE=", "AA==", "/w==", "//8=", "AAEC"];

/// The tables, under names of this run.
pub(super) fn tables(run: &str) -> Vec<TableSchema> {
    let key = KeyAttribute::new;
    let index = |name: &str, hash, range, projection| IndexSchema { name: name.to_owned(), hash, range, projection };
    let table = |name: &str, range, indexes| TableSchema {
        name: format!("differential-{name}-{run}"),
        hash: key("id", "S"),
        range,
        indexes,
        stream: Some(StreamView::NewAndOldImages),
        time_to_live: None,
    };
    let included = Projection::Include(vec!["n".to_owned(), "note".to_owned()]);
    vec![
        table(
            "lines",
            Some(key("part", "S")),
            vec![
                index("by-kind", key("kind", "S"), Some(key("rank", "N")), Projection::All),
                index("some", key("kind", "S"), Some(key("part", "S")), included),
            ],
        ),
        table("plain", None, vec![index("keys", key("kind", "S"), None, Projection::KeysOnly)]),
        table("numbered", Some(key("at", "N")), Vec::new()),
        table("binary", Some(key("raw", "B")), Vec::new()),
    ]
}

/// What DynamoDB is asked to make of a table.
pub(super) fn create(table: &TableSchema) -> Value {
    let schema = |keys: Vec<&KeyAttribute>| -> Vec<Value> {
        let kinds = ["HASH", "RANGE"].into_iter();
        keys.iter().zip(kinds).map(|(key, kind)| json!({"AttributeName": key.name, "KeyType": kind})).collect()
    };
    let mut defined: Map<String, Value> = Map::new();
    for key in table.keys().chain(table.indexes.iter().flat_map(IndexSchema::keys)) {
        defined.insert(key.name.clone(), json!({"AttributeName": key.name, "AttributeType": key.kind}));
    }
    let indexes = table.indexes.iter().map(|index| {
        let projection = match &index.projection {
            Projection::All => json!({"ProjectionType": "ALL"}),
            Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
            Projection::Include(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
        };
        json!({"IndexName": index.name, "KeySchema": schema(index.keys().collect()), "Projection": projection})
    });
    let indexes: Vec<Value> = indexes.collect();
    let mut request = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": defined.into_iter().map(|(_, definition)| definition).collect::<Vec<Value>>(),
        "KeySchema": schema(table.keys().collect()),
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    if !indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = json!(indexes);
    }
    request
}

/// A request, and the items that it may write.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) request: Value,
    /// The body where it is no JSON.
    pub(super) raw: Option<String>,
    /// Tables and keys.
    pub(super) touched: Vec<(String, Value)>,
}

/// Makes requests.
pub(super) struct Generator {
    rng: Rng,
    tables: Vec<TableSchema>,
    run: String,
    tokens: usize,
    /// Transactions that had a token, with what they write, to be sent again.
    sent: Vec<(Value, Vec<(String, Value)>)>,
}

impl Generator {
    pub(super) fn new(seed: u64, run: &str) -> Self {
        Self { rng: Rng::with_seed(seed), tables: tables(run), run: run.to_owned(), tokens: 0, sent: Vec::new() }
    }

    /// A transaction that only one side carried out is not sent again.
    pub(super) fn forget(&mut self, operation: &Operation) {
        let token = operation.request.get("ClientRequestToken");
        self.sent.retain(|(request, _)| request.get("ClientRequestToken") != token);
    }

    fn chance(&mut self, percent: u32) -> bool {
        chance(&mut self.rng, percent)
    }

    fn table(&mut self) -> TableSchema {
        // The first table has most to it.
        let at = if self.chance(45) { 0 } else { self.rng.usize(0..self.tables.len()) };
        self.tables[at].clone()
    }

    fn key_value(&mut self, key: &KeyAttribute) -> Value {
        let rng = &mut self.rng;
        match (key.kind.as_str(), key.name.as_str()) {
            ("S", "part") => json!({"S": one(rng, &SORTS)}),
            ("S", _) => json!({"S": one(rng, &TEXTS)}),
            ("N", _) => json!({"N": one(rng, &NUMBERS)}),
            _ => json!({"B": one(rng, &BYTES)}),
        }
    }

    fn key(&mut self, table: &TableSchema) -> Value {
        let members: Map<String, Value> = table.keys().map(|key| (key.name.clone(), self.key_value(key))).collect();
        Value::Object(members)
    }

    fn item(&mut self, key: &Value) -> Value {
        let mut item = attributes(&mut self.rng);
        if self.chance(70) {
            let kind = one(&mut self.rng, &TEXTS);
            item.insert("kind".to_owned(), json!({"S": kind}));
        }
        if self.chance(60) {
            item.insert("rank".to_owned(), json!({"N": number(&mut self.rng)}));
        }
        if self.chance(2) {
            // Keys of an index have a type too.
            let name = one(&mut self.rng, &["kind", "rank"]);
            item.insert(name.to_owned(), any(&mut self.rng, 1));
        }
        if let Value::Object(key) = key {
            item.extend(key.clone());
        }
        Value::Object(item)
    }

    /// The next request.
    pub(super) fn next(&mut self) -> Operation {
        let mut operation = match self.rng.u32(0..100) {
            0..14 => self.put(),
            14..42 => self.update(),
            42..48 => self.delete(),
            48..57 => self.get(),
            57..74 => self.query(),
            74..81 => self.scan(),
            81..90 => self.transaction(),
            90..94 => self.batch_get(),
            94..98 => self.batch_write(),
            _ => self.insert(),
        };
        if self.chance(14) {
            let before = operation.request.clone();
            self.spoil(&mut operation);
            // A parameter that the operation does not have cannot be sent by a client.
            if !known_members(operation.name, &operation.request) {
                operation.request = before;
            }
        }
        operation
    }

    /// Requests for the known differences that random ones seldom show.
    pub(super) fn directed(&self) -> Vec<Operation> {
        let table = &self.tables[0];
        let key = json!({"id": {"S": "a"}, "part": {"S": "a"}});
        let write = |name: &'static str, mut request: Value| {
            request["TableName"] = json!(table.name);
            Self::written(name, request, table, key.clone())
        };
        let put = |more: Value| {
            let mut item = key.clone();
            for (name, value) in more.as_object().into_iter().flatten() {
                item[name] = value.clone();
            }
            write("PutItem", json!({"Item": item}))
        };
        let mut nested = json!({"S": "x"});
        for _ in 0..32 {
            nested = json!({"L": [nested]});
        }
        // Sent twice.
        let transaction = || {
            let item = json!({"id": {"S": "a"}, "part": {"S": "a"}, "n": {"N": "1.50"}});
            let token = format!("{}-directed", self.run);
            let writes = json!([{"Put": {"TableName": table.name, "Item": item}}]);
            let request = json!({"TransactItems": writes, "ClientRequestToken": token});
            Operation {
                name: "TransactWriteItems",
                request,
                raw: None,
                touched: vec![(table.name.clone(), key.clone())],
            }
        };
        vec![
            put(json!({"list_of": nested})),
            put(json!({"list_of": {"L": [{"N": "1"}]}})),
            write(
                "UpdateItem",
                json!({"Key": key, "UpdateExpression": "SET list_of[9] = :v", "ReturnValues": "UPDATED_NEW",
                "ExpressionAttributeValues": {":v": {"N": "2"}}}),
            ),
            write(
                "UpdateItem",
                json!({"Key": key, "UpdateExpression": "SET id = :v", "ConditionExpression": "attribute_exists(label)",
                "ExpressionAttributeValues": {":v": {"S": "b"}}}),
            ),
            put(json!({"bin": {"B": "AAEC"}, "n": {"N": "5"}})),
            Self::read(
                "Scan",
                json!({"TableName": table.name, "FilterExpression": "contains(bin, :v)",
                "ExpressionAttributeValues": {":v": {"B": "AA=="}}}),
            ),
            Self::read(
                "Scan",
                json!({"TableName": table.name, "FilterExpression": "size(n) > :v",
                "ExpressionAttributeValues": {":v": {"N": "0"}}}),
            ),
            Self::read(
                "Query",
                json!({"TableName": table.name, "KeyConditionExpression": "id = :v", "FilterExpression": "part = :p",
                "ExpressionAttributeValues": {":v": {"S": "a"}, ":p": {"S": "a"}}}),
            ),
            Self::read(
                "GetItem",
                json!({"TableName": "differential-none", "Key": key, "ProjectionExpression": "n, n"}),
            ),
            transaction(),
            transaction(),
        ]
    }

    /// A write that no condition refuses and that is right.
    pub(super) fn plain_write(&mut self) -> Operation {
        let table = self.table();
        let key = self.key(&table);
        let number = self.rng.i32(-9..9).to_string();
        let label = one(&mut self.rng, &TEXTS);
        let item = |key: &Value| {
            let mut item = key.clone();
            item["n"] = json!({"N": number});
            item["label"] = json!({"S": label});
            item["words"] = json!({"SS": ["x", label, "z"]});
            item
        };
        let (name, request) = match self.rng.u32(0..6) {
            0 => ("PutItem", json!({"TableName": table.name, "Item": item(&key)})),
            1 => ("DeleteItem", json!({"TableName": table.name, "Key": key})),
            2 => {
                let values = json!({":label": {"S": label}});
                (
                    "UpdateItem",
                    json!({"TableName": table.name, "Key": key, "UpdateExpression": "SET label = :label REMOVE words",
                    "ExpressionAttributeValues": values}),
                )
            }
            3 => {
                let entry = json!({"PutRequest": {"Item": item(&key)}});
                ("BatchWriteItem", json!({"RequestItems": {table.name.clone(): [entry]}}))
            }
            4 => {
                let mut other = key.clone();
                other["id"] = json!({"S": "other"});
                let put = json!({"Put": {"TableName": table.name, "Item": item(&key)}});
                let update = json!({"Update": {"TableName": table.name, "Key": other, "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": number}}}});
                ("TransactWriteItems", json!({"TransactItems": [put, update]}))
            }
            _ => {
                let values = json!({":n": {"N": number}});
                (
                    "UpdateItem",
                    json!({"TableName": table.name, "Key": key, "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": values}),
                )
            }
        };
        Self::written(name, request, &table, key)
    }

    fn written(name: &'static str, request: Value, table: &TableSchema, key: Value) -> Operation {
        Operation { name, request, raw: None, touched: vec![(table.name.clone(), key)] }
    }

    fn read(name: &'static str, request: Value) -> Operation {
        Operation { name, request, raw: None, touched: Vec::new() }
    }

    fn with(request: &mut Value, used: Placeholders) {
        if !used.names.is_empty() {
            request["ExpressionAttributeNames"] = Value::Object(used.names);
        }
        if !used.values.is_empty() {
            request["ExpressionAttributeValues"] = Value::Object(used.values);
        }
    }

    fn condition(&mut self, request: &mut Value, used: &mut Placeholders, percent: u32) {
        if self.chance(percent) {
            request["ConditionExpression"] = json!(used.condition(&mut self.rng, 0));
            if self.chance(50) {
                request["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
            }
        }
    }

    fn capacity(&mut self, request: &mut Value) {
        if self.chance(8) {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
    }

    fn put(&mut self) -> Operation {
        let table = self.table();
        let key = self.key(&table);
        let mut request = json!({"TableName": table.name, "Item": self.item(&key)});
        let mut used = Placeholders::default();
        self.condition(&mut request, &mut used, 40);
        if self.chance(40) {
            request["ReturnValues"] = json!(one(&mut self.rng, &["ALL_OLD", "NONE"]));
        }
        self.capacity(&mut request);
        Self::with(&mut request, used);
        Self::written("PutItem", request, &table, key)
    }

    fn update(&mut self) -> Operation {
        let table = self.table();
        let key = self.key(&table);
        let mut request = json!({"TableName": table.name, "Key": key});
        let mut used = Placeholders::default();
        if self.chance(97) {
            request["UpdateExpression"] = json!(used.update(&mut self.rng));
        }
        self.condition(&mut request, &mut used, 30);
        if self.chance(70) {
            let wanted = one(&mut self.rng, &["ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE"]);
            request["ReturnValues"] = json!(wanted);
        }
        self.capacity(&mut request);
        Self::with(&mut request, used);
        Self::written("UpdateItem", request, &table, key)
    }

    fn delete(&mut self) -> Operation {
        let table = self.table();
        let key = self.key(&table);
        let mut request = json!({"TableName": table.name, "Key": key});
        let mut used = Placeholders::default();
        self.condition(&mut request, &mut used, 40);
        if self.chance(50) {
            request["ReturnValues"] = json!("ALL_OLD");
        }
        self.capacity(&mut request);
        Self::with(&mut request, used);
        Self::written("DeleteItem", request, &table, key)
    }

    fn get(&mut self) -> Operation {
        let table = self.table();
        let mut request = json!({"TableName": table.name, "Key": self.key(&table)});
        if table.name.contains("numbered") && self.chance(30) {
            let number = request["Key"]["at"]["N"].as_str().unwrap_or_default();
            let other = if number.contains('.') { format!("{number}0") } else { format!("{number}E0") };
            request["Key"]["at"]["N"] = json!(other);
        }
        let mut used = Placeholders::default();
        if self.chance(40) {
            request["ProjectionExpression"] = json!(used.projection(&mut self.rng, &[]));
        }
        if self.chance(50) {
            request["ConsistentRead"] = json!(self.rng.bool());
        }
        self.capacity(&mut request);
        Self::with(&mut request, used);
        Self::read("GetItem", request)
    }

    fn bound(&mut self, used: &mut Placeholders, key: &KeyAttribute) -> String {
        let value = self.key_value(key);
        used.value(value)
    }

    fn query(&mut self) -> Operation {
        let table = self.table();
        let mut request = json!({"TableName": table.name});
        let mut used = Placeholders::default();
        let (mut hash, mut range) = (table.hash.clone(), table.range.clone());
        let mut index = None;
        if !table.indexes.is_empty() && self.chance(50) {
            let chosen = table.indexes[self.rng.usize(0..table.indexes.len())].clone();
            (hash, range) = (chosen.hash.clone(), chosen.range.clone());
            request["IndexName"] = json!(chosen.name);
            index = Some(chosen);
        }
        let name = used.name(&mut self.rng, &hash.name);
        let value = self.bound(&mut used, &hash);
        let mut terms = vec![format!("{name} = {value}")];
        if let Some(range) = &range
            && self.chance(60)
        {
            let name = used.name(&mut self.rng, &range.name);
            terms.push(match self.rng.u32(0..8) {
                0 | 1 if range.kind != "N" => {
                    let prefix = if range.kind == "S" {
                        json!({"S": one(&mut self.rng, &["a", "a#", "a#1", "b", "\u{d7ff}", "é", ""])})
                    } else {
                        json!({"B": one(&mut self.rng, &["AA==", "/w==", "AAE=", ""])})
                    };
                    format!("begins_with({name}, {})", used.value(prefix))
                }
                2 => {
                    let (low, high) = (self.bound(&mut used, range), self.bound(&mut used, range));
                    format!("{name} BETWEEN {low} AND {high}")
                }
                _ => {
                    let comparison = one(&mut self.rng, &["=", "<", "<=", ">", ">="]);
                    let bound = self.bound(&mut used, range);
                    format!("{name} {comparison} {bound}")
                }
            });
        }
        if self.chance(10) {
            terms.reverse();
        }
        request["KeyConditionExpression"] = json!(terms.join(" AND "));
        if self.chance(30) {
            request["ScanIndexForward"] = json!(self.rng.bool());
        }
        let with: Vec<&str> = match (&index, &range) {
            // Items with the same place in an index have no order, so the place must be seen.
            (Some(_), Some(range)) => vec![range.name.as_str()],
            _ => Vec::new(),
        };
        self.page(&mut request, &mut used, index.as_ref(), &with);
        Self::with(&mut request, used);
        Self::read("Query", request)
    }

    fn scan(&mut self) -> Operation {
        let table = self.table();
        let mut request = json!({"TableName": table.name});
        let mut used = Placeholders::default();
        let mut index = None;
        if !table.indexes.is_empty() && self.chance(40) {
            let chosen = table.indexes[self.rng.usize(0..table.indexes.len())].clone();
            request["IndexName"] = json!(chosen.name);
            index = Some(chosen);
        }
        self.page(&mut request, &mut used, index.as_ref(), &[]);
        if let Some(limit) = request["Limit"].as_u64() {
            request["Limit"] = json!(limit * 5);
        }
        Self::with(&mut request, used);
        Self::read("Scan", request)
    }

    fn page(&mut self, request: &mut Value, used: &mut Placeholders, index: Option<&IndexSchema>, with: &[&str]) {
        if self.chance(40) {
            request["FilterExpression"] = json!(used.condition(&mut self.rng, 0));
        }
        if self.chance(35) {
            request["Limit"] = json!(1 + self.rng.u32(0..5));
        }
        if self.chance(20) {
            let is_all = index.is_none_or(|index| index.projection == Projection::All);
            let projected = if is_all || self.chance(10) {
                used.projection(&mut self.rng, with)
            } else {
                let mut paths: Vec<String> = with.iter().map(|name| used.name(&mut self.rng, name)).collect();
                paths.push(used.name(&mut self.rng, "id"));
                paths.join(", ")
            };
            request["ProjectionExpression"] = json!(projected);
        } else if self.chance(20) {
            let selects = ["COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];
            request["Select"] = json!(one(&mut self.rng, &selects[..if index.is_some() { 3 } else { 2 }]));
        }
        if self.chance(if index.is_some() { 3 } else { 30 }) {
            request["ConsistentRead"] = json!(true);
        }
        self.capacity(request);
    }

    fn transaction(&mut self) -> Operation {
        if !self.sent.is_empty() && self.chance(15) {
            // Sent again: nothing is done a second time, and nothing else under the same token.
            let (mut request, mut touched) = self.sent[self.rng.usize(0..self.sent.len())].clone();
            if self.chance(20)
                && let Some(writes) = request["TransactItems"].as_array_mut()
            {
                writes.truncate(1);
                let (table, key) = (self.tables[1].name.clone(), json!({"id": {"S": "other"}}));
                writes.push(json!({"Delete": {"TableName": table, "Key": key}}));
                touched.push((table, key));
            }
            return Operation { name: "TransactWriteItems", request, raw: None, touched };
        }
        let (mut writes, mut touched) = (Vec::new(), Vec::new());
        for _ in 0..1 + self.rng.usize(0..4) {
            let table = self.table();
            let key = self.key(&table);
            if touched.contains(&(table.name.clone(), key.clone())) && self.chance(90) {
                continue;
            }
            let mut used = Placeholders::default();
            let mut write = json!({"TableName": table.name});
            let kind = one(&mut self.rng, &["Put", "Put", "Update", "Update", "Delete", "ConditionCheck"]);
            match kind {
                "Put" => write["Item"] = self.item(&key),
                "Update" => {
                    write["Key"] = key.clone();
                    write["UpdateExpression"] = json!(used.update(&mut self.rng));
                }
                _ => write["Key"] = key.clone(),
            }
            self.condition(&mut write, &mut used, if kind == "ConditionCheck" { 100 } else { 25 });
            Self::with(&mut write, used);
            writes.push(json!({ kind: write }));
            touched.push((table.name.clone(), key));
        }
        let mut request = json!({"TransactItems": writes});
        if self.chance(25) {
            self.tokens += 1;
            request["ClientRequestToken"] = json!(format!("{}-{}", self.run, self.tokens));
            self.sent.push((request.clone(), touched.clone()));
            if self.sent.len() > 8 {
                self.sent.remove(0);
            }
        }
        Operation { name: "TransactWriteItems", request, raw: None, touched }
    }

    fn batch_get(&mut self) -> Operation {
        let mut tables = Map::new();
        for _ in 0..1 + self.rng.usize(0..2) {
            let table = self.table();
            let mut used = Placeholders::default();
            let mut keys: Vec<Value> = Vec::new();
            for _ in 0..1 + self.rng.usize(0..6) {
                let key = self.key(&table);
                if !keys.contains(&key) || self.chance(3) {
                    keys.push(key);
                }
            }
            let mut wanted = json!({"Keys": keys});
            if self.chance(30) {
                let names: Vec<&str> = table.keys().map(|key| key.name.as_str()).collect();
                wanted["ProjectionExpression"] = json!(used.projection(&mut self.rng, &names));
            }
            if self.chance(30) {
                wanted["ConsistentRead"] = json!(true);
            }
            Self::with(&mut wanted, used);
            tables.insert(table.name.clone(), wanted);
        }
        Self::read("BatchGetItem", json!({"RequestItems": tables}))
    }

    fn batch_write(&mut self) -> Operation {
        let (mut tables, mut touched) = (Map::new(), Vec::new());
        for _ in 0..1 + self.rng.usize(0..2) {
            let table = self.table();
            let mut entries = Vec::new();
            for _ in 0..1 + self.rng.usize(0..6) {
                let key = self.key(&table);
                if touched.contains(&(table.name.clone(), key.clone())) && self.chance(95) {
                    continue;
                }
                touched.push((table.name.clone(), key.clone()));
                entries.push(if self.chance(70) {
                    json!({"PutRequest": {"Item": self.item(&key)}})
                } else {
                    json!({"DeleteRequest": {"Key": key}})
                });
            }
            tables.insert(table.name.clone(), json!(entries));
        }
        Operation { name: "BatchWriteItem", request: json!({"RequestItems": tables}), raw: None, touched }
    }

    fn insert(&mut self) -> Operation {
        let (mut statements, mut touched) = (Vec::new(), Vec::new());
        for _ in 0..1 + self.rng.usize(0..4) {
            let table = self.table();
            let key = self.key(&table);
            let item = self.item(&key);
            let members: Vec<(String, Value)> = item.as_object().cloned().unwrap_or_default().into_iter().collect();
            let names: Vec<String> = members.iter().map(|(name, _)| format!("'{name}': ?")).collect();
            let parameters: Vec<&Value> = members.iter().map(|(_, value)| value).collect();
            let text = format!("INSERT INTO \"{}\" VALUE {{{}}}", table.name, names.join(", "));
            statements.push(json!({"Statement": text, "Parameters": parameters}));
            touched.push((table.name.clone(), key));
        }
        Operation { name: "BatchExecuteStatement", request: json!({"Statements": statements}), raw: None, touched }
    }

    /// Spoils a request in one place.
    fn spoil(&mut self, operation: &mut Operation) {
        if self.chance(3) {
            let text = operation.request.to_string();
            operation.raw = Some(text.chars().take(text.chars().count() * 2 / 3).collect());
            return;
        }
        // A part of a transaction or the request itself.
        let rng = &mut self.rng;
        let target = match operation.request.get_mut("TransactItems").and_then(Value::as_array_mut) {
            Some(writes) if rng.u32(0..10) > 0 => {
                let at = rng.usize(0..writes.len());
                writes[at].as_object_mut().and_then(|write| write.values_mut().next()).expect("a write")
            }
            _ => &mut operation.request,
        };
        match rng.u32(0..22) {
            0 => target["ExpressionAttributeNames"]["#unused"] = json!("x"),
            1 => target["ExpressionAttributeValues"][":unused"] = json!({"S": "x"}),
            2 => remove_one(rng, target.get_mut("ExpressionAttributeValues")),
            3 => remove_one(rng, target.get_mut("ExpressionAttributeNames")),
            4 => {
                let name =
                    one(rng, &["ConditionExpression", "UpdateExpression", "FilterExpression", "ProjectionExpression"]);
                target[name] = json!("");
            }
            5..8 => {
                let members = [
                    "ConditionExpression",
                    "UpdateExpression",
                    "FilterExpression",
                    "KeyConditionExpression",
                    "ProjectionExpression",
                ];
                for name in members {
                    if let Some(text) = target.get(name).and_then(Value::as_str) {
                        target[name] = json!(misspelt(rng, text));
                        break;
                    }
                }
            }
            8 => target["Limit"] = json!(one(rng, &[&0, &-1])),
            9 => {
                target["TableName"] = json!("differential-none");
                if self.chance(40) {
                    self.spoil(operation);
                }
            }
            10 => target["ReturnValues"] = json!(one(rng, &["ALL_NEW", "SOME", "UPDATED_OLD", ""])),
            11 => {
                let name =
                    one(rng, &["Key", "Item", "TableName", "KeyConditionExpression", "RequestItems", "TransactItems"]);
                if let Some(target) = target.as_object_mut() {
                    target.remove(name);
                }
            }
            12 => {
                let name = if target.get("Item").is_some() { "Item" } else { "Key" };
                if let Some(key) = target.get_mut(name).and_then(Value::as_object_mut) {
                    match rng.u32(0..5) {
                        0 => drop(key.insert("more".to_owned(), json!({"S": "x"}))),
                        1 => drop(key.remove("id")),
                        2 => drop(key.insert("id".to_owned(), json!({"N": "1"}))),
                        3 => drop(key.insert("id".to_owned(), json!({"S": ""}))),
                        _ => drop(key.insert("id".to_owned(), json!({"S": "x".repeat(2049)}))),
                    }
                }
            }
            13..17 => {
                let bad = bad_value(rng);
                let name = one(rng, &["Item", "ExpressionAttributeValues", "Key"]);
                if let Some(values) = target.get_mut(name).and_then(Value::as_object_mut)
                    && !values.is_empty()
                {
                    let at = rng.usize(0..values.len());
                    if let Some(value) = values.values_mut().nth(at) {
                        *value = bad;
                    }
                }
            }
            17 => {
                target["UpdateExpression"] =
                    json!(one(rng, &["SET id = :v0", "REMOVE id", "SET n = m", "SET n = n + n"]))
            }
            18 => {
                let name = one(rng, &["ConditionExpression", "FilterExpression", "KeyConditionExpression"]);
                if let Some(text) = target.get(name).and_then(Value::as_str) {
                    target[name] = json!(if rng.bool() { format!("(({text}))") } else { format!("({text})") });
                }
            }
            19 => {
                let name =
                    one(rng, &["IndexName", "Select", "ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure"]);
                target[name] = json!("none");
            }
            20 => {
                let wrong =
                    one(rng, &["TableName", "Key", "Item", "ExpressionAttributeValues", "Limit", "ConsistentRead"]);
                target[wrong] = one(rng, &[&json!(1), &json!("x"), &json!([]), &json!({"a": 1})]).clone();
            }
            _ => {
                let name = one(rng, &["FilterExpression", "ConditionExpression"]);
                target[name] = json!(one(rng, &["attribute_exists(id)", "id = id", "size(id) > size(id)"]));
            }
        }
    }
}

/// Are all members those that the operation has?
fn known_members(operation: &str, request: &Value) -> bool {
    let write: &[&str] = &[
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValues",
        "ReturnValuesOnConditionCheckFailure",
        "ReturnConsumedCapacity",
    ];
    let list: &[&str] = &[
        "TableName",
        "IndexName",
        "FilterExpression",
        "ProjectionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ConsistentRead",
        "Limit",
        "ExclusiveStartKey",
        "Select",
        "ReturnConsumedCapacity",
    ];
    let more: &[&str] = match operation {
        "PutItem" => &["Item"],
        "UpdateItem" => &["Key", "UpdateExpression"],
        "DeleteItem" => &["Key"],
        "Query" => &["KeyConditionExpression", "ScanIndexForward"],
        "GetItem" => &[
            "Key",
            "ProjectionExpression",
            "ExpressionAttributeNames",
            "ConsistentRead",
            "TableName",
            "ReturnConsumedCapacity",
        ],
        "TransactWriteItems" => &["TransactItems", "ClientRequestToken", "ReturnConsumedCapacity"],
        "BatchExecuteStatement" => &["Statements", "ReturnConsumedCapacity"],
        _ => &["RequestItems", "ReturnConsumedCapacity"],
    };
    let common: &[&str] = match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => write,
        "Query" | "Scan" => list,
        _ => &[],
    };
    let is_known = |name: &String| more.contains(&name.as_str()) || common.contains(&name.as_str());
    let whole = request.as_object().is_none_or(|request| request.keys().all(is_known));
    let of_write = |kind: &str, write: &Value| {
        let own: &[&str] = match kind {
            "Put" => &["Item"],
            "Update" => &["Key", "UpdateExpression"],
            _ => &["Key"],
        };
        let is_known = |name: &String| own.contains(&name.as_str()) || write_members(name);
        write.as_object().is_none_or(|write| write.keys().all(is_known))
    };
    let writes = request.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    whole && writes.flat_map(|write| write.as_object().into_iter().flatten()).all(|(kind, write)| of_write(kind, write))
}

fn write_members(name: &str) -> bool {
    [
        "TableName",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    ]
    .contains(&name)
}

fn remove_one(rng: &mut Rng, members: Option<&mut Value>) {
    if let Some(members) = members.and_then(Value::as_object_mut) {
        let names: Vec<String> = members.keys().cloned().collect();
        if !names.is_empty() {
            members.remove(&names[rng.usize(0..names.len())]);
        }
    }
}

/// An expression with a word too few, twice, or another one.
fn misspelt(rng: &mut Rng, text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    let at = rng.usize(0..words.len());
    match rng.u32(0..4) {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[at]),
        2 => {
            words[at] = one(
                rng,
                &["=", "AND", "(", ")", ",", "SET", "size(n)", "true", "5", "'a'", "a..b", "list_of[-1]", "n [0]"],
            )
        }
        _ => words.push(one(rng, &["AND", ")", ",", "REMOVE", "= :v0", "+ :v0", "OR n"])),
    }
    words.join(" ")
}

/// No attribute value, or one that cannot be stored.
fn bad_value(rng: &mut Rng) -> Value {
    let number = one(
        rng,
        &[
            "",
            "abc",
            "1e126",
            "-1e126",
            "1e-131",
            "123456789012345678901234567890123456789",
            "1,5",
            " 1",
            "NaN",
            "0x1",
            "1e",
            "+5",
            ".5",
            "5.",
        ],
    );
    match rng.u32(0..14) {
        0..4 => json!({"N": number}),
        4 => json!({}),
        5 => json!({"S": "a", "N": "1"}),
        6 => json!({"NULL": false}),
        7 => json!({"X": "a"}),
        8 => json!({ one(rng, &["SS", "NS", "BS"]): [] }),
        9 => one(rng, &[&json!({"SS": ["a", "a"]}), &json!({"NS": ["1", "1.0"]}), &json!({"BS": ["AA==", "AA=="]})])
            .clone(),
        10 => json!({"S": 1}),
        11 => json!("a"),
        12 => {
            // 33 levels.
            let mut value = of_type(rng, "S", 3);
            for _ in 0..rng.u32(30..34) {
                value = json!({"L": [value]});
            }
            value
        }
        _ => json!({"B": "no base64!"}),
    }
}
