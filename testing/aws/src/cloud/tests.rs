use std::sync::Mutex;
use std::time::Duration;

use almacen_aws_client::Aws;
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;

use super::fault::{CallInfo, Failure, Fault, NoFaults};
use super::*;

const TEMPLATE: &str = include_str!("../../../../template.yaml");
const START: Millis = 1_705_834_800_000;
const TASKS: &str = "almacen-TasksTable";

fn cloud_of(settings: Settings, seed: u64) -> Cloud {
    Cloud::new(Stack::read(TEMPLATE, &BTreeMap::new()).unwrap(), settings, seed, START)
}

fn cloud() -> Cloud {
    cloud_of(Settings::default(), 7)
}

fn aws(cloud: &Cloud, caller: Caller, hook: Arc<dyn Hook>) -> Aws {
    let credentials = Credentials::new(caller.name(), "secret", None, None, "test");
    Aws::over(cloud.connector(caller, hook), credentials, Region::new("eu-west-1"))
}

fn client(cloud: &Cloud, package: &str, hook: Arc<dyn Hook>) -> Client {
    Client::new(aws(cloud, cloud.function(package).unwrap(), hook).config())
}

/// Fails the calls of these numbers.
#[derive(Debug, Default)]
struct Planned {
    faults: BTreeMap<u64, Fault>,
    seen: Mutex<Vec<CallInfo>>,
}

impl Planned {
    fn at(faults: impl IntoIterator<Item = (u64, Fault)>) -> Arc<Self> {
        Arc::new(Self { faults: faults.into_iter().collect(), seen: Mutex::default() })
    }
}

impl Hook for Planned {
    fn on_call(&self, call: &CallInfo) -> Fault {
        lock(&self.seen).push(call.clone());
        self.faults.get(&call.number).copied().unwrap_or(Fault::None)
    }
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

async fn put(client: &Client, id: &str) -> Result<(), String> {
    let call = client.put_item().table_name(TASKS).item("id", s(id)).item("n", n(1));
    call.send().await.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
}

async fn add_one(client: &Client, id: &str) -> Result<(), String> {
    let update = client.update_item().table_name(TASKS).key("id", s(id)).update_expression("ADD n :one");
    let call = update.expression_attribute_values(":one", n(1));
    call.send().await.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
}

fn number_of(cloud: &Cloud, id: &str) -> String {
    let key = [("id".to_owned(), dynamodb::value::Value::S(id.to_owned()))].into();
    cloud.dynamodb().item(TASKS, &key).unwrap()["n"].as_number().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn the_real_client_reads_what_it_wrote() {
    let cloud = cloud();
    let client = client(&cloud, "tasks-api", Arc::new(NoFaults));
    put(&client, "a").await.unwrap();
    add_one(&client, "a").await.unwrap();
    let got = client.get_item().table_name(TASKS).key("id", s("a")).consistent_read(true).send().await.unwrap();
    assert_eq!(got.item.unwrap()["n"], n(2));
    let refused =
        client.put_item().table_name(TASKS).item("id", s("a")).condition_expression("attribute_not_exists(id)");
    let refused = refused.return_values_on_condition_check_failure("ALL_OLD".into()).send().await.unwrap_err();
    let Some(aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused)) =
        refused.as_service_error()
    else {
        panic!("{refused:?}")
    };
    assert_eq!(refused.item().unwrap()["n"], n(2));
    let listed = client.query().table_name(TASKS).index_name("newest").key_condition_expression("kind = :k");
    let listed = listed.expression_attribute_values(":k", s("task")).send().await.unwrap();
    assert_eq!(listed.count(), 0);
    assert!(cloud.now() > START, "calls take time");
    assert_eq!(cloud.trace().access_denied(), <[String; 0]>::default());
}

#[tokio::test(start_paused = true)]
async fn the_reasons_of_a_transaction_reach_the_client() {
    let cloud = cloud();
    let client = Client::new(aws(&cloud, Caller::operator("op"), Arc::new(NoFaults)).config());
    put(&client, "held").await.unwrap();
    let new = Put::builder().table_name(TASKS).item("id", s("new")).build().unwrap();
    let update = Update::builder().table_name(TASKS).key("id", s("held")).update_expression("ADD n :one");
    let update = update.condition_expression("n > :one").expression_attribute_values(":one", n(1));
    let update = update.return_values_on_condition_check_failure("ALL_OLD".into()).build().unwrap();
    let call = client.transact_write_items().transact_items(TransactWriteItem::builder().put(new).build());
    let error = call.transact_items(TransactWriteItem::builder().update(update).build()).send().await.unwrap_err();
    let Some(aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    )) = error.as_service_error()
    else {
        panic!("{error:?}")
    };
    let reasons = cancelled.cancellation_reasons();
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons[1].item().unwrap()["n"], n(1));
}

#[tokio::test(start_paused = true)]
async fn roles_decide_what_a_function_may_do() {
    let cloud = cloud();
    let api = client(&cloud, "cart-api", Arc::new(NoFaults));
    assert_eq!(put(&api, "a").await, Err("AccessDeniedException".to_owned()));
    let denied = cloud.trace().access_denied().to_vec();
    assert!(
        denied[0].contains("cart-api") && denied[0].contains("dynamodb:PutItem") && denied[0].contains(TASKS),
        "{denied:?}"
    );
    // Of the tables that it looks at, health-api may read one record that is not there.
    let health = client(&cloud, "health-api", Arc::new(NoFaults));
    let get = |key: &str| health.get_item().table_name(TASKS).key("id", s(key)).send();
    assert!(get("health#check").await.is_ok());
    assert!(get("other").await.is_err());
    let scan = health.scan().table_name(TASKS).send().await;
    assert_eq!(scan.unwrap_err().code(), Some("AccessDeniedException"));
}

#[tokio::test(start_paused = true)]
async fn calls_fail_before_or_after_their_effect() {
    for (fault, calls, n) in [
        (Fault::None, 1, "1"),
        // The SDK tries again what it may.
        (Fault::FailBefore(Failure::Throttle), 2, "1"),
        (Fault::FailBefore(Failure::Internal), 2, "1"),
        (Fault::FailBefore(Failure::Timeout), 2, "1"),
        (Fault::Hang, 2, "1"),
        // And so does twice what it has done already.
        (Fault::LoseAnswer, 2, "2"),
    ] {
        let cloud = cloud();
        let client = client(&cloud, "tasks-api", Planned::at([(1, fault)]));
        let started = cloud.now();
        add_one(&client, "a").await.unwrap();
        assert_eq!((cloud.trace().calls(), number_of(&cloud, "a").as_str()), (calls, n), "{fault:?}");
        assert_eq!(cloud.now() - started >= 6_000, fault == Fault::Hang, "{fault:?}");
        assert_eq!(cloud.trace().faults(), u64::from(fault != Fault::None));
    }
    let cloud = cloud();
    let client = client(&cloud, "tasks-api", Planned::at([(1, Fault::FailBefore(Failure::Conflict))]));
    assert_eq!(add_one(&client, "a").await, Err("TransactionConflictException".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_dies_never_hears_an_answer() {
    for (fault, made) in [(Fault::DieBefore, 0), (Fault::DieAfter, 1)] {
        let cloud = cloud();
        let hook = Planned::at([(1, fault)]);
        let connector = cloud.connector(Caller::operator("op"), Arc::clone(&hook) as Arc<dyn Hook>);
        let body = format!(r#"{{"TableName":"{TASKS}","Item":{{"id":{{"S":"a"}}}}}}"#);
        let call = connector.call(json_request("dynamodb", "DynamoDB_20120810.PutItem", &body));
        assert!(tokio::time::timeout(Duration::from_secs(3600), call).await.is_err());
        assert_eq!(cloud.dynamodb().count(TASKS), made);
        let seen = lock(&hook.seen);
        assert_eq!((seen[0].service, seen[0].operation.as_str(), seen[0].writes), ("dynamodb", "PutItem", true));
        assert_eq!(seen[0].resources, [TASKS]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_transaction_is_not_made_twice() {
    let cloud = cloud();
    let client = Client::new(aws(&cloud, Caller::operator("op"), Planned::at([(1, Fault::LoseAnswer)])).config());
    let update = Update::builder().table_name(TASKS).key("id", s("a")).update_expression("ADD n :one");
    let update = update.expression_attribute_values(":one", n(1)).build().unwrap();
    let call = client.transact_write_items().transact_items(TransactWriteItem::builder().update(update).build());
    call.send().await.unwrap();
    assert_eq!((cloud.trace().calls(), number_of(&cloud, "a").as_str()), (2, "1"));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    // Without calls that the SDK repeats: its pauses are drawn from the machine's own chance unless the caller seeds them.
    async fn run(seed: u64) -> (u64, Millis) {
        let cloud = cloud_of(Settings { latency: 20, ..Settings::default() }, seed);
        let client = client(&cloud, "tasks-api", Planned::at([(3, Fault::Partly)]));
        for id in ["a", "b", "c", "d"] {
            let (one, two) = tokio::join!(put(&client, id), add_one(&client, "sum"));
            one.and(two).unwrap();
        }
        (cloud.trace().hash(), cloud.now() - START)
    }
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

fn json_request(service: &str, target: &str, body: &str) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").unwrap();
    request.set_uri(format!("https://{service}.eu-west-1.amazonaws.com/")).unwrap();
    request.headers_mut().insert("x-amz-target", target.to_owned());
    request.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 x");
    request
}

fn plain_request(method: &str, url: &str, body: &str, signed: bool) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(method).unwrap();
    request.set_uri(url).unwrap();
    if signed {
        request.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 x");
    }
    request
}

async fn send(cloud: &Cloud, caller: Caller, request: HttpRequest) -> (u16, String) {
    let response = cloud.connector(caller, Arc::new(NoFaults)).call(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8_lossy(response.body().bytes().unwrap()).into_owned())
}

#[tokio::test(start_paused = true)]
async fn an_upload_becomes_a_message() {
    let cloud = cloud();
    let upload = |signed| {
        let url = "https://almacen-uploads-123456789012-eu-west-1.s3.eu-west-1.amazonaws.com/imports/a.csv";
        plain_request("PUT", url, "sku,count", signed)
    };
    assert_eq!(send(&cloud, Caller::operator("op"), upload(false)).await.0, 403);
    assert_eq!(send(&cloud, Caller::operator("op"), upload(true)).await.0, 200);
    let poll = r#"{"QueueUrl":"https://sqs/almacen-UploadsQueue","WaitTimeSeconds":20}"#;
    let receive = || json_request("sqs", "AmazonSQS.ReceiveMessage", poll);
    let ingest = cloud.function("ingest-inventory").unwrap();
    let (status, body) = send(&cloud, ingest.clone(), receive()).await;
    assert!(status == 200 && body.contains("imports/a.csv"), "{body}");
    // A long poll waits for nothing for as long as it was told.
    let before = cloud.now();
    assert_eq!(send(&cloud, ingest.clone(), receive()).await.1, "{}");
    assert!(cloud.now() - before >= 20_000);
    let object = "https://almacen-uploads-123456789012-eu-west-1.s3.eu-west-1.amazonaws.com/imports/a.csv";
    let get = plain_request("GET", object, "", true);
    assert_eq!(send(&cloud, ingest.clone(), get).await, (200, "sku,count".to_owned()));
    let delete = plain_request("DELETE", object, "", true);
    assert_eq!(send(&cloud, ingest, delete).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_link_has_the_rights_of_its_signer_for_a_while() {
    let cloud = cloud();
    let link = |signer: &str, key: &str| {
        let url = format!(
            "https://almacen-uploads-123456789012-eu-west-1.s3.eu-west-1.amazonaws.com/{key}?X-Amz-Credential={signer}%2F20240121\
             &X-Amz-Date=20240121T110000Z&X-Amz-Expires=900&X-Amz-Signature=f00"
        );
        plain_request("PUT", &url, "x", false)
    };
    let customer = || Caller::operator("customer");
    assert_eq!(send(&cloud, customer(), link("items-api", "imports/a")).await.0, 200);
    assert_eq!(send(&cloud, customer(), link("items-api", "other/a")).await.0, 403);
    assert_eq!(send(&cloud, customer(), link("cart-api", "imports/a")).await.0, 403);
    tokio::time::advance(Duration::from_secs(900)).await;
    assert_eq!(send(&cloud, customer(), link("items-api", "imports/a")).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn an_event_reaches_the_queues_that_want_it() {
    let cloud = cloud();
    let publish = |name: &str| {
        let body = format!(
            "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Aalmacen-EventsTopic&Message=m\
             &MessageAttributes.entry.1.Name=evento&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue={name}"
        );
        plain_request("POST", "https://sns.eu-west-1.amazonaws.com/", &body, true)
    };
    let relay = cloud.function("relay-events").unwrap();
    for name in ["StockBajo", "StockRepuesto", "Otro"] {
        assert_eq!(send(&cloud, relay.clone(), publish(name)).await.0, 200);
    }
    let depth = |queue: &str| cloud.sqs().depth(queue, cloud.now()).visible;
    assert_eq!((depth("almacen-RestockQueue"), depth("almacen-NotifyQueue")), (2, 1));
    assert_eq!(cloud.sns().published("almacen-EventsTopic").len(), 3);
    let other = cloud.function("cart-api").unwrap();
    let (status, body) = send(&cloud, other, publish("Otro")).await;
    assert!(status == 403 && body.contains("<Code>AuthorizationError</Code>"), "{body}");
    let jwks = plain_request("GET", &cloud.stack().functions["authorize"].environment["JWKS_URL"], "", false);
    assert!(send(&cloud, cloud.function("authorize").unwrap(), jwks).await.1.contains("RS256"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_done_in_part_where_the_hook_says_so() {
    let cloud = cloud();
    let hook = Planned::at([(1, Fault::Partly)]);
    let client = Client::new(aws(&cloud, Caller::operator("op"), hook).config());
    let write = |id: &str| {
        let put = aws_sdk_dynamodb::types::PutRequest::builder().item("id", s(id)).build().unwrap();
        aws_sdk_dynamodb::types::WriteRequest::builder().put_request(put).build()
    };
    let answer = client.batch_write_item().request_items(TASKS, vec![write("a"), write("b")]).send().await.unwrap();
    assert_eq!(answer.unprocessed_items().unwrap()[TASKS], [write("b")]);
    assert_eq!(cloud.dynamodb().count(TASKS), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_an_error_of_the_service() {
    let cloud = cloud();
    let client = Client::new(aws(&cloud, Caller::operator("op"), Arc::new(NoFaults)).config());
    let error = client.list_tables().send().await.unwrap_err();
    assert!(
        matches!(&error, SdkError::ServiceError(_)) && error.code() == Some("UnknownOperationException"),
        "{error:?}"
    );
}

/// Signs somebody up through a user pool that confirms nobody by itself, where a function answers so to its question.
async fn sign_up(told: Result<serde_json::Value, String>) -> Result<bool, String> {
    use std::future::poll_fn;
    let admin = BTreeMap::from([("SelfSignUp".to_owned(), "admin".to_owned())]);
    let cloud = Cloud::new(Stack::read(TEMPLATE, &admin).unwrap(), Settings::default(), 7, START);
    let mut admissions = cloud.admissions();
    let mut request = Request::new("POST", "https://cognito-idp.eu-west-1.amazonaws.com/");
    let headers = [("x-amz-target", "AWSCognitoIdentityProviderService.SignUp")];
    request.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    request.body = serde_json::json!({
        "ClientId": cloud.stack().pool.as_ref().unwrap().client_id, "Username": "ana", "Password": "Secreta123",
        "UserAttributes": [{"Name": "email", "Value": "ana@example.com"}],
    })
    .to_string()
    .into();
    let answers = async {
        let asked = poll_fn(|context| admissions.poll_next(context)).await.unwrap();
        assert_eq!(asked.event["triggerSource"], "PreSignUp_SignUp");
        assert_eq!(asked.event["userName"], "ana");
        assert_eq!(asked.event["request"]["userAttributes"]["email"], "ana@example.com");
        asked.answer.send(told).unwrap();
    };
    let (answer, ()) = tokio::join!(cloud.request(Caller::operator("browser"), request), answers);
    let body: serde_json::Value = serde_json::from_slice(&answer.unwrap().body).unwrap();
    match body["UserConfirmed"].as_bool() {
        Some(confirmed) => Ok(confirmed),
        None => Err(format!("{}: {}", body["__type"].as_str().unwrap(), body["message"].as_str().unwrap())),
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_admits_those_who_sign_up() {
    let answer = |confirmed: bool| serde_json::json!({"response": {"autoConfirmUser": confirmed}});
    assert_eq!(sign_up(Ok(answer(true))).await, Ok(true));
    assert_eq!(sign_up(Ok(answer(false))).await, Ok(false));
    let told = "UserLambdaValidationException: PreSignUp failed with error no.";
    assert_eq!(sign_up(Err("no".to_owned())).await, Err(told.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_of_its_own() {
    let cloud = cloud();
    let put = |cloud: &Cloud, id: &str| {
        let item = serde_json::json!({"TableName": TASKS, "Item": {"id": {"S": id}}}).to_string();
        cloud.dynamodb().call("PutItem", item.as_bytes(), cloud.now()).unwrap();
    };
    put(&cloud, "before");
    let copy = cloud.copy(START + 5);
    put(&cloud, "after");
    assert_eq!((cloud.dynamodb().count(TASKS), copy.dynamodb().count(TASKS)), (2, 1));
    put(&copy, "after");
    put(&copy, "later");
    assert_eq!((cloud.dynamodb().count(TASKS), copy.dynamodb().count(TASKS)), (2, 3));
    assert_eq!((cloud.now(), copy.now()), (START, START + 5));
}

#[tokio::test(start_paused = true)]
async fn refused_calls_are_told_once_and_conditions_are_not_among_them() {
    let cloud = cloud();
    let client = client(&cloud, "tasks-api", Arc::new(NoFaults));
    let put = |condition: &str| {
        client.put_item().table_name(TASKS).item("id", s("a")).condition_expression(condition.to_owned()).send()
    };
    put("attribute_not_exists(id)").await.unwrap();
    put("attribute_not_exists(id)").await.unwrap_err();
    put("no condition").await.unwrap_err();
    assert_eq!(cloud.take_refused(), ["dynamodb.PutItem: 400 ValidationException"]);
    assert_eq!(cloud.take_refused(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn bare_calls_are_carried_out_and_not_looked_into() {
    let cloud = cloud_of(Settings { bare: true, ..Settings::default() }, 7);
    let hook = Planned::at([]);
    let client = client(&cloud, "tasks-api", hook.clone());
    client.put_item().table_name(TASKS).item("id", s("a")).send().await.unwrap();
    let seen = lock(&hook.seen).clone();
    assert_eq!((seen.len(), seen[0].operation.as_str(), seen[0].canonical.as_str()), (1, "PutItem", ""));
    assert_eq!(cloud.dynamodb().count(TASKS), 1);
    // Tables that the function's role does not name are open too.
    client.get_item().table_name("almacen-CartsTable").key("user", s("a")).send().await.unwrap();
    assert_eq!(cloud.trace().access_denied(), [""; 0]);
}
