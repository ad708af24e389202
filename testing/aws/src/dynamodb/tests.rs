use serde_json::{Value as Json, json};

use super::schema::{IndexSchema, KeyAttribute, Projection, StreamView};
use super::*;

const NOW: Millis = 1_705_834_800_000;

fn key(name: &str, kind: &str) -> KeyAttribute {
    KeyAttribute::new(name, kind)
}

fn schema(name: &str, range: Option<KeyAttribute>) -> TableSchema {
    TableSchema {
        name: name.to_owned(),
        hash: key("id", "S"),
        range,
        indexes: Vec::new(),
        stream: Some(StreamView::NewAndOldImages),
        time_to_live: Some("expires_at".to_owned()),
    }
}

fn with(settings: Settings) -> DynamoDb {
    let index = |name: &str, projection| IndexSchema {
        name: name.to_owned(),
        hash: key("kind", "S"),
        range: Some(key("created_at", "N")),
        projection,
    };
    let mut lines = schema("Lines", Some(key("sort", "S")));
    lines.indexes = vec![
        index("all", Projection::All),
        index("some", Projection::Include(vec!["n".to_owned()])),
        index("keys", Projection::KeysOnly),
    ];
    DynamoDb::new([schema("T", None), lines, schema("Numbers", Some(key("at", "N")))], settings, 7)
}

fn db() -> DynamoDb {
    with(Settings::default())
}

fn at(db: &DynamoDb, now: Millis, operation: &str, body: Json) -> Result<Json, ServiceError> {
    let answer = db.call(operation, body.to_string().as_bytes(), now)?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn ok(db: &DynamoDb, operation: &str, body: Json) -> Json {
    at(db, NOW, operation, body).unwrap()
}

#[track_caller]
fn refused(db: &DynamoDb, operation: &str, body: Json, code: &str, told: &str) -> ServiceError {
    let error = at(db, NOW, operation, body).unwrap_err();
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(told), "{error}");
    error
}

fn put(db: &DynamoDb, table: &str, item: Json) {
    ok(db, "PutItem", json!({"TableName": table, "Item": item}));
}

fn line(id: &str, sort: &str, n: u32) -> Json {
    json!({"id": {"S": id}, "sort": {"S": sort}, "n": {"N": n.to_string()}, "kind": {"S": "k"},
        "created_at": {"N": n.to_string()}, "more": {"S": "x"}})
}

fn query(db: &DynamoDb, more: Json) -> Vec<String> {
    let mut body = json!({"TableName": "Lines", "KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "a"}}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    sorts(&ok(db, "Query", body))
}

fn sorts(answer: &Json) -> Vec<String> {
    let items = answer["Items"].as_array().unwrap();
    items.iter().map(|item| item["sort"]["S"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn items_are_put_got_and_deleted() {
    let db = db();
    let item = json!({"id": {"S": "a"}, "n": {"N": "1.50"}, "m": {"M": {"x": {"L": [{"BOOL": true}]}}}});
    put(&db, "T", item);
    let got = ok(&db, "GetItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}}));
    assert_eq!(got["Item"], json!({"id": {"S": "a"}, "n": {"N": "1.5"}, "m": {"M": {"x": {"L": [{"BOOL": true}]}}}}));
    let part = json!({"TableName": "T", "Key": {"id": {"S": "a"}}, "ProjectionExpression": "m.x[0]", "ReturnConsumedCapacity": "TOTAL"});
    assert_eq!(
        ok(&db, "GetItem", part),
        json!({"Item": {"m": {"M": {"x": {"L": [{"BOOL": true}]}}}}, "ConsumedCapacity": {"TableName": "T", "CapacityUnits": 0.5}})
    );
    let gone = ok(&db, "DeleteItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"}));
    assert_eq!(gone["Attributes"]["n"], json!({"N": "1.5"}));
    assert_eq!(ok(&db, "GetItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}})), json!({}));
    assert_eq!(
        ok(&db, "DeleteItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"})),
        json!({})
    );
}

#[test]
fn requests_that_are_refused() {
    let db = db();
    let big = "x".repeat(400 * 1024);
    for (operation, body, told) in [
        ("PutItem", json!({"Item": {"n": {"N": "1"}}}), "Missing the key id"),
        ("PutItem", json!({"Item": {"id": {"N": "1"}}}), "expected: S actual: N"),
        ("PutItem", json!({"Item": {"id": {"S": ""}}}), "empty string value. Key: id"),
        ("PutItem", json!({"Item": {"id": {"S": "x".repeat(2049)}}}), "2048 bytes"),
        ("PutItem", json!({"Item": {"id": {"S": "a"}, "b": {"S": big}}}), "Item size has exceeded"),
        ("PutItem", json!({"Item": {"id": {"S": "a"}, "n": {"N": "1e200"}}}), "Number overflow"),
        ("PutItem", json!({"Item": {"id": {"S": "a"}, "s": {"SS": []}}}), "may not be empty"),
        ("PutItem", json!({"Item": {"id": {"S": "a"}}, "ReturnValues": "ALL_NEW"}), "Return values set to invalid"),
        ("PutItem", json!({"Item": {"id": {"S": "a"}}, "Expected": {}}), "unknown field"),
        ("GetItem", json!({"Key": {"id": {"S": "a"}, "n": {"N": "1"}}}), "does not match the schema"),
        ("GetItem", json!({"Key": {"id": {"N": "1"}}}), "does not match the schema"),
        ("GetItem", json!({"Key": {"id": {"S": ""}}}), "empty string value"),
        (
            "GetItem",
            json!({"Key": {"id": {"S": "a"}}, "ExpressionAttributeNames": {"#a": "a"}}),
            "unused in expressions",
        ),
        (
            "UpdateItem",
            json!({"Key": {"id": {"S": "a"}}, "UpdateExpression": "SET id = :x", "ExpressionAttributeValues": {":x": {"S": "b"}}}),
            "part of the key",
        ),
        (
            "Query",
            json!({"KeyConditionExpression": "id = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}}),
            "does not match schema type",
        ),
        ("Query", json!({}), "must be specified"),
        ("Scan", json!({"Limit": 0}), "greater than or equal to 1"),
        ("BatchWriteItem", json!({"RequestItems": {}}), "no items"),
    ] {
        let mut body = body;
        if !operation.starts_with("Batch") {
            body["TableName"] = json!("T");
        }
        refused(&db, operation, body, "ValidationException", told);
    }
    refused(&db, "GetItem", json!({"TableName": "None", "Key": {}}), "ResourceNotFoundException", "not found");
    refused(&db, "GetItem", json!({"TableName": 7}), "SerializationException", "invalid type");
    refused(&db, "CreateTable", json!({}), "UnknownOperationException", "CreateTable");
    // Keys of an index may be absent, but not of another type, and not empty.
    let mut wrong = line("a", "b", 1);
    wrong["kind"] = json!({"N": "1"});
    refused(
        &db,
        "PutItem",
        json!({"TableName": "Lines", "Item": wrong}),
        "ValidationException",
        "Type mismatch for Index Key kind",
    );
    wrong["kind"] = json!({"S": ""});
    refused(
        &db,
        "PutItem",
        json!({"TableName": "Lines", "Item": wrong}),
        "ValidationException",
        "empty string value. Key: kind",
    );
    let long = json!({"id": {"S": "a"}, "sort": {"S": "x".repeat(1025)}});
    refused(&db, "PutItem", json!({"TableName": "Lines", "Item": long}), "ValidationException", "1024 bytes");
}

#[test]
fn conditions_decide_and_show_the_item_where_it_is_wanted() {
    let db = db();
    put(&db, "T", json!({"id": {"S": "a"}, "n": {"N": "1"}}));
    let mut body =
        json!({"TableName": "T", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)"});
    let error = refused(&db, "PutItem", body.clone(), "ConditionalCheckFailedException", "conditional request failed");
    assert!(error.more.is_empty());
    body["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let error = refused(&db, "PutItem", body, "ConditionalCheckFailedException", "");
    assert_eq!(error.more["Item"], json!({"id": {"S": "a"}, "n": {"N": "1"}}));
    let update = json!({"TableName": "T", "Key": {"id": {"S": "b"}}, "UpdateExpression": "ADD n :one",
        "ConditionExpression": "attribute_exists(id)", "ExpressionAttributeValues": {":one": {"N": "1"}}});
    refused(&db, "UpdateItem", update, "ConditionalCheckFailedException", "");
    assert_eq!(db.count("T"), 1);
}

#[test]
fn updates_answer_with_what_is_asked_for() {
    let db = db();
    let update = |expression: &str, wanted: &str| {
        let values = json!({":one": {"N": "1"}});
        let mut body = json!({"TableName": "T", "Key": {"id": {"S": "a"}}, "UpdateExpression": expression, "ReturnValues": wanted});
        if expression.contains(":one") {
            body["ExpressionAttributeValues"] = values;
        }
        ok(&db, "UpdateItem", body)
    };
    assert_eq!(
        update("ADD n :one SET more = :one", "ALL_NEW")["Attributes"],
        json!({"id": {"S": "a"}, "n": {"N": "1"}, "more": {"N": "1"}})
    );
    assert_eq!(update("ADD n :one", "UPDATED_NEW")["Attributes"], json!({"n": {"N": "2"}}));
    assert_eq!(update("ADD n :one", "UPDATED_OLD")["Attributes"], json!({"n": {"N": "2"}}));
    assert_eq!(update("REMOVE more", "ALL_OLD")["Attributes"]["more"], json!({"N": "1"}));
    assert_eq!(update("REMOVE more", "UPDATED_NEW"), json!({}));
    assert_eq!(update("SET made = :one", "NONE"), json!({}));
}

#[test]
fn queries_go_by_the_sort_key() {
    let db = db();
    for (id, sort) in [("a", "1"), ("a", "2"), ("a", "20"), ("a", "3"), ("b", "1")] {
        put(&db, "Lines", line(id, sort, 1));
    }
    assert_eq!(query(&db, json!({})), ["1", "2", "20", "3"]);
    assert_eq!(query(&db, json!({"ScanIndexForward": false})), ["3", "20", "2", "1"]);
    for (condition, expected) in [
        ("id = :id AND sort > :s", vec!["20", "3"]),
        ("id = :id AND sort >= :s", vec!["2", "20", "3"]),
        ("id = :id AND sort < :s", vec!["1"]),
        ("id = :id AND sort = :s", vec!["2"]),
        ("id = :id AND begins_with(sort, :s)", vec!["2", "20"]),
        ("sort BETWEEN :s AND :s AND id = :id", vec!["2"]),
    ] {
        let values = json!({":id": {"S": "a"}, ":s": {"S": "2"}});
        let found = query(&db, json!({"KeyConditionExpression": condition, "ExpressionAttributeValues": values}));
        assert_eq!(found, expected, "{condition}");
    }
    let filtered = json!({"TableName": "Lines", "KeyConditionExpression": "id = :id", "FilterExpression": "sort = :id",
        "ExpressionAttributeValues": {":id": {"S": "a"}}});
    refused(&db, "Query", filtered, "ValidationException", "non-primary key attributes");
}

#[test]
fn pages_go_on_where_they_ended() {
    let db = db();
    for number in 0..7 {
        put(&db, "Lines", line("a", &number.to_string(), number));
    }
    for forward in [true, false] {
        for index in [None, Some("all")] {
            let (mut seen, mut start, mut pages) = (Vec::new(), None, 0);
            loop {
                let mut body = json!({"TableName": "Lines", "KeyConditionExpression": "id = :id", "Limit": 3, "ScanIndexForward": forward,
                    "ExpressionAttributeValues": {":id": {"S": "a"}}});
                if let Some(index) = index {
                    body["IndexName"] = json!(index);
                    body["KeyConditionExpression"] = json!("kind = :id AND created_at >= :zero");
                    body["ExpressionAttributeValues"] = json!({":id": {"S": "k"}, ":zero": {"N": "0"}});
                }
                if let Some(start) = start.take() {
                    body["ExclusiveStartKey"] = start;
                }
                let page = ok(&db, "Query", body);
                seen.extend(sorts(&page));
                pages += 1;
                match page.get("LastEvaluatedKey") {
                    Some(last) => start = Some(last.clone()),
                    None => break,
                }
            }
            let mut expected: Vec<String> = (0..7).map(|number| number.to_string()).collect();
            if !forward {
                expected.reverse();
            }
            assert_eq!((seen, pages), (expected, 3), "{forward} {index:?}");
        }
    }
    // A full page has a place to go on from even where nothing follows.
    let full = json!({"TableName": "Lines", "KeyConditionExpression": "id = :id", "Limit": 7, "ExpressionAttributeValues": {":id": {"S": "a"}}});
    assert_eq!(ok(&db, "Query", full)["LastEvaluatedKey"], json!({"id": {"S": "a"}, "sort": {"S": "6"}}));
    let wrong = json!({"TableName": "Lines", "ExclusiveStartKey": {"id": {"S": "a"}}});
    refused(&db, "Scan", wrong, "ValidationException", "starting key is invalid");
}

#[test]
fn a_page_ends_at_a_megabyte_before_the_filter() {
    let db = db();
    for number in 0..5 {
        let mut item = line("a", &number.to_string(), number);
        item["pad"] = json!({"S": "x".repeat(300 * 1024)});
        put(&db, "Lines", item);
    }
    let body = json!({"TableName": "Lines", "FilterExpression": "n = :four", "ExpressionAttributeValues": {":four": {"N": "4"}}});
    let page = ok(&db, "Scan", body);
    assert_eq!((page["Count"].clone(), page["ScannedCount"].clone()), (json!(0), json!(3)));
    assert_eq!(page["LastEvaluatedKey"]["sort"], json!({"S": "2"}));
    let count = json!({"TableName": "Lines", "Select": "COUNT", "ExclusiveStartKey": page["LastEvaluatedKey"]});
    assert_eq!(ok(&db, "Scan", count), json!({"Count": 2, "ScannedCount": 2}));
}

#[test]
fn a_scan_meets_everything_once() {
    let db = db();
    let ids: Vec<String> = (0..30).map(|number| format!("id{number:02}")).collect();
    for id in &ids {
        put(&db, "Lines", line(id, "a", 1));
        put(&db, "Lines", line(id, "b", 1));
    }
    for index in [None, Some("all")] {
        let (mut seen, mut start) = (Vec::new(), None);
        loop {
            let mut body = json!({"TableName": "Lines", "Limit": 7});
            if let Some(index) = index {
                body["IndexName"] = json!(index);
            }
            if let Some(start) = start.take() {
                body["ExclusiveStartKey"] = start;
            }
            let page = ok(&db, "Scan", body);
            seen.extend(
                page["Items"].as_array().unwrap().iter().map(|item| item["id"]["S"].as_str().unwrap().to_owned()),
            );
            match page.get("LastEvaluatedKey") {
                Some(last) => start = Some(last.clone()),
                None => break,
            }
        }
        let by_hash = seen.clone();
        seen.sort();
        let twice: Vec<&String> = ids.iter().flat_map(|id| [id, id]).collect();
        assert_eq!(seen.iter().collect::<Vec<&String>>(), twice);
        assert!(index.is_some() || by_hash != seen, "partitions come in the order of their hash");
    }
}

#[test]
fn numbers_as_sort_keys_are_ordered_by_value() {
    let db = db();
    for number in ["10", "9", "-1", "0.5", "100"] {
        put(&db, "Numbers", json!({"id": {"S": "a"}, "at": {"N": number}}));
    }
    let body = json!({"TableName": "Numbers", "KeyConditionExpression": "id = :id AND #at >= :half",
        "ExpressionAttributeNames": {"#at": "at"}, "ExpressionAttributeValues": {":id": {"S": "a"}, ":half": {"N": "0.50"}}});
    let answer = ok(&db, "Query", body);
    let found: Vec<&Json> = answer["Items"].as_array().unwrap().iter().map(|item| &item["at"]["N"]).collect();
    assert_eq!(found, ["0.5", "9", "10", "100"]);
}

#[test]
fn indexes_hold_what_they_project_of_items_that_have_their_keys() {
    let db = db();
    put(&db, "Lines", line("a", "1", 1));
    put(&db, "Lines", json!({"id": {"S": "a"}, "sort": {"S": "2"}}));
    let body = |index: &str| {
        json!({"TableName": "Lines", "IndexName": index, "KeyConditionExpression": "kind = :k",
        "ExpressionAttributeValues": {":k": {"S": "k"}}})
    };
    let names = |index: &str| -> Vec<String> {
        let answer = ok(&db, "Query", body(index));
        assert_eq!(answer["Count"], json!(1));
        answer["Items"][0].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names("keys"), ["created_at", "id", "kind", "sort"]);
    assert_eq!(names("some"), ["created_at", "id", "kind", "n", "sort"]);
    assert_eq!(names("all").len(), 6);
    let mut wrong = body("some");
    wrong["ProjectionExpression"] = json!("more");
    refused(&db, "Query", wrong, "ValidationException", "does not project [more]");
    let mut wrong = body("all");
    wrong["ConsistentRead"] = json!(true);
    refused(&db, "Query", wrong, "ValidationException", "Consistent reads are not supported");
    refused(&db, "Query", body("none"), "ValidationException", "does not have the specified index");
    // Leaving out the key takes it out of the index.
    ok(
        &db,
        "UpdateItem",
        json!({"TableName": "Lines", "Key": {"id": {"S": "a"}, "sort": {"S": "1"}}, "UpdateExpression": "REMOVE kind"}),
    );
    assert_eq!(ok(&db, "Query", body("all"))["Count"], json!(0));
}

#[test]
fn an_index_follows_with_a_lag_and_in_order() {
    let db = with(Settings { index_lag: 1_000, ..Settings::default() });
    for number in 1..=20 {
        put(&db, "Lines", line("a", "1", number));
    }
    let shown = |now| -> Vec<String> {
        let items = db.index_items("Lines", "all", now);
        items.iter().map(|item| item["n"].as_number().unwrap().to_string()).collect()
    };
    let (mut last, mut seen) = (0, 0);
    for step in 0..=1_000 {
        if let Some(number) = shown(NOW + step).first() {
            let number: u32 = number.parse().unwrap();
            seen += u32::from(number != last);
            assert!(number >= last, "an index never goes back");
            last = number;
        }
    }
    assert!(seen > 1, "some older states are seen");
    assert_eq!(shown(NOW + 1_000), ["20"]);
}

#[test]
fn eventually_consistent_reads_see_an_older_state_for_a_while() {
    let db = with(Settings { read_lag: 1_000, ..Settings::default() });
    put(&db, "Lines", line("a", "1", 1));
    let get = |now, consistent: bool| {
        let body =
            json!({"TableName": "Lines", "Key": {"id": {"S": "a"}, "sort": {"S": "1"}}, "ConsistentRead": consistent});
        at(&db, now, "GetItem", body).unwrap().get("Item").is_some()
    };
    let count = |now, operation: &str, consistent: bool| {
        let mut body = json!({"TableName": "Lines", "ConsistentRead": consistent});
        if operation == "Query" {
            body["KeyConditionExpression"] = json!("id = :id");
            body["ExpressionAttributeValues"] = json!({":id": {"S": "a"}});
        }
        at(&db, now, operation, body).unwrap()["Count"].as_u64().unwrap()
    };
    assert!(get(NOW, true) && !get(NOW, false) && get(NOW + 1_000, false));
    for operation in ["Query", "Scan"] {
        assert_eq!((count(NOW, operation, true), count(NOW, operation, false)), (1, 0));
        assert_eq!(count(NOW + 1_000, operation, false), 1);
    }
    at(&db, NOW + 2_000, "DeleteItem", json!({"TableName": "Lines", "Key": {"id": {"S": "a"}, "sort": {"S": "1"}}}))
        .unwrap();
    assert!(!get(NOW + 2_000, true) && get(NOW + 2_000, false));
    for operation in ["Query", "Scan"] {
        assert_eq!((count(NOW + 2_000, operation, true), count(NOW + 2_000, operation, false)), (0, 1));
    }
}

fn transact(db: &DynamoDb, now: Millis, items: Json, token: &str) -> Result<Json, ServiceError> {
    at(db, now, "TransactWriteItems", json!({"TransactItems": items, "ClientRequestToken": token}))
}

#[test]
fn a_transaction_is_all_or_nothing_and_says_why() {
    let db = db();
    put(&db, "T", json!({"id": {"S": "held"}, "n": {"N": "1"}}));
    let writes = json!([
        {"Put": {"TableName": "T", "Item": {"id": {"S": "new"}}}},
        {"Update": {"TableName": "T", "Key": {"id": {"S": "held"}}, "UpdateExpression": "ADD n :one", "ConditionExpression": "n > :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
        {"ConditionCheck": {"TableName": "T", "Key": {"id": {"S": "absent"}}, "ConditionExpression": "attribute_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
        {"Delete": {"TableName": "Lines", "Key": {"id": {"S": "a"}, "sort": {"S": "b"}}}},
    ]);
    let error = transact(&db, NOW, writes.clone(), "t1").unwrap_err();
    assert_eq!(error.code, "TransactionCanceledException");
    assert!(error.message.contains("[None, ConditionalCheckFailed, ConditionalCheckFailed, None]"), "{error}");
    let failed = json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"});
    let mut with_item = failed.clone();
    with_item["Item"] = json!({"id": {"S": "held"}, "n": {"N": "1"}});
    assert_eq!(error.more["CancellationReasons"], json!([{"Code": "None"}, with_item, failed, {"Code": "None"}]));
    assert_eq!(db.count("T"), 1);
    // A cancelled transaction may be tried again under its token.
    put(&db, "T", json!({"id": {"S": "held"}, "n": {"N": "2"}}));
    put(&db, "T", json!({"id": {"S": "absent"}}));
    transact(&db, NOW, writes, "t1").unwrap();
    assert_eq!(db.count("T"), 3);
    let wrong = json!([{"Update": {"TableName": "T", "Key": {"id": {"S": "held"}}, "UpdateExpression": "ADD id2.x :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}}]);
    let error = transact(&db, NOW, wrong, "t2").unwrap_err();
    assert_eq!(error.more["CancellationReasons"][0]["Code"], json!("ValidationError"));
}

#[test]
fn a_token_makes_a_transaction_happen_once_for_ten_minutes() {
    let db = db();
    let add = |by: &str| {
        json!([{"Update": {"TableName": "T", "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :by",
        "ExpressionAttributeValues": {":by": {"N": by}}}}])
    };
    let n = || db.items("T")[0]["n"].as_number().unwrap().to_string();
    transact(&db, NOW, add("1"), "token").unwrap();
    transact(&db, NOW + 599_999, add("1"), "token").unwrap();
    assert_eq!(n(), "1");
    assert_eq!(transact(&db, NOW + 1, add("2"), "token").unwrap_err().code, "IdempotentParameterMismatchException");
    transact(&db, NOW + 600_000, add("2"), "token").unwrap();
    assert_eq!(n(), "3");
}

#[test]
fn limits_of_a_transaction() {
    let db = db();
    let put = |id: usize, pad: usize| json!({"Put": {"TableName": "T", "Item": {"id": {"S": id.to_string()}, "pad": {"S": "x".repeat(pad)}}}});
    let all = |count: usize, pad: usize| Json::Array((0..count).map(|id| put(id, pad)).collect());
    for (items, told) in [
        (all(101, 1), "less than or equal to 100"),
        (json!([]), "greater than or equal to 1"),
        (json!([put(1, 1), put(1, 2)]), "multiple operations on one item"),
        (all(11, 399 * 1024), "Transaction size"),
    ] {
        let error = transact(&db, NOW, items, "t").unwrap_err();
        assert!(error.code == "ValidationException" && error.message.contains(told), "{error}");
    }
    transact(&db, NOW, all(100, 1), "t").unwrap();
    assert_eq!(db.count("T"), 100);
}

#[test]
fn items_in_a_transaction_conflict_with_other_writes() {
    let db = with(Settings { transaction_takes: 10, ..Settings::default() });
    let put_a = json!([{"Put": {"TableName": "T", "Item": {"id": {"S": "a"}}}}]);
    transact(&db, NOW, put_a.clone(), "1").unwrap();
    let error = transact(&db, NOW + 9, put_a.clone(), "2").unwrap_err();
    assert_eq!(error.more["CancellationReasons"][0]["Code"], json!("TransactionConflict"));
    let write = json!({"TableName": "T", "Item": {"id": {"S": "a"}}});
    assert_eq!(at(&db, NOW + 9, "PutItem", write.clone()).unwrap_err().code, "TransactionConflictException");
    at(&db, NOW + 10, "PutItem", write).unwrap();
    transact(&db, NOW + 10, put_a, "3").unwrap();
}

#[test]
fn batches() {
    let db = db();
    let put = |id: usize| json!({"PutRequest": {"Item": {"id": {"S": id.to_string()}}}});
    let write = |entries: Vec<Json>| json!({"RequestItems": {"T": entries}});
    assert_eq!(ok(&db, "BatchWriteItem", write((0..25).map(put).collect())), json!({"UnprocessedItems": {}}));
    refused(&db, "BatchWriteItem", write((0..26).map(put).collect()), "ValidationException", "Too many");
    refused(&db, "BatchWriteItem", write(vec![put(1), put(1)]), "ValidationException", "duplicates");
    let delete = json!({"DeleteRequest": {"Key": {"id": {"S": "0"}}}});
    ok(&db, "BatchWriteItem", write(vec![delete, put(99)]));
    assert_eq!(db.count("T"), 25);

    let get = |ids: Vec<usize>| {
        let keys: Vec<Json> = ids.iter().map(|id| json!({"id": {"S": id.to_string()}})).collect();
        json!({"RequestItems": {"T": {"Keys": keys, "ConsistentRead": true}}})
    };
    let found = ok(&db, "BatchGetItem", get(vec![0, 1, 2]));
    assert_eq!(found["Responses"]["T"].as_array().unwrap().len(), 2);
    refused(&db, "BatchGetItem", get(vec![1, 1]), "ValidationException", "duplicates");
    refused(&db, "BatchGetItem", get((0..101).collect()), "ValidationException", "Too many");

    // Told to carry it out in part, a batch says what is left.
    let partly = |operation: &str, body: Json| -> Json {
        serde_json::from_slice(&db.call_partly(operation, body.to_string().as_bytes(), NOW).unwrap()).unwrap()
    };
    let left = partly("BatchWriteItem", write(vec![put(200), put(201), put(202)]));
    assert_eq!(left["UnprocessedItems"], json!({"T": [put(201)]}));
    let left = partly("BatchGetItem", get(vec![1, 2]));
    assert_eq!(left["UnprocessedKeys"], json!({"T": {"Keys": [{"id": {"S": "2"}}], "ConsistentRead": true}}));
}

#[test]
fn inserts_say_of_each_whether_it_is_there() {
    let db = db();
    let insert = |id: &str| json!({"Statement": "INSERT INTO \"T\" VALUE {'id': ?, 'n': ?}", "Parameters": [{"S": id}, {"N": "1"}]});
    let batch = |all: Vec<Json>| json!({"Statements": all});
    assert_eq!(ok(&db, "BatchExecuteStatement", batch(vec![insert("a")])), json!({"Responses": [{"TableName": "T"}]}));
    let answer = ok(&db, "BatchExecuteStatement", batch(vec![insert("a"), insert("b")]));
    assert_eq!(
        answer["Responses"],
        json!([{"Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}, "TableName": "T"}, {"TableName": "T"}])
    );
    refused(
        &db,
        "BatchExecuteStatement",
        batch((0..26).map(|id| insert(&id.to_string())).collect()),
        "ValidationException",
        "Too many",
    );
    for statement in
        ["INSERT INTO T VALUE {'id': ?}", "SELECT * FROM \"T\"", "INSERT INTO \"T\" VALUE {'id': ?, 'n': ?, 'm': ?}"]
    {
        let wrong = json!({"Statement": statement, "Parameters": [{"S": "x"}, {"N": "1"}]});
        refused(&db, "BatchExecuteStatement", batch(vec![wrong]), "ValidationException", "");
    }
    let body = batch(vec![insert("c"), insert("d")]).to_string();
    let answer: Json =
        serde_json::from_slice(&db.call_partly("BatchExecuteStatement", body.as_bytes(), NOW).unwrap()).unwrap();
    assert_eq!(answer["Responses"][1]["Error"]["Code"], json!("ThrottlingError"));
    assert_eq!(db.count("T"), 3);
}

#[test]
fn streams_record_what_changed() {
    let db = db();
    put(&db, "T", json!({"id": {"S": "a"}, "n": {"N": "1"}}));
    // The same again changes nothing, and leaves no record.
    put(&db, "T", json!({"id": {"S": "a"}, "n": {"N": "1.0"}}));
    put(&db, "T", json!({"id": {"S": "a"}, "n": {"N": "2"}}));
    ok(&db, "DeleteItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}}));
    ok(&db, "DeleteItem", json!({"TableName": "T", "Key": {"id": {"S": "a"}}}));
    let records = db.stream_records("T", 0, 10);
    let events: Vec<&str> = records.iter().map(|record| record.event).collect();
    assert_eq!(events, ["INSERT", "MODIFY", "REMOVE"]);
    let event = records[1].event("eu-west-1", "arn:stream");
    assert_eq!(event["dynamodb"]["OldImage"], json!({"id": {"S": "a"}, "n": {"N": "1"}}));
    assert_eq!(event["dynamodb"]["NewImage"], json!({"id": {"S": "a"}, "n": {"N": "2"}}));
    assert_eq!(event["dynamodb"]["Keys"], json!({"id": {"S": "a"}}));
    assert_eq!(event["dynamodb"]["ApproximateCreationDateTime"], json!(NOW / 1000));
    assert!(event.get("userIdentity").is_none());
    assert_eq!(db.stream_records("T", records[0].sequence, 1), [records[1].clone()]);
    assert_eq!(db.stream_trim(NOW + STREAM_KEPT), 0);
    assert_eq!(db.stream_trim(NOW + STREAM_KEPT + 1), 3);
}

#[test]
fn expired_items_go_and_their_records_name_the_service() {
    let db = db();
    let seconds = NOW / 1000;
    for (id, expires) in [("past", seconds - 1), ("now", seconds), ("ancient", seconds - 6 * 365 * 24 * 3600)] {
        put(&db, "T", json!({"id": {"S": id}, "expires_at": {"N": expires.to_string()}}));
    }
    put(&db, "T", json!({"id": {"S": "text"}, "expires_at": {"S": "1"}}));
    let before = db.stream_records("T", 0, 10).last().unwrap().sequence;
    assert_eq!((db.ttl_sweep(NOW), db.ttl_sweep(NOW)), (1, 0));
    let records = db.stream_records("T", before, 10);
    assert_eq!(records.len(), 1);
    let event = records[0].event("r", "a");
    assert_eq!(event["eventName"], json!("REMOVE"));
    assert_eq!(event["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
    assert_eq!(db.count("T"), 3);
}

#[test]
fn a_partition_takes_so_much_a_second() {
    let db = with(Settings { partition_units: Some(10), ..Settings::default() });
    let write = |now, id: &str| at(&db, now, "PutItem", json!({"TableName": "T", "Item": {"id": {"S": id}}}));
    for _ in 0..10 {
        write(NOW, "a").unwrap();
    }
    assert_eq!(write(NOW, "a").unwrap_err().code, "ProvisionedThroughputExceededException");
    write(NOW, "b").unwrap();
    assert!(write(NOW + 99, "a").is_err() && write(NOW + 200, "a").is_ok());
    let batch = json!({"RequestItems": {"T": [{"PutRequest": {"Item": {"id": {"S": "a"}}}}, {"PutRequest": {"Item": {"id": {"S": "c"}}}}]}});
    write(NOW + 200, "a").unwrap();
    let left = at(&db, NOW + 200, "BatchWriteItem", batch).unwrap();
    assert_eq!(left["UnprocessedItems"]["T"].as_array().unwrap().len(), 1);
    // A partition of an index pushes back on the table.
    let lines =
        |id: usize| at(&db, NOW, "PutItem", json!({"TableName": "Lines", "Item": line(&id.to_string(), "1", 1)}));
    assert!((0..10).all(|id| lines(id).is_ok()) && lines(10).is_err());
}

#[test]
fn units_are_counted_by_the_documented_rules() {
    let db = db();
    let sized = |id: &str, bytes: usize| json!({"id": {"S": id}, "pad": {"S": "x".repeat(bytes - 5 - id.len())}});
    put(&db, "T", sized("a", 1024));
    put(&db, "T", sized("a", 1025));
    assert_eq!(db.take_usage("T"), Usage { writes: 2, write_units: 3, write_requests: 2, ..Usage::default() });
    // Of the larger of before and after; and a refused write costs as well.
    put(&db, "T", sized("a", 100));
    let refused =
        json!({"TableName": "T", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)"});
    at(&db, NOW, "PutItem", refused).unwrap_err();
    transact(&db, NOW, json!([{"Put": {"TableName": "T", "Item": sized("b", 10)}}]), "t").unwrap();
    assert_eq!(db.take_usage("T").write_units, 2 + 1 + 2);
    let get =
        |id: &str, consistent: bool| json!({"TableName": "T", "Key": {"id": {"S": id}}, "ConsistentRead": consistent});
    ok(&db, "GetItem", get("a", true));
    ok(&db, "GetItem", get("none", false));
    ok(&db, "Scan", json!({"TableName": "T"}));
    assert_eq!(db.take_usage("T"), Usage { reads: 3, read_units: 2.0, ..Usage::default() });
    put(&db, "Lines", line("a", "1", 1));
    // Nothing of the two smaller indexes changes; then the sort key of all does, which moves their items.
    let mut changed = line("a", "1", 1);
    changed["more"] = json!({"S": "y"});
    put(&db, "Lines", changed);
    assert_eq!(db.take_usage("Lines").index_write_units, 3 + 1);
    put(&db, "Lines", line("a", "1", 2));
    assert_eq!(db.take_usage("Lines").index_write_units, 6);
}

#[test]
fn the_same_seed_gives_the_same_lags() {
    let run = |seed| {
        let db = DynamoDb::new(
            [with(Settings::default()).schema("Lines").unwrap()],
            Settings { index_lag: 50, ..Settings::default() },
            seed,
        );
        for number in 0..20 {
            put(&db, "Lines", line("a", &number.to_string(), number));
        }
        (0..50).map(|step| db.index_items("Lines", "all", NOW + step).len()).collect::<Vec<usize>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn an_item_that_cannot_be_stored_cancels_before_any_condition() {
    let db = db();
    let refused = json!({"ConditionCheck": {"TableName": "T", "Key": {"id": {"S": "a"}}, "ConditionExpression": "attribute_exists(id)"}});
    let mut wrong = line("a", "b", 1);
    wrong["kind"] = json!({"N": "1"});
    let error = transact(&db, NOW, json!([refused, {"Put": {"TableName": "Lines", "Item": wrong}}]), "t").unwrap_err();
    let codes: Vec<&Json> =
        error.more["CancellationReasons"].as_array().unwrap().iter().map(|reason| &reason["Code"]).collect();
    assert_eq!(codes, ["None", "ValidationError"]);
}

#[test]
fn ranges_of_an_index() {
    let db = db();
    for number in 0..5 {
        put(&db, "Lines", line("a", &format!("x{number}"), number));
        put(&db, "Lines", line("b", &format!("y{number}"), number));
    }
    let found = |condition: &str, low: u32, forward: bool| {
        let mut values = json!({":k": {"S": "k"}, ":low": {"N": low.to_string()}});
        if condition.contains(":high") {
            values[":high"] = json!({"N": "3"});
        }
        let body = json!({"TableName": "Lines", "IndexName": "all", "ScanIndexForward": forward,
            "KeyConditionExpression": format!("kind = :k AND created_at {condition}"), "ExpressionAttributeValues": values});
        let mut numbers: Vec<String> = Vec::new();
        for item in ok(&db, "Query", body)["Items"].as_array().unwrap() {
            numbers.push(item["n"]["N"].as_str().unwrap().to_owned());
        }
        numbers.concat()
    };
    for forward in [true, false] {
        let turned = |text: &str| if forward { text.to_owned() } else { text.chars().rev().collect() };
        assert_eq!(found("> :low", 2, forward), turned("3344"));
        assert_eq!(found(">= :low", 2, forward), turned("223344"));
        assert_eq!(found("< :low", 2, forward), turned("0011"));
        assert_eq!(found("<= :low", 2, forward), turned("001122"));
        assert_eq!(found("= :low", 2, forward), "22");
        assert_eq!(found("BETWEEN :low AND :high", 2, forward), turned("2233"));
        assert_eq!(found("> :low", 9, forward), "");
    }
}

/// As tests of others, which they also run against DynamoDB itself, have it (scylladb, test/alternator/test_returnvalues.py).
#[test]
fn an_update_that_only_removes_makes_no_item() {
    let db = db();
    let update = |expression: &str| json!({"TableName": "T", "Key": {"id": {"S": "x"}}, "UpdateExpression": expression, "ReturnValues": "ALL_NEW"});
    assert_eq!(ok(&db, "UpdateItem", update("REMOVE a")), json!({}));
    assert_eq!((db.count("T"), db.stream_records("T", 0, 10).len()), (0, 0));
    let mut both = update("SET b = :b REMOVE a");
    both["ExpressionAttributeValues"] = json!({":b": {"N": "1"}});
    assert_eq!(ok(&db, "UpdateItem", both)["Attributes"], json!({"id": {"S": "x"}, "b": {"N": "1"}}));
}

#[test]
fn values_in_updates_have_the_operators_types_whatever_the_item_has() {
    let db = db();
    for (expression, kind) in [
        ("SET a = a + :v", json!({"S": "1"})),
        ("SET a = if_not_exists(a, :v) - a", json!({"NULL": true})),
        ("SET a = list_append(a, :v)", json!({"S": "x"})),
    ] {
        let request = json!({"TableName": "T", "Key": {"id": {"S": "x"}}, "UpdateExpression": expression,
            "ConditionExpression": "attribute_exists(id)", "ExpressionAttributeValues": {":v": kind}});
        refused(&db, "UpdateItem", request, "ValidationException", "Incorrect operand type");
    }
}

#[test]
fn members_with_a_fixed_set_of_values_and_the_table_are_checked() {
    let db = db();
    let key = json!({"id": {"S": "x"}});
    for (operation, request, told) in [
        ("GetItem", json!({"TableName": "T", "Key": key, "ReturnConsumedCapacity": "ALL"}), "'returnConsumedCapacity'"),
        ("Scan", json!({"TableName": "T", "Select": "SOME"}), "'select'"),
        (
            "DeleteItem",
            json!({"TableName": "T", "Key": key, "ReturnValuesOnConditionCheckFailure": "ALL_NEW"}),
            "'returnValuesOnConditionCheckFailure'",
        ),
        ("GetItem", json!({"Key": key}), "'tableName'"),
        ("BatchGetItem", json!({"RequestItems": {}, "ReturnConsumedCapacity": "x"}), "'returnConsumedCapacity'"),
    ] {
        refused(&db, operation, request, "ValidationException", told);
    }
    let empty = json!({"TableName": "Lines", "KeyConditionExpression": "id = :id AND begins_with(sort, :p)",
        "ExpressionAttributeValues": {":id": {"S": "a"}, ":p": {"S": ""}}});
    refused(&db, "Query", empty, "ValidationException", "empty string");
}

#[test]
fn a_write_is_charged_for_its_indexes_too() {
    let db = db();
    let mut request = json!({"TableName": "Lines", "Item": line("a", "1", 1), "ReturnConsumedCapacity": "TOTAL"});
    assert_eq!(ok(&db, "PutItem", request.clone())["ConsumedCapacity"]["CapacityUnits"], 4.0);
    // The index that holds only keys does not change.
    request["Item"]["n"] = json!({"N": "2"});
    assert_eq!(ok(&db, "PutItem", request)["ConsumedCapacity"]["CapacityUnits"], 3.0);
}

#[test]
fn a_wrong_transaction_is_refused_before_its_token_is_looked_at() {
    let db = db();
    let put = json!([{"Put": {"TableName": "T", "Item": {"id": {"S": "a"}}}}]);
    transact(&db, NOW, put, "token").unwrap();
    let wrong =
        json!([{"Delete": {"TableName": "T", "Key": {"id": {"S": "a"}}, "ConditionExpression": "a = :unknown"}}]);
    assert_eq!(transact(&db, NOW, wrong, "token").unwrap_err().code, "ValidationException");
}
