//! The running stack, and plain calls of its services.
//!
//! No SDK here: the local stack takes unsigned calls and only reads the service's name from them. So these tests
//! compile in seconds, share no code with what they test, and cannot reach any real account.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};

/// How long one call may take; the stack is one process on a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything but what RFC 3986 never needs encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let encoded = utf8_percent_encode(text, SEGMENT).to_string();
    // As segments of their own, dots would be resolved away.
    if encoded.bytes().all(|b| b == b'.') { encoded.replace('.', "%2E") } else { encoded }
}

/// The local stack that `cargo xtask up` left running.
#[derive(Debug)]
pub(crate) struct Stack {
    outputs: Value,
    agent: Agent,
}

/// The stack; fails the test with what to do where there is none.
pub(crate) fn stack() -> &'static Stack {
    static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
    match STACK.get_or_init(Stack::open) {
        Ok(stack) => stack,
        Err(problem) => {
            panic!("{problem}\nStart the local stack with `cargo xtask up`, or run `cargo xtask test e2e`.")
        }
    }
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Stack {
    fn open() -> Result<Self, String> {
        let file =
            std::env::var_os("ALMACEN_OUTPUTS").map_or_else(|| root().join("target/local/outputs.json"), PathBuf::from);
        let text = fs::read_to_string(&file).map_err(|error| format!("no local stack: {}: {error}", file.display()))?;
        let outputs: Value =
            serde_json::from_str(&text).map_err(|error| format!("no local stack: {}: {error}", file.display()))?;
        let config =
            Agent::config_builder().http_status_as_error(false).proxy(None).timeout_global(Some(CALL_TIMEOUT)).build();
        let stack = Self { outputs, agent: config.into() };
        let health = format!("{}/_ministack/health", stack.output("Endpoint"));
        match stack.agent.get(&health).call() {
            Ok(answer) if answer.status() == 200 => Ok(stack),
            Ok(answer) => Err(format!("the local stack is not well: {health} answered {}", answer.status())),
            Err(error) => Err(format!("the local stack does not run: {health}: {error}")),
        }
    }

    /// One of the stack's outputs.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap_or_else(|| panic!("target/local/outputs.json has no {name}"))
    }

    /// Port of the stack on this machine.
    pub(crate) fn port(&self) -> u64 {
        self.outputs["Port"].as_u64().expect("outputs have a port")
    }

    /// User name and password of a demo user.
    pub(crate) fn user(&self, role: &str) -> (String, String) {
        let user = &self.outputs["Users"][role];
        let of = |name: &str| user[name].as_str().unwrap_or_else(|| panic!("no user {role}")).to_owned();
        (of("username"), of("password"))
    }

    /// What the names of everything deployed begin with.
    pub(crate) fn name(&self) -> &str {
        self.output("InventoryTable").split("-InventoryTable").next().unwrap()
    }

    /// Any HTTP call.
    pub(crate) fn http(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let config = self.agent.configure_request(request).allow_non_standard_methods(true).build();
        let answer = if body.is_empty() && matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE") {
            self.agent.run(config.map(|_| ()))
        } else {
            self.agent.run(config)
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.body_mut().with_config().limit(256 * 1024 * 1024).read_to_vec();
        Answer { status, headers, bytes: bytes.unwrap_or_else(|error| panic!("{method} {url}: {error}")) }
    }

    pub(crate) fn scope(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    /// A call of a service that speaks JSON: `DynamoDB_20120810.GetItem`.
    fn target(&self, service: &str, target: &str, body: &Value) -> Value {
        let answer = self.try_target(service, target, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.text());
        if answer.bytes.is_empty() { Value::Null } else { answer.json() }
    }

    /// A call of a service that speaks JSON, whatever comes of it.
    pub(crate) fn try_target(&self, service: &str, target: &str, body: &[u8]) -> Answer {
        let scope = Self::scope(service);
        let headers =
            [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0"), ("authorization", &*scope)];
        self.http("POST", &format!("{}/", self.output("Endpoint")), &headers, body)
    }

    /// DynamoDB.
    pub(crate) fn dynamodb(&self, action: &str, body: &Value) -> Value {
        self.target("dynamodb", &format!("DynamoDB_20120810.{action}"), body)
    }

    /// What a function has logged about `id` since `since_ms`: its lines of JSON.
    pub(crate) fn logged_about(&self, function: &str, id: &str, since_ms: i64) -> Vec<Value> {
        let group = format!("/aws/lambda/{}-{function}", self.name());
        let mut found = Vec::new();
        let mut next = Value::Null;
        loop {
            let mut ask = json!({"logGroupName": group, "startTime": since_ms, "filterPattern": format!("\"{id}\"")});
            if next.is_string() {
                ask["nextToken"] = next;
            }
            let page = self.target("logs", "Logs_20140328.FilterLogEvents", &ask);
            let events = page["events"].as_array().cloned().unwrap_or_default();
            let lines = events.iter().filter_map(|event| event["message"].as_str()).filter(|line| line.contains(id));
            found.extend(lines.filter_map(|line| serde_json::from_str(line).ok()));
            next = page["nextToken"].clone();
            if !next.is_string() {
                return found;
            }
        }
    }

    /// SQS.
    pub(crate) fn sqs(&self, action: &str, body: &Value) -> Value {
        self.target("sqs", &format!("AmazonSQS.{action}"), body)
    }

    /// Cognito's user pools.
    pub(crate) fn cognito(&self, action: &str, body: &Value) -> Value {
        self.target("cognito-idp", &format!("AWSCognitoIdentityProviderService.{action}"), body)
    }

    /// What API Gateway says about itself.
    pub(crate) fn api_gateway(&self, path: &str) -> Value {
        let scope = Self::scope("apigateway");
        let url = format!("{}{path}", self.output("Endpoint"));
        let answer = self.http("GET", &url, &[("authorization", &*scope)], b"");
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    /// What API Gateway makes of a JSON body.
    pub(crate) fn api_gateway_post(&self, path: &str, body: &Value) -> Value {
        let scope = Self::scope("apigateway");
        let url = format!("{}{path}", self.output("Endpoint"));
        let headers = [("authorization", &*scope), ("content-type", "application/json")];
        let answer = self.http("POST", &url, &headers, body.to_string().as_bytes());
        assert_eq!(answer.status, 201, "POST {path}: {}", answer.text());
        answer.json()
    }

    /// A call of a service that speaks forms and answers XML.
    fn form(&self, service: &str, version: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in parameters {
            form.push_str(&format!("&{name}={}", segment(value)));
        }
        let scope = Self::scope(service);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*scope)];
        let answer = self.http("POST", &format!("{}/", self.output("Endpoint")), &headers, form.as_bytes());
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
        answer.text()
    }

    /// SNS; the text of the one element asked for.
    pub(crate) fn sns(&self, action: &str, parameters: &[(&str, &str)], element: &str) -> String {
        let text = self.form("sns", "2010-03-31", action, parameters);
        let inner = text.split(&format!("<{element}>")).nth(1).and_then(|rest| rest.split("</").next());
        inner.unwrap_or_default().to_owned()
    }

    /// IAM; its whole answer.
    pub(crate) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.form("iam", "2010-05-08", action, parameters)
    }

    /// Lambda: any path, with a body unless that is null.
    pub(crate) fn lambda(&self, method: &str, path: &str, body: &Value) -> Value {
        let scope = Self::scope("lambda");
        let headers = [("content-type", "application/json"), ("authorization", &*scope)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.http(method, &format!("{}{path}", self.output("Endpoint")), &headers, body.as_bytes());
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text());
        if answer.bytes.is_empty() { Value::Null } else { answer.json() }
    }

    /// The ARN of the role of a function of this stack.
    pub(crate) fn role(&self, function: &str) -> String {
        let about = self.lambda("GET", &format!("/2015-03-31/functions/{}-{function}", self.name()), &Value::Null);
        about["Configuration"]["Role"].as_str().expect("a role").to_owned()
    }

    /// Invokes a function of this stack and waits for its answer: the body, and whether it is an error.
    pub(crate) fn invoke(&self, function: &str, event: &Value) -> (Value, bool) {
        let url = format!("{}/2015-03-31/functions/{}-{function}/invocations", self.output("Endpoint"), self.name());
        let scope = Self::scope("lambda");
        let headers = [("content-type", "application/json"), ("authorization", &*scope)];
        let answer = self.http("POST", &url, &headers, event.to_string().as_bytes());
        assert_eq!(answer.status, 200, "invoke {function}: {}", answer.text());
        (answer.json(), !answer.header("x-amz-function-error").is_empty())
    }

    /// Invokes a function in a process that has just started. A version of its own has processes of its own.
    pub(crate) fn invoke_anew(&self, function: &str, event: &Value) -> Value {
        let function = format!("{}/2015-03-31/functions/{}-{function}", self.output("Endpoint"), self.name());
        let scope = Self::scope("lambda");
        let headers = [("content-type", "application/json"), ("authorization", &*scope)];
        let published = self.http("POST", &format!("{function}/versions"), &headers, b"{}");
        assert_eq!(published.status, 201, "publish {function}: {}", published.text());
        let version = published.json()["Version"].as_str().expect("a version").to_owned();
        let url = format!("{function}/invocations?Qualifier={version}");
        let answer = self.http("POST", &url, &headers, event.to_string().as_bytes());
        let removed = self.http("DELETE", &format!("{function}?Qualifier={version}"), &headers, b"");
        assert_eq!(removed.status, 204, "remove {function}: {}", removed.text());
        assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, ""), "{}", answer.text());
        answer.json()
    }

    fn object_url(&self, bucket: &str, key: &str) -> String {
        let path: Vec<String> = key.split('/').map(segment).collect();
        format!("{}/{bucket}/{}", self.output("Endpoint"), path.join("/"))
    }

    /// Puts an object; its version, where the bucket keeps them.
    pub(crate) fn put_object(&self, bucket: &str, key: &str, metadata: &[(&str, &str)], body: &[u8]) -> String {
        let scope = Self::scope("s3");
        let names: Vec<String> = metadata.iter().map(|(name, _)| format!("x-amz-meta-{name}")).collect();
        let mut headers = vec![("authorization", &*scope)];
        headers.extend(names.iter().zip(metadata).map(|(name, (_, value))| (name.as_str(), *value)));
        let answer = self.http("PUT", &self.object_url(bucket, key), &headers, body);
        assert_eq!(answer.status, 200, "PUT {bucket}/{key}: {}", answer.text());
        answer.header("x-amz-version-id").to_owned()
    }

    /// What an object says of itself in this header.
    pub(crate) fn object_header(&self, bucket: &str, key: &str, name: &str) -> String {
        let scope = Self::scope("s3");
        let answer = self.http("GET", &self.object_url(bucket, key), &[("authorization", &*scope)], b"");
        assert_eq!(answer.status, 200, "GET {bucket}/{key}: {}", answer.text());
        answer.header(name).to_owned()
    }

    /// Deletes an object.
    pub(crate) fn delete_object(&self, bucket: &str, key: &str, version: &str) {
        let scope = Self::scope("s3");
        let url = format!("{}?versionId={version}", self.object_url(bucket, key));
        let answer = self.http("DELETE", &url, &[("authorization", &*scope)], b"");
        assert!(answer.status < 300, "DELETE {bucket}/{key}: {}", answer.text());
    }

    /// Makes a bucket that keeps versions, tells nobody of its objects, and lets the imports read them.
    pub(crate) fn make_bucket(&self, bucket: &str) {
        let scope = Self::scope("s3");
        let url = format!("{}/{bucket}", self.output("Endpoint"));
        let made = self.http("PUT", &url, &[("authorization", &*scope)], b"");
        assert!(made.status == 200 || made.status == 409, "PUT {bucket}: {}", made.text());
        let versioned = self.http(
            "PUT",
            &format!("{url}?versioning"),
            &[("authorization", &*scope)],
            b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        );
        assert_eq!(versioned.status, 200, "PUT {bucket}?versioning: {}", versioned.text());
        // The functions' roles know only the stack's own buckets.
        let readers = ["ingest-inventory", "ingest-range", "close-imports"].map(|function| self.role(function));
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": readers},
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"],
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]}]});
        let opened =
            self.http("PUT", &format!("{url}?policy"), &[("authorization", &*scope)], policy.to_string().as_bytes());
        assert!(opened.status < 300, "PUT {bucket}?policy: {}", opened.text());
    }

    /// Sends a message.
    pub(crate) fn send(&self, queue_url: &str, body: &str) {
        self.sqs("SendMessage", &json!({"QueueUrl": queue_url, "MessageBody": body}));
    }
}
