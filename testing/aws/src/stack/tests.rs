use serde_json::json;

use super::*;

const TEMPLATE: &str = include_str!("../../../../template.yaml");

fn stack(parameters: &[(&str, &str)]) -> Stack {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Stack::read(TEMPLATE, &parameters).unwrap()
}

#[test]
fn tables_have_their_keys_indexes_streams_and_times_to_live() {
    let stack = stack(&[]);
    let imports = &stack.tables["ImportsTable"];
    assert_eq!((imports.name.as_str(), &imports.hash), ("almacen-ImportsTable", &KeyAttribute::new("id", "S")));
    assert_eq!(imports.range, Some(KeyAttribute::new("part", "S")));
    assert_eq!(imports.indexes[0].range, Some(KeyAttribute::new("created_at", "N")));
    assert!(
        matches!(&imports.indexes[0].projection, Projection::Include(names) if names.contains(&"state".to_owned()))
    );
    assert_eq!(imports.time_to_live.as_deref(), Some("expires_at"));
    assert_eq!(stack.tables["OutboxTable"].stream, Some(StreamView::NewImage));
    assert_eq!(stack.tables["InventoryTable"].stream, Some(StreamView::NewAndOldImages));
    assert_eq!(stack.tables["CartsTable"].stream, None);
}

#[test]
fn queues_topics_and_buckets_are_tied_together() {
    let stack = stack(&[]);
    let uploads = &stack.queues["UploadsQueue"];
    assert_eq!((uploads.visibility, uploads.retention), (1_800_000, 345_600_000));
    assert_eq!(uploads.redrive, Some(("almacen-UploadsDeadLetters".to_owned(), 10)));
    let restock = &stack.topics["EventsTopic"].subscriptions[0];
    assert_eq!((restock.queue.as_str(), restock.raw), ("almacen-RestockQueue", true));
    assert_eq!(
        restock.filter.as_ref().unwrap()["evento"],
        [json!("StockBajo"), json!("StockAgotado"), json!("StockRepuesto")]
    );
    let bucket = &stack.buckets["UploadBucket"];
    assert_eq!((bucket.name.as_str(), bucket.versioned), ("almacen-uploads-123456789012-eu-west-1", true));
    assert_eq!(bucket.notifications[0].queue, "almacen-UploadsQueue");
    assert_eq!(stack.name("RangesQueue"), Some("almacen-RangesQueue"));
}

#[test]
fn functions_have_their_environment_triggers_and_rights() {
    let stack = stack(&[]);
    assert_eq!(stack.functions.len(), 18);
    let ingest = &stack.functions["ingest-inventory"];
    assert_eq!((ingest.name.as_str(), ingest.timeout), ("almacen-ingest-inventory", 300_000));
    assert_eq!(ingest.environment["INVENTORY_TABLE"], "almacen-InventoryTable");
    assert_eq!(
        ingest.environment["RANGES_QUEUE_URL"],
        "https://sqs.eu-west-1.amazonaws.com/123456789012/almacen-RangesQueue"
    );
    assert_eq!(ingest.environment["SPLIT_BYTES"], "16777216");
    let queue = "almacen-UploadsQueue".to_owned();
    assert_eq!(ingest.triggers, [Trigger::Queue { queue, batch: 1, partial: true, concurrency: Some(3) }]);
    let relay = &stack.functions["relay-events"];
    assert_eq!(relay.environment["EVENTS_TOPIC_ARN"], "arn:aws:sns:eu-west-1:123456789012:almacen-EventsTopic");
    assert_eq!(
        relay.triggers,
        [
            Trigger::Stream {
                table: "almacen-OutboxTable".to_owned(),
                batch: 100,
                bisects: true,
                partial: false,
                retries: None,
                age: Some(3_600_000),
                filters: vec![json!({"eventName": ["INSERT"]})],
                failures: Some("almacen-RelayFailures".to_owned()),
            },
            Trigger::Schedule { every: 60_000 },
        ]
    );
    assert_eq!(stack.functions["close-imports"].async_retries, 0);
    let health = &stack.functions["health-api"];
    let keyed = health.statements.iter().find(|statement| statement.leading_keys.is_some()).unwrap();
    assert_eq!(keyed.leading_keys, Some(vec!["health#check".to_owned()]));
    assert_eq!(keyed.resources.len(), 6);
    let index = "arn:aws:dynamodb:eu-west-1:123456789012:table/almacen-OutboxTable/index/pending".to_owned();
    assert!(relay.statements.iter().any(|statement| statement.resources == [index.clone()]));
    let pool = stack.pool.as_ref().unwrap();
    assert_eq!(stack.functions["authorize"].environment["USER_POOL_ID"], pool.id);
    assert_eq!(stack.functions["authorize"].environment["USER_POOL_CLIENT_ID"], pool.client_id);
    assert_eq!((stack.authorizer.as_deref(), stack.admits.as_deref()), (Some("authorize"), Some("admit-user")));
}

#[test]
fn parameters_and_conditions_decide() {
    let (here, aws) =
        (stack(&[("Environment", "local"), ("LocalPort", "4666")]), stack(&[("AllowedOrigin", "https://x.es")]));
    let origin = |stack: &Stack| stack.functions["items-api"].environment["ALLOWED_ORIGIN"].clone();
    assert_eq!(
        (origin(&here), origin(&aws), origin(&stack(&[]))),
        ("*".to_owned(), "https://x.es".to_owned(), "https://shop.cloudfront.net".to_owned())
    );
    let jwks = &here.functions["authorize"].environment["JWKS_URL"];
    assert_eq!(*jwks, format!("http://127.0.0.1:4666/{}/.well-known/jwks.json", here.pool.as_ref().unwrap().id));
    assert!(Stack::read(TEMPLATE, &[("None".to_owned(), String::new())].into()).is_err());
}

#[test]
fn routes_lead_to_functions() {
    let stack = stack(&[]);
    let route = |method: &str, path: &str| {
        let (route, parameters) = stack.route(method, path)?;
        Some((route.function.as_str(), route.is_open, parameters.into_iter().collect::<Vec<(String, String)>>()))
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(route("GET", "/items/a/b/c"), Some(("items-api", false, vec![pair("item", "b/c"), pair("store", "a")])));
    assert_eq!(route("GET", "/items/a"), Some(("items-api", false, vec![pair("store", "a")])));
    assert_eq!(route("GET", "/productos/p1"), Some(("products-api", true, vec![pair("id", "p1")])));
    assert_eq!(route("PUT", "/productos/p1"), Some(("products-api", false, vec![pair("id", "p1")])));
    assert_eq!(route("POST", "/carrito/cupon"), Some(("cart-api", false, vec![])));
    assert_eq!(route("DELETE", "/items/a"), None);
    assert_eq!(route("GET", "/"), None);
}

#[test]
fn records_are_filtered_by_pattern() {
    let record = json!({"eventName": "INSERT", "dynamodb": {"NewImage": {"kind": {"S": "task"}}}});
    for (pattern, expected) in [
        (json!({"eventName": ["INSERT"]}), true),
        (json!({"eventName": ["MODIFY", "REMOVE"]}), false),
        (json!({"dynamodb": {"NewImage": {"kind": {"S": [{"prefix": "ta"}]}}}}), true),
        (json!({"dynamodb": {"OldImage": [{"exists": false}]}}), true),
        (json!({"dynamodb": {"OldImage": {"kind": {"S": ["x"]}}}}), false),
        (json!({"eventName": [{"anything-but": ["INSERT"]}]}), false),
    ] {
        assert_eq!(pattern_matches(&pattern, &record), expected, "{pattern}");
    }
}
