//! DynamoDB: the same operations on both sides.

use std::collections::BTreeSet;

use almacen_testing_aws::dynamodb::schema::TableSchema;
use almacen_testing_aws::dynamodb::{DynamoDb, Settings};
use serde_json::{Value, json};

use super::exchange::{Answer, Exchange, sort, sort_sets};
use super::report::{Report, Verdict};
use super::requests::{self, Generator, Operation};
use crate::stack::stack;
use crate::wait::{PATIENCE, eventually};

/// Operations of the usual run.
const OPERATIONS: usize = 10_000;
/// Tables and their indexes are compared whole after so many operations.
const WHOLE_EVERY: usize = 500;
/// A list that is read to its end has fewer pages.
const PAGES_MAX: usize = 200;
/// The time in the in-memory AWS; there is no need for it to pass.
const NOW: u64 = 1_705_834_800_000;

/// The same tables on both sides; those of the local stack go with this value.
pub(super) struct Tables {
    pub(super) ours: DynamoDb,
    pub(super) schemas: Vec<TableSchema>,
}

/// One call of the local stack.
pub(super) fn theirs(operation: &str, body: &[u8]) -> Answer {
    Answer::theirs(&stack().try_target("dynamodb", &format!("DynamoDB_20120810.{operation}"), body))
}

impl Tables {
    pub(super) fn new(schemas: Vec<TableSchema>) -> Self {
        schemas.iter().for_each(make);
        Self { ours: DynamoDb::new(schemas.clone(), Settings::default(), 1), schemas }
    }

    pub(super) fn ours(&self, operation: &str, body: &[u8]) -> Answer {
        Answer::ours(self.ours.call(operation, body, NOW))
    }

    /// One call on both sides.
    pub(super) fn exchange(&self, operation: &str, request: &Value) -> Exchange {
        let body = request.to_string().into_bytes();
        let (ours, theirs) = (self.ours(operation, &body), theirs(operation, &body));
        Exchange { service: "dynamodb", operation: operation.to_owned(), request: request.clone(), ours, theirs }
    }

    /// All items of a table or an index, in one order.
    fn everything(&self, schema: &TableSchema, index: Option<&str>) -> (Vec<Value>, Vec<Value>) {
        let mut request = json!({"TableName": schema.name});
        if let Some(index) = index {
            request["IndexName"] = json!(index);
        }
        let all = |call: &dyn Fn(&[u8]) -> Answer| {
            let mut pages = Pages::of(call, &request);
            sort(&mut pages.items);
            pages.items
        };
        (all(&|body| self.ours("Scan", body)), all(&|body| theirs("Scan", body)))
    }

    /// Items that only one side has, the in-memory AWS's first.
    fn different(&self, schema: &TableSchema, index: Option<&str>) -> [Vec<Value>; 2] {
        let (ours, theirs) = self.everything(schema, index);
        let only = |one: &[Value], two: &[Value]| one.iter().filter(|item| !two.contains(item)).cloned().collect();
        [only(&ours, &theirs), only(&theirs, &ours)]
    }

    fn delete(&self, table: &str, key: &Value) {
        let body = json!({"TableName": table, "Key": key}).to_string().into_bytes();
        let (ours, theirs) = (self.ours("DeleteItem", &body), theirs("DeleteItem", &body));
        assert!(ours.is_success() && theirs.is_success(), "{key}: {ours:?} {theirs:?}");
    }

    /// Deletes what an operation may have written, and what else is not the same on both sides of its tables.
    fn make_equal(&self, touched: &[(String, Value)]) {
        for (table, key) in touched {
            self.delete(table, key);
        }
        let names: BTreeSet<&String> = touched.iter().map(|(table, _)| table).collect();
        for schema in self.schemas.iter().filter(|schema| names.contains(&schema.name)) {
            if self.different(schema, None).iter().any(|items| !items.is_empty()) {
                // The local stack may have stored an item without a key, which no call can delete.
                stack().dynamodb("DeleteTable", &json!({"TableName": schema.name}));
                make(schema);
                self.ours.clear(&schema.name);
            }
        }
    }
}

/// Makes a table on the local stack.
fn make(schema: &TableSchema) {
    stack().dynamodb("CreateTable", &requests::create(schema));
    eventually(PATIENCE, &schema.name, || {
        let about = stack().dynamodb("DescribeTable", &json!({"TableName": schema.name}));
        if about["Table"]["TableStatus"] == "ACTIVE" { Ok(()) } else { Err(about.to_string()) }
    });
}

impl Drop for Tables {
    fn drop(&mut self) {
        for schema in &self.schemas {
            let body = json!({"TableName": schema.name}).to_string();
            let _ = stack().try_target("dynamodb", "DynamoDB_20120810.DeleteTable", body.as_bytes());
        }
    }
}

/// A list that was read to its end.
#[derive(Default)]
struct Pages {
    items: Vec<Value>,
    count: u64,
    scanned: u64,
    pages: usize,
    /// Its first answer, where it was refused.
    refused: Option<Answer>,
}

impl Pages {
    fn of(call: impl Fn(&[u8]) -> Answer, request: &Value) -> Self {
        let mut all = Self::default();
        let mut request = request.clone();
        loop {
            let answer = call(&request.to_string().into_bytes());
            if !answer.is_success() {
                all.refused = Some(answer);
                return all;
            }
            all.pages += 1;
            all.items.extend(answer.body["Items"].as_array().cloned().unwrap_or_default());
            all.count += answer.body["Count"].as_u64().unwrap_or(0);
            all.scanned += answer.body["ScannedCount"].as_u64().unwrap_or(0);
            match answer.body.get("LastEvaluatedKey") {
                Some(key) => request["ExclusiveStartKey"] = key.clone(),
                None => return all,
            }
            assert!(all.pages < PAGES_MAX, "a list without end: {request}");
        }
    }

    /// As one answer. Items with the same place in an index have no order among themselves; those of a scan have none
    /// at all.
    fn answer(mut self, place: Option<&str>) -> Answer {
        if let Some(refused) = self.refused {
            return refused;
        }
        match place {
            None => sort(&mut self.items),
            Some(place) => {
                let same = |one: &Value, two: &Value| one.get(place) == two.get(place);
                self.items.chunk_by_mut(same).for_each(sort);
            }
        }
        Answer::of(json!({"Items": self.items, "Count": self.count, "ScannedCount": self.scanned, "Pages": self.pages}))
    }
}

/// Answers whose order means nothing are put in order.
fn settle(answer: &mut Answer) {
    for list in answer.body.get_mut("Responses").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Value::Array(list) = list.1 {
            sort(list);
        }
    }
    sort_sets(&mut answer.body);
}

fn perform(tables: &Tables, operation: &Operation) -> Exchange {
    let Operation { name, request, raw, .. } = operation;
    let is_list = matches!(*name, "Query" | "Scan") && raw.is_none();
    let index = request.get("IndexName").and_then(Value::as_str);
    if is_list && (*name == "Scan" || index.is_some()) {
        let schema = tables.schemas.iter().find(|schema| Some(schema.name.as_str()) == request["TableName"].as_str());
        let index = schema.and_then(|schema| schema.indexes.iter().find(|known| Some(known.name.as_str()) == index));
        let range = index.and_then(|index| index.range.as_ref()).map(|range| range.name.as_str());
        // All items of a partition without a sort key have the same place.
        let place = (*name == "Query").then(|| range.unwrap_or("none"));
        let ours = Pages::of(|body| tables.ours(name, body), request).answer(place);
        let theirs = Pages::of(|body| theirs(name, body), request).answer(place);
        return Exchange { service: "dynamodb", operation: (*name).to_owned(), request: request.clone(), ours, theirs };
    }
    let body = raw.clone().unwrap_or_else(|| request.to_string()).into_bytes();
    let (mut ours, mut theirs) = (tables.ours(name, &body), theirs(name, &body));
    settle(&mut ours);
    settle(&mut theirs);
    Exchange { service: "dynamodb", operation: (*name).to_owned(), request: request.clone(), ours, theirs }
}

#[test]
fn dynamodb_answers_as_the_local_stack_does() {
    let run = format!("{:012x}", fastrand::u64(..1 << 48));
    let tables = Tables::new(requests::tables(&run));
    let mut report = Report::new("dynamodb_answers_as_the_local_stack_does", "dynamodb", OPERATIONS);
    let mut generator = Generator::new(report.seed(), &run);
    let mut directed = generator.directed().into_iter();
    for number in 1..=report.operations() {
        let operation = directed.next().unwrap_or_else(|| generator.next());
        report.begin();
        let exchange = perform(&tables, &operation);
        let mut verdict = report.compare(&exchange);
        // A table's own list has an order, so that its pages can be compared one by one.
        let next = exchange.ours.body.get("LastEvaluatedKey").filter(|_| operation.name == "Query");
        if verdict == Verdict::Same
            && let Some(next) = next
        {
            let mut request = operation.request.clone();
            request["ExclusiveStartKey"] = next.clone();
            verdict = report.compare(&tables.exchange("Query", &request));
        }
        let is_shown = operation.name == "DeleteItem" || operation.request["ReturnValues"] == "ALL_NEW";
        let is_read = verdict == Verdict::Same && exchange.ours.is_success() && !is_shown;
        let written = if is_read { operation.touched.as_slice() } else { &[] };
        for (table, key) in written {
            let request = json!({"TableName": table, "Key": key, "ConsistentRead": true});
            let mut held = tables.exchange("GetItem", &request);
            if held.ours != held.theirs {
                // What is wrong is the write, though nobody had asked for its result.
                held.operation = format!("{} (its result)", operation.name);
                held.request = operation.request.clone();
            }
            verdict = report.compare(&held);
            if verdict == Verdict::Different {
                break;
            }
        }
        if verdict == Verdict::Different {
            tables.make_equal(&operation.touched);
            generator.forget(&operation);
        }
        if number % WHOLE_EVERY == 0 || number == report.operations() {
            for schema in &tables.schemas {
                for index in [None].into_iter().chain(schema.indexes.iter().map(|index| Some(index.name.as_str()))) {
                    let left = tables.different(schema, index);
                    assert!(left.iter().all(Vec::is_empty), "{} {index:?} after {number}: {left:?}", schema.name);
                }
            }
        }
    }
    report.finish();
}
