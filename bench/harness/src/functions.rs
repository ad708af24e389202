//! What is measured: each function, its environment, and the events it is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::sandbox::{Answer, Launch};

/// How long any call but an import may take before the run is given up.
/// More than an operation of the SDK, since some functions do not begin a call that might not end in time.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Lines in the store that the API is asked about.
const LINES: usize = 2_000;
/// Products in the catalogue that lists are made of.
const PRODUCTS: usize = 1_000;
/// A moment, in milliseconds: 2024-01-21T11:00:00Z.
pub(crate) const THEN: i64 = 1_705_834_800_000;

/// The floor.
pub(crate) const EMPTY: &str = "bench-empty";
/// The function that makes one call of the SDK.
pub(crate) const ONE_CALL: &str = "bench-one-call";
/// What lists products.
pub(crate) const LISTS: &str = "products-api";

/// What a case is to the measuring of starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starts {
    /// Nothing.
    No,
    /// It is shown there: much of its time is work, not start.
    Shown,
    /// It is the function's smallest usual event: its time is held against the floor.
    Judged,
}

/// One event for one function.
pub(crate) struct Case {
    /// The function: package, binary.
    pub(crate) function: &'static str,
    /// What is asked, in a few words.
    pub(crate) what: &'static str,
    /// The event.
    pub(crate) event: Arc<Vec<u8>>,
    /// Puts back what the call changes, so that the next one is the same.
    pub(crate) reset: fn(&Aws) -> Result<()>,
    /// Is the answer the right one?
    pub(crate) right: fn(&Answer) -> bool,
    /// What it is to the measuring of starts.
    pub(crate) starts: Starts,
    /// Is the CPU of a warm call judged against its floor, or only reported?
    pub(crate) cpu_judged: bool,
    /// The most memory it may ever hold, in bytes; `None` where it is only reported.
    pub(crate) memory_target: Option<u64>,
}

/// The environment of every function: each reads of it what it needs.
pub(crate) fn environment(aws: &Aws) -> Vec<(String, String)> {
    let queue = |name: &str| format!("{}/000000000000/{name}", aws.url());
    let topic = |name: &str| format!("arn:aws:sns:eu-central-1:000000000000:{name}");
    let (pool, client) = Aws::pool();
    [
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_DEFAULT_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
        ("AWS_ENDPOINT_URL", aws.url()),
        ("INVENTORY_TABLE", "Inventory".to_owned()),
        ("STORES_TABLE", "Stores".to_owned()),
        ("IMPORTS_TABLE", "Imports".to_owned()),
        ("OUTBOX_TABLE", "Outbox".to_owned()),
        ("STOCK_ALERTS_TABLE", "StockAlerts".to_owned()),
        ("UPLOAD_BUCKET", "uploads".to_owned()),
        ("REPORTS_BUCKET", "reports".to_owned()),
        ("EVENTS_TOPIC_ARN", topic("Events")),
        ("ALERTS_TOPIC_ARN", topic("Alerts")),
        ("RANGES_QUEUE_URL", queue(RANGES_QUEUE)),
        ("UPLOADS_QUEUE_URL", queue(UPLOADS_QUEUE)),
        ("UPLOADS_DEAD_LETTERS_URL", queue("UploadsDeadLetters")),
        ("RANGES_DEAD_LETTERS_URL", queue("RangesDeadLetters")),
        ("FAILURES_QUEUE_URL", queue("Failures")),
        ("DEFAULT_THRESHOLD", "5".to_owned()),
        ("SPLIT_BYTES", (16 * 1024 * 1024).to_string()),
        ("FILE_BYTES_MAX", (1024 * 1024 * 1024_u64).to_string()),
        ("USER_POOL_ID", pool.to_owned()),
        ("USER_POOL_CLIENT_ID", client.to_owned()),
        ("FREE_KEYS_PREFIX", "benchgratuito".to_owned()),
        ("SELF_SIGN_UP", "auto".to_owned()),
        ("PRODUCTS_TABLE", "Products".to_owned()),
        ("REVIEWS_TABLE", "Reviews".to_owned()),
        ("CATEGORIES_TABLE", "Categories".to_owned()),
        ("ORIGINALS_BUCKET", "originals".to_owned()),
        ("CATALOGUE_BUCKET", "catalogue".to_owned()),
        ("DEFAULT_STORE", "central".to_owned()),
        ("CARTS_TABLE", "Carts".to_owned()),
        ("COUPONS_TABLE", "Coupons".to_owned()),
        ("TASKS_TABLE", "Tasks".to_owned()),
        ("RESTOCK_QUEUE_URL", queue("RestockQueue")),
        ("PICTURES_QUEUE_URL", queue("PicturesQueue")),
        ("JWKS_URL", format!("{}/{pool}/.well-known/jwks.json", aws.url())),
        ("API_ROOT", "https://api.example.com".to_owned()),
        ("WEB_ROOT", "https://shop.example".to_owned()),
        ("IMAGES_URL", "https://shop.example/imagenes".to_owned()),
        ("IMAGES_BUCKET", "images".to_owned()),
        ("TAX_BASIS_POINTS", "800".to_owned()),
        ("SHIPPING_RATES", String::new()),
        ("FREE_SHIPPING_FROM", String::new()),
        ("ALLOWED_ORIGIN", "https://shop.example".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The queue that parts of large files wait in.
pub(crate) const RANGES_QUEUE: &str = "RangesQueue";
/// The queue that new files wait in.
pub(crate) const UPLOADS_QUEUE: &str = "UploadsQueue";
/// Who signs in, and the password.
const USER: (&str, &str) = ("maria", "Correcto1");

/// The function that writes the catalogue down for `products-api`.
pub(crate) const SNAPSHOTS: &str = "snapshot-catalogue";

/// A schedule's event.
pub(crate) fn tick() -> Arc<Vec<u8>> {
    Arc::new(include_str!("../../../events/snapshot-catalogue/schedule.json").as_bytes().to_vec())
}

/// How to start a function's binary.
pub(crate) fn launch(name: &str, bin_dir: &Path, log_dir: &Path, env: &[(String, String)]) -> Launch {
    Launch {
        name: name.to_owned(),
        program: bin_dir.join(name),
        args: Vec::new(),
        env: env.to_vec(),
        log: log_dir.join(format!("{name}.log")),
    }
}

/// How to start the Python function that does what `GET /items/{store}/{item}` does.
pub(crate) fn launch_python(python: &Path, root: &Path, log_dir: &Path, env: &[(String, String)]) -> Launch {
    Launch {
        name: "python".to_owned(),
        program: python.to_owned(),
        args: vec![PathBuf::from("-B").into(), root.join("bench/python/get_item.py").into()],
        env: env.to_vec(),
        log: log_dir.join("python.log"),
    }
}

fn event(value: &Value) -> Arc<Vec<u8>> {
    Arc::new(value.to_string().into_bytes())
}

/// A line as the table holds it.
pub(crate) fn line(store: &str, sku: &str, count: i64) -> Value {
    json!({
        "store": {"S": store},
        "sku": {"S": sku},
        "on_hand": {"N": count.to_string()},
        "reserved": {"N": "0"},
        "available": {"N": count.to_string()},
        "version": {"N": "1"},
        "counted_at": {"N": THEN.to_string()},
        "source": {"S": "api"},
        "s3_order": {"S": ""},
        "created_by": {"S": "imp_0"},
        "changed_by": {"S": "imp_0"},
        "updated_at": {"N": THEN.to_string()},
    })
}

/// The id of a product of the catalogue.
fn product_id(number: usize) -> String {
    format!("prod_{number:032x}")
}

/// A product as the table holds it.
fn product(number: usize) -> Value {
    let text = |text: &str| json!({"S": text});
    let whole = |number: i64| json!({"N": number.to_string()});
    let step = i64::try_from(number).unwrap_or(0);
    json!({
        "id": text(&product_id(number)), "kind": text("product"), "changed_at": whole(THEN + step),
        "name": text("Auriculares"), "words": text("auriculares audio con cancelacion de ruido"),
        "description": text("Con cancelación de ruido."), "price_cents": whole(9_999 + step % 97), "currency": text("USD"),
        "category": text(if number.is_multiple_of(10) { "audio" } else { "video" }), "tags": {"L": [text("audio")]},
        "specifications": {"M": {"peso": text("250 g")}}, "images": {"L": [text("p/prod/a")]}, "stock": whole(45),
        "rating_sum": whole(9), "rating_count": whole(2), "version": whole(1), "created_at": whole(THEN + step),
        "updated_at": whole(THEN + step),
    })
}

/// Fills the tables that the API reads.
pub(crate) fn seed(aws: &Aws) -> Result<()> {
    for at in 0..LINES {
        aws.seed("Inventory", &line("Berlin", &format!("SKU-{at:05}"), 17))?;
    }
    seed_products(aws, PRODUCTS)?;
    let store = json!({"store": {"S": "Berlin"}, "lines": {"N": LINES.to_string()}, "low": {"N": "0"}});
    aws.seed("Stores", &store)
}

/// A catalogue of so many products.
pub(crate) fn seed_products(aws: &Aws, products: usize) -> Result<()> {
    (0..products).try_for_each(|at| aws.seed("Products", &product(at)))
}

/// `GET /productos` with this query.
pub(crate) fn product_list(query: &str) -> Value {
    let mut event = api("GET", "/productos", "/productos", Value::Null, None);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parameters: serde_json::Map<String, Value> =
        pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    if let Some(slot) = event.get_mut("queryStringParameters") {
        *slot = Value::Object(parameters);
    }
    event
}

fn api(method: &str, resource: &str, path: &str, parameters: Value, body: Option<&Value>) -> Value {
    json!({
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {
            "accept": "application/json",
            "accept-language": "es",
            "authorization": "Bearer header.payload.signature",
            "content-type": "application/json",
            "host": "api.example.com",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        },
        "multiValueHeaders": {
            "accept": ["application/json"],
            "accept-language": ["es"],
            "content-type": ["application/json"],
            "host": ["api.example.com"],
        },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": parameters,
        "stageVariables": null,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "abcdef1234",
            "authorizer": {
                "usuarioId": "5d1a3c2e-0000-4000-8000-000000000001",
                "email": "maria@example.com",
                "rol": "operador",
                "principalId": "5d1a3c2e-0000-4000-8000-000000000001",
            },
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "Mozilla/5.0"},
            "path": format!("/v1{path}"),
            "protocol": "HTTP/1.1",
            "requestId": "3f0a1e9c-0000-4000-8000-000000000001",
            "requestTime": "21/Jan/2024:11:00:00 +0000",
            "requestTimeEpoch": THEN,
            "resourceId": "abc123",
            "resourcePath": resource,
            "stage": "v1",
        },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}

fn status(answer: &Answer) -> Option<i64> {
    serde_json::from_slice::<Value>(&answer.body).ok()?.get("statusCode")?.as_i64()
}

fn is_200(answer: &Answer) -> bool {
    !answer.failed && status(answer) == Some(200)
}

fn nothing(_: &Aws) -> Result<()> {
    Ok(())
}

pub(crate) fn no_failures(answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    !answer.failed && body.get("batchItemFailures").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// An SQS event with one message.
pub(crate) fn sqs_event(queue: &str, body: &str, receive_count: u32) -> Arc<Vec<u8>> {
    event(&json!({"Records": [{
        "messageId": "19dd0b57-b21e-4ac1-bd88-01bbb068cb78",
        "receiptHandle": "MessageReceiptHandle",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": receive_count.to_string(),
            "SentTimestamp": THEN.to_string(),
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": THEN.to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-central-1:000000000000:{queue}"),
        "awsRegion": "eu-central-1",
    }]}))
}

/// What S3 tells the queue of a new object.
pub(crate) fn s3_notification(key: &str, size: usize, version: &str, sequence: u64) -> String {
    let at = THEN + i64::try_from(sequence).unwrap_or(0) * 1000;
    let (seconds, minutes) = (at / 1000 % 60, at / 60_000 % 60);
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": format!("2024-01-21T11:{minutes:02}:{seconds:02}.000Z"),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "id"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": "uploads", "ownerIdentity": {"principalId": "EXAMPLE"}, "arn": "arn:aws:s3:::uploads"},
            "object": {
                "key": key,
                "size": size,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": version,
                "sequencer": format!("0055AED6DCD9{sequence:04X}"),
            },
        },
    }]})
    .to_string()
}

const SMALL_FILE: &str = "store,item,count\nBerlin,SKU-00001,17\nBerlin,SKU-00002,17\n";

const S3_TEST: &str = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-01-21T11:00:00.000Z","Bucket":"uploads","RequestId":"5582815E1AEA5ADF","HostId":"id"}"#;

/// Where an announced import's file was uploaded.
const ENDED_KEY: &str = "imports/imp_uploaded/small.csv";

fn ended_upload() -> Value {
    let mut import = ended_import();
    if let Some(fields) = import.as_object_mut() {
        fields.insert("id".to_owned(), json!({"S": "imp_uploaded"}));
        fields.insert("bucket".to_owned(), json!({"S": "uploads"}));
        fields.insert("key".to_owned(), json!({"S": ENDED_KEY}));
        fields.insert("version_id".to_owned(), json!({"S": "v1"}));
        let plan = json!({
            "layout": {"S": ""}, "encoding": {"S": "utf-8"}, "bucket": {"S": "uploads"}, "key": {"S": ENDED_KEY},
            "version_id": {"S": "v1"}, "size": {"N": SMALL_FILE.len().to_string()}, "gzip": {"BOOL": false},
            "rows_total": {"N": "2"}, "parts": {"N": "1"}, "stores": {"L": [{"S": "Berlin"}]},
        });
        fields.insert("plan".to_owned(), json!({"M": plan}));
    }
    import
}

fn ended_import() -> Value {
    json!({
        "id": {"S": "imp_ended"},
        "part": {"S": "import"},
        "kind": {"S": "import"},
        "created_at": {"N": THEN.to_string()},
        "state": {"S": "completed"},
        "mode": {"S": "set"},
        "dry_run": {"BOOL": false},
        "file_name": {"S": "stock.csv"},
    })
}

/// A line of 17 units changed to `count`.
fn change(count: i64) -> Value {
    let before = line("Berlin", "SKU-00003", 17);
    let mut after = line("Berlin", "SKU-00003", count);
    if let Some(version) = after.get_mut("version") {
        *version = json!({"N": "2"});
    }
    let keys = json!({"store": {"S": "Berlin"}, "sku": {"S": "SKU-00003"}});
    stream_record("Inventory", "MODIFY", keys, before, after)
}

fn stream_record(table: &str, kind: &str, keys: Value, old: Value, new: Value) -> Value {
    let mut dynamodb = json!({
        "ApproximateCreationDateTime": THEN / 1000,
        "Keys": keys,
        "NewImage": new,
        "SequenceNumber": "4421584500000000017450439091",
        "SizeBytes": 300,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    if !old.is_null()
        && let Some(object) = dynamodb.as_object_mut()
    {
        object.insert("OldImage".to_owned(), old);
    }
    json!({
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": dynamodb,
        "eventSourceARN": format!("arn:aws:dynamodb:eu-central-1:000000000000:table/{table}/stream/2024-01-21T11:00:00.000"),
    })
}

/// All cases, the floor first.
pub(crate) fn cases(aws: &Aws) -> Result<Vec<Case>> {
    let one = json!({"store": "Berlin", "item": "SKU-00007"});
    let get_line = api("GET", "/items/{store}/{item}", "/items/Berlin/SKU-00007", one.clone(), None);
    let patch_line = api("PATCH", "/items/{store}/{item}", "/items/Berlin/SKU-00007", one, Some(&json!({"count": 17})));
    let get_page = api("GET", "/items/{store}", "/items/Berlin", json!({"store": "Berlin"}), None);
    let sign_in = api("POST", "/token", "/token", Value::Null, Some(&json!({"username": USER.0, "password": USER.1})));
    let health = api("GET", "/health", "/health", Value::Null, None);
    let docs = api("GET", "/docs", "/docs", Value::Null, None);
    let document = api("GET", "/openapi.json", "/openapi.json", Value::Null, None);
    let (one, path) = (json!({"id": TASK_ID}), format!("/tasks/{TASK_ID}"));
    let get_task = api("GET", "/tasks/{id}", &path, one.clone(), None);
    let put_task =
        api("PUT", "/tasks/{id}", &path, one, Some(&json!({"title": "Contar el almacén", "completed": true})));
    let get_cart = api("GET", "/carrito", "/carrito", Value::Null, None);
    let add = json!({"productoId": "prod_bench1", "cantidad": 1});
    let add_to_cart = api("POST", "/carrito/items", "/carrito/items", Value::Null, Some(&add));
    let id = product_id(7);
    let get_product = api("GET", "/productos/{id}", &format!("/productos/{id}"), json!({"id": id}), None);
    let mut list_products = api("GET", "/productos", "/productos", Value::Null, None);
    if let Some(query) = list_products.get_mut("queryStringParameters") {
        *query = json!({"orden": "precio_asc", "categoria": "audio"});
    }
    const MEGABYTES_24: Option<u64> = Some(24 * 1024 * 1024);

    let api_case = |function, what, value: &Value, starts: Starts, cpu_judged| Case {
        function,
        what,
        event: event(value),
        reset: nothing,
        right: is_200,
        starts,
        cpu_judged,
        memory_target: MEGABYTES_24,
    };
    let outbox = stream_record("Outbox", "INSERT", json!({"id": {"S": OUTBOX_ID}}), Value::Null, outbox_item());

    Ok(vec![
        Case {
            function: EMPTY,
            what: "nothing",
            event: event(&json!({})),
            reset: nothing,
            right: |answer| !answer.failed && answer.body == b"{}",
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: ONE_CALL,
            what: "one GetItem",
            event: event(&json!({})),
            reset: nothing,
            right: |answer| !answer.failed && answer.body == b"{}",
            starts: Starts::No,
            cpu_judged: false,
            memory_target: None,
        },
        api_case("items-api", "GET /items/{store}/{item}", &get_line, Starts::Judged, true),
        api_case("items-api", "PATCH /items/{store}/{item}", &patch_line, Starts::No, true),
        api_case("items-api", "GET /items/{store}, 100 lines", &get_page, Starts::Shown, false),
        Case {
            function: "authorize",
            what: "a valid token",
            event: event(&json!({
                "type": "TOKEN",
                "authorizationToken": format!("Bearer {}", aws.access_token(USER.0)?),
                "methodArn": "arn:aws:execute-api:eu-central-1:000000000000:abcdef1234/v1/GET/items",
            })),
            reset: nothing,
            right: |answer| !answer.failed && String::from_utf8_lossy(&answer.body).contains("Allow"),
            starts: Starts::Judged,
            cpu_judged: true,
            memory_target: MEGABYTES_24,
        },
        api_case("users-api", "POST /token", &sign_in, Starts::Judged, true),
        Case {
            function: "admit-user",
            what: "a sign-up",
            event: event(&json!({
                "version": "1",
                "triggerSource": "PreSignUp_SignUp",
                "region": "eu-central-1",
                "userPoolId": Aws::pool().0,
                "userName": "maria",
                "callerContext": {"awsSdkVersion": "aws-sdk-rust", "clientId": Aws::pool().1},
                "request": {"userAttributes": {"email": "maria@example.com"}, "validationData": null},
                "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
            })),
            reset: nothing,
            right: |answer| {
                !answer.failed && String::from_utf8_lossy(&answer.body).contains(r#""autoConfirmUser":true"#)
            },
            starts: Starts::Judged,
            cpu_judged: true,
            memory_target: MEGABYTES_24,
        },
        api_case(LISTS, "GET /productos/{id}", &get_product, Starts::Judged, true),
        api_case(LISTS, "GET /productos, 20 of 1,000", &list_products, Starts::Shown, false),
        Case {
            function: SNAPSHOTS,
            what: "nothing of 1,000 products has changed",
            event: tick(),
            reset: nothing,
            right: |answer| !answer.failed,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            reset: |aws| {
                aws.empty("Carts");
                Ok(())
            },
            ..api_case("cart-api", "GET /carrito, empty", &get_cart, Starts::Judged, true)
        },
        Case { reset: a_cart, ..api_case("cart-api", "GET /carrito, 2 lines", &get_cart, Starts::Shown, false) },
        Case {
            reset: |aws| {
                a_cart(aws)?;
                aws.empty("Outbox");
                Ok(())
            },
            ..api_case("cart-api", "POST /carrito/items", &add_to_cart, Starts::Shown, false)
        },
        Case {
            function: "ingest-inventory",
            what: "the test message of S3",
            event: sqs_event(UPLOADS_QUEUE, S3_TEST, 1),
            reset: nothing,
            right: no_failures,
            starts: Starts::Shown,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "ingest-inventory",
            what: "an upload that was imported before",
            event: sqs_event(UPLOADS_QUEUE, &s3_notification(ENDED_KEY, SMALL_FILE.len(), "v1", 1), 1),
            reset: |aws| {
                aws.put("uploads", ENDED_KEY, SMALL_FILE.as_bytes())?;
                aws.seed("Imports", &ended_upload())
            },
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "ingest-inventory",
            what: "a file of two unchanged lines",
            event: sqs_event(UPLOADS_QUEUE, &s3_notification("small.csv", SMALL_FILE.len(), "", 1), 1),
            reset: |aws| {
                aws.empty("Imports");
                aws.empty("Outbox");
                aws.empty_bucket("uploads");
                aws.empty_bucket("reports");
                aws.put("uploads", "small.csv", SMALL_FILE.as_bytes())?;
                Ok(())
            },
            right: no_failures,
            starts: Starts::Shown,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "ingest-range",
            what: "a part of an import that has ended",
            event: sqs_event(RANGES_QUEUE, &json!({"import": "imp_ended", "part": 1}).to_string(), 1),
            reset: |aws| aws.seed("Imports", &ended_import()),
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "watch-stock",
            what: "one line changes, it is not low",
            event: event(&json!({"Records": [change(16)]})),
            reset: nothing,
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "watch-stock",
            what: "one line crosses its threshold",
            event: event(&json!({"Records": [change(3)]})),
            reset: |aws| {
                aws.empty("StockAlerts");
                aws.empty("Outbox");
                Ok(())
            },
            right: no_failures,
            starts: Starts::Shown,
            cpu_judged: false,
            memory_target: None,
        },
        api_case("health-api", "GET /health", &health, Starts::Judged, true),
        api_case("docs-api", "GET /docs", &docs, Starts::Judged, true),
        api_case("docs-api", "GET /openapi.json", &document, Starts::Shown, false),
        Case {
            reset: |aws| aws.seed("Tasks", &task()),
            ..api_case("tasks-api", "GET /tasks/{id}", &get_task, Starts::Judged, true)
        },
        Case {
            reset: |aws| aws.seed("Tasks", &task()),
            ..api_case("tasks-api", "PUT /tasks/{id}", &put_task, Starts::No, true)
        },
        Case {
            function: "open-tasks",
            what: "news that are known already",
            event: sqs_event("RestockQueue", &stock_news(), 1),
            reset: |aws| aws.seed("Tasks", &restocking()),
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "open-tasks",
            what: "a line goes low",
            event: sqs_event("RestockQueue", &stock_news(), 1),
            reset: |aws| {
                aws.empty("Tasks");
                Ok(())
            },
            right: no_failures,
            starts: Starts::Shown,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "notify",
            what: "an alert",
            event: sqs_event("NotifyQueue", &stock_news(), 1),
            reset: nothing,
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "close-imports",
            what: "no dead letters",
            event: Arc::new(include_str!("../../../events/close-imports/schedule.json").as_bytes().to_vec()),
            reset: nothing,
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        // What a picture itself takes is its pixels' business, and in docs/decisions.md.
        Case {
            function: "process-image",
            what: "a picture of a product that is gone",
            event: sqs_event("PicturesQueue", &s3_notification("products/prod_gone/img_1", 1_000, "", 1), 1),
            reset: nothing,
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "relay-events",
            what: "one event that is out already",
            event: event(&json!({"Records": [outbox.clone()]})),
            reset: |aws| {
                let mut item = outbox_item();
                if let Some(attributes) = item.as_object_mut() {
                    attributes.remove("pending");
                }
                aws.seed("Outbox", &item)
            },
            right: no_failures,
            starts: Starts::Judged,
            cpu_judged: false,
            memory_target: None,
        },
        Case {
            function: "relay-events",
            what: "one event to publish",
            event: event(&json!({"Records": [outbox]})),
            reset: |aws| aws.seed("Outbox", &outbox_item()),
            right: no_failures,
            starts: Starts::Shown,
            cpu_judged: false,
            memory_target: None,
        },
    ])
}

/// The caller's cart of two lines, and the products in it.
fn a_cart(aws: &Aws) -> Result<()> {
    let number = |number: i64| json!({"N": number.to_string()});
    let price = |minor| (number(minor), json!({"S": "USD"}));
    let mut lines = serde_json::Map::new();
    for id in ["prod_bench1", "prod_bench2"] {
        let (minor, currency) = price(9_999);
        let product = json!({
            "id": {"S": id}, "kind": {"S": "product"}, "name": {"S": "Auriculares"}, "price_cents": minor, "currency": currency,
            "category": {"S": "audio"}, "stock": number(45), "version": number(1), "created_at": number(THEN), "updated_at": number(THEN),
            "description": {"S": "Con cancelación de ruido."}, "tags": {"L": []}, "specifications": {"M": {}}, "images": {"L": []},
        });
        aws.seed("Products", &product)?;
        let line = json!({"M": {
            "name": {"S": "Auriculares"}, "quantity": number(2), "price_cents": minor, "currency": currency, "added_at": number(THEN),
        }});
        lines.insert(id.to_owned(), line);
    }
    let cart = json!({
        "user": {"S": "5d1a3c2e-0000-4000-8000-000000000001"}, "lines": {"M": lines}, "version": number(2),
        "updated_at": number(THEN), "expires_at": number(32_503_680_000),
    });
    aws.seed("Carts", &cart)
}

const OUTBOX_ID: &str = "evt_00000000000000000000000001";

fn outbox_item() -> Value {
    let body = json!({
        "id": OUTBOX_ID, "evento": "StockBajo", "version": 1, "marcaTiempo": "2024-01-21T11:00:00Z",
        "correlacionId": OUTBOX_ID, "causaId": null, "agregadoId": "Berlin/SKU-00003",
        "datos": {"store": "Berlin", "item": "SKU-00003", "count": 3, "available": 3, "reserved": 0, "threshold": 5, "since": "2024-01-21T11:00:00Z"},
    });
    json!({
        "id": {"S": OUTBOX_ID},
        "event": {"S": "StockBajo"},
        "body": {"S": body.to_string()},
        "created_at": {"N": THEN.to_string()},
        "pending": {"S": "12"},
        "expires_at": {"N": (THEN / 1000 + 604_800).to_string()},
    })
}

const TASK_ID: &str = "task_00000000000000000000000000000001";

fn task() -> Value {
    json!({
        "id": {"S": TASK_ID},
        "kind": {"S": "task"},
        "title": {"S": "Contar el almacén"},
        "description": {"S": "Pasillos 3 y 4."},
        "completed": {"BOOL": false},
        "version": {"N": "1"},
        "created_at": {"N": THEN.to_string()},
        "updated_at": {"N": THEN.to_string()},
    })
}

/// What Tasks knows of the line that [`stock_news`] are of.
fn restocking() -> Value {
    json!({"id": {"S": "restock#Berlin\u{1f}SKU-00003"}, "line_version": {"N": "2"}})
}

fn stock_news() -> String {
    json!({
        "id": OUTBOX_ID, "evento": "StockBajo", "version": 1, "marcaTiempo": "2024-01-21T11:00:00Z",
        "correlacionId": OUTBOX_ID, "causaId": OUTBOX_ID, "agregadoId": "Berlin/SKU-00003",
        "datos": {"store": "Berlin", "item": "SKU-00003", "count": 3, "available": 3, "reserved": 0, "threshold": 5, "since": "2024-01-21T11:00:00Z", "lineVersion": 2},
    })
    .to_string()
}

/// The user who signs in, and whose token is verified.
pub(crate) fn add_user(aws: &Aws) -> Result<()> {
    aws.add_user(USER.0, USER.1, "operador")
}
