//! What a request is: of which service, about what, and what rights it needs.

use serde_json::{Value, json};

use super::Cloud;
use super::fault::CallInfo;
use crate::http::{Request, pairs};
use crate::iam::Need;
use crate::s3::{Operation, S3Request};
use crate::{ServiceError, canonical};

/// A request that was taken apart.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) kind: Kind,
    pub(super) operation: String,
    pub(super) resources: Vec<String>,
    pub(super) canonical: String,
    pub(super) writes: bool,
    pub(super) needs: Vec<Need>,
    /// Writes of a transaction.
    pub(super) transaction: usize,
}

/// To which service it goes.
#[derive(Debug)]
pub(super) enum Kind {
    DynamoDb,
    Sqs,
    Cognito,
    Sns,
    S3(Box<S3Request>),
    Jwks,
}

impl Kind {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::Cognito => "cognito",
            Self::Sns => "sns",
            Self::S3(_) => "s3",
            Self::Jwks => "jwks",
        }
    }
}

impl Routed {
    /// Partition keys are looked for only where a role asks for them.
    pub(super) fn of(cloud: &Cloud, request: &Request, wants_keys: bool) -> Result<Self, ServiceError> {
        let target = request.header("x-amz-target");
        if let Some((service, operation)) = target.split_once('.') {
            let malformed = |error: serde_json::Error| ServiceError::new("SerializationException", error.to_string());
            let body: Value = serde_json::from_slice(&request.body).map_err(malformed)?;
            return match service {
                "DynamoDB_20120810" => Ok(dynamodb(cloud, operation, &body, wants_keys)),
                "AmazonSQS" => Ok(sqs(cloud, operation, &body)),
                "AWSCognitoIdentityProviderService" => Ok(cognito(cloud, operation, &body)),
                other => Err(ServiceError::unknown_operation(other)),
            };
        }
        if request.path.ends_with("/.well-known/jwks.json") {
            return Ok(Self::new(Kind::Jwks, "GetKeys", Vec::new(), String::new()));
        }
        let is_form = request.header("content-type").starts_with("application/x-www-form-urlencoded");
        if request.method == "POST" && request.path == "/" && (is_form || request.host.starts_with("sns.")) {
            return Ok(sns(request));
        }
        Ok(s3(request, S3Request::read(request)?))
    }

    /// Without what a call is about, for services that speak JSON; `None` for others.
    pub(super) fn bare(request: &Request) -> Option<Self> {
        let (service, operation) = request.header("x-amz-target").split_once('.')?;
        let kind = match service {
            "DynamoDB_20120810" => Kind::DynamoDb,
            "AmazonSQS" => Kind::Sqs,
            _ => return None,
        };
        Some(Self::new(kind, operation, Vec::new(), String::new()))
    }

    fn new(kind: Kind, operation: &str, resources: Vec<String>, canonical: String) -> Self {
        let operation = operation.to_owned();
        Self { kind, operation, resources, canonical, writes: false, needs: Vec::new(), transaction: 0 }
    }

    pub(super) fn info(&self, number: u64, at: u64, caller: &str) -> CallInfo {
        CallInfo {
            number,
            at,
            caller: caller.to_owned(),
            service: self.kind.name(),
            operation: self.operation.clone(),
            resources: self.resources.clone(),
            canonical: self.canonical.clone(),
            writes: self.writes,
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Members of an object.
fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn dynamodb(cloud: &Cloud, operation: &str, body: &Value, wants_keys: bool) -> Routed {
    let place = &cloud.stack().place;
    let arn = |table: &str| place.arn("dynamodb", &format!("table/{table}"));
    let hash_of = |table: &str| cloud.dynamodb().schema(table).map(|schema| schema.hash.name);
    // The partition key of an item or a key.
    let leading = |table: &str, item: Option<&Value>| -> Vec<String> {
        if !wants_keys {
            return Vec::new();
        }
        let value =
            hash_of(table).and_then(|name| item?.get(&name)?.as_object()?.values().next()?.as_str().map(str::to_owned));
        value.into_iter().collect()
    };
    let mut tables: Vec<String> = Vec::new();
    let mut needs: Vec<Need> = Vec::new();
    let mut transaction = 0;
    let mut need = |table: &str, action: &str, resource: String, leading_keys: Vec<String>| {
        if !tables.iter().any(|known| known == table) {
            tables.push(table.to_owned());
        }
        needs.push(Need { leading_keys, ..Need::new(format!("dynamodb:{action}"), resource) });
    };
    match operation {
        "TransactWriteItems" => {
            let writes = array(body, "TransactItems");
            transaction = writes.len();
            for (kind, write) in writes.iter().flat_map(|write| members(Some(write))) {
                let table = text(write, "TableName");
                let action = match kind.as_str() {
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    "Delete" => "DeleteItem",
                    _ => "ConditionCheckItem",
                };
                need(table, action, arn(table), leading(table, write.get("Item").or_else(|| write.get("Key"))));
            }
        }
        "BatchGetItem" => {
            for (table, wanted) in members(body.get("RequestItems")) {
                let keys = array(wanted, "Keys").iter().flat_map(|key| leading(table, Some(key))).collect();
                need(table, operation, arn(table), keys);
            }
        }
        "BatchWriteItem" => {
            for (table, entries) in members(body.get("RequestItems")) {
                let entries = entries.as_array().into_iter().flatten();
                let item = |entry: &Value| {
                    let item = entry.pointer("/PutRequest/Item").or_else(|| entry.pointer("/DeleteRequest/Key"));
                    leading(table, item)
                };
                need(table, operation, arn(table), entries.flat_map(item).collect());
            }
        }
        "BatchExecuteStatement" => {
            for statement in array(body, "Statements") {
                let table = text(statement, "Statement").split('"').nth(1).unwrap_or_default().to_owned();
                need(&table, "PartiQLInsert", arn(&table), vec![UNKNOWN.to_owned()]);
            }
        }
        _ => {
            let table = text(body, "TableName");
            let resource = match body.get("IndexName").and_then(Value::as_str) {
                Some(index) => format!("{}/index/{index}", arn(table)),
                None => arn(table),
            };
            let keys = match operation {
                "Query" | "Scan" => vec![UNKNOWN.to_owned()],
                _ => leading(table, body.get("Item").or_else(|| body.get("Key"))),
            };
            need(table, operation, resource, keys);
        }
    }
    let writes = !matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan" | "DescribeTable");
    let routed = Routed::new(Kind::DynamoDb, operation, tables, canonical::text(body));
    Routed { writes, needs, transaction, ..routed }
}

/// A partition key that is not looked for: where a role names those that it allows, it is not among them.
const UNKNOWN: &str = "\u{0}";

fn sqs(cloud: &Cloud, operation: &str, body: &Value) -> Routed {
    let queue = text(body, "QueueUrl").rsplit('/').next().unwrap_or_default().to_owned();
    let action = format!("sqs:{}", operation.trim_end_matches("Batch"));
    let needs = vec![Need::new(action, cloud.stack().place.arn("sqs", &queue))];
    let writes = operation != "GetQueueAttributes";
    Routed { writes, needs, ..Routed::new(Kind::Sqs, operation, vec![queue], canonical::text(body)) }
}

/// Calls of somebody without credentials, which need no right.
const PUBLIC: [&str; 3] = ["SignUp", "InitiateAuth", "GetUser"];

fn cognito(cloud: &Cloud, operation: &str, body: &Value) -> Routed {
    let stack = cloud.stack();
    let pool = stack.pool.as_ref().map(|pool| pool.id.as_str()).unwrap_or_default();
    let need =
        Need::new(format!("cognito-idp:{operation}"), stack.place.arn("cognito-idp", &format!("userpool/{pool}")));
    let needs = if PUBLIC.contains(&operation) { Vec::new() } else { vec![need] };
    let writes = !matches!(operation, "GetUser" | "AdminGetUser");
    Routed { writes, needs, ..Routed::new(Kind::Cognito, operation, vec![pool.to_owned()], canonical::text(body)) }
}

fn sns(request: &Request) -> Routed {
    let form = pairs(&String::from_utf8_lossy(&request.body));
    let operation = form.get("Action").cloned().unwrap_or_default();
    let arn = form.get("TopicArn").cloned().unwrap_or_default();
    // `sns:Publish` covers PublishBatch ("Actions, resources, and condition keys for Amazon SNS").
    let needs = vec![Need::new(format!("sns:{}", operation.trim_end_matches("Batch")), arn.clone())];
    let topic = arn.rsplit(':').next().unwrap_or_default().to_owned();
    let writes = operation.starts_with("Publish");
    Routed { writes, needs, ..Routed::new(Kind::Sns, &operation, vec![topic], canonical::text(&json!(form))) }
}

fn s3(http: &Request, request: S3Request) -> Routed {
    let bucket = format!("arn:aws:s3:::{}", request.bucket);
    let object = format!("{bucket}/{}", request.key);
    let need = match request.operation {
        Operation::HeadBucket => Need::new("s3:ListBucket", bucket),
        Operation::GetObject | Operation::HeadObject if request.version.is_some() => {
            Need::new("s3:GetObjectVersion", object)
        }
        Operation::GetObject | Operation::HeadObject => Need::new("s3:GetObject", object),
        Operation::PutObjectTagging => Need::new("s3:PutObjectTagging", object),
        Operation::DeleteObject => Need::new("s3:DeleteObject", object),
        Operation::AbortMultipartUpload => Need::new("s3:AbortMultipartUpload", object),
        Operation::PutObject
        | Operation::CreateMultipartUpload
        | Operation::UploadPart
        | Operation::CompleteMultipartUpload => Need::new("s3:PutObject", object),
    };
    let writes = !matches!(request.operation, Operation::HeadBucket | Operation::GetObject | Operation::HeadObject);
    let query = http.query.iter().filter(|(name, _)| !name.starts_with("X-Amz-") && *name != "x-id");
    let query: serde_json::Map<String, Value> = query.map(|(name, value)| (name.clone(), json!(value))).collect();
    let meta = http.headers.iter().filter(|(name, _)| {
        name.starts_with("x-amz-meta-")
            || matches!(name.as_str(), "range" | "content-type" | "if-match" | "if-none-match")
    });
    let meta: serde_json::Map<String, Value> = meta.map(|(name, value)| (name.clone(), json!(value))).collect();
    let asked = json!({
        "bucket": request.bucket,
        "key": request.key,
        "query": query,
        "headers": meta,
        "body": format!("{:016x}", twox_hash::XxHash3_64::oneshot(&http.body)),
    });
    let resources = vec![request.bucket.clone(), request.key.clone()];
    let operation = request.operation.name();
    let routed = Routed::new(Kind::S3(Box::new(request)), operation, resources, canonical::text(&asked));
    Routed { writes, needs: vec![need], ..routed }
}
