//! Requests as API Gateway hands them to a function.

use serde_json::{Map, Value, json};

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum As {
    /// Nobody: no token.
    Nobody,
    /// A customer of this id.
    Customer(&'static str),
    /// An operator.
    Operator,
    /// An administrator.
    Admin,
}

impl As {
    fn authorizer(self) -> Value {
        match self {
            Self::Nobody => Value::Null,
            Self::Customer(id) => json!({"usuarioId": id, "rol": "cliente"}),
            Self::Operator => json!({"usuarioId": "operator-1", "rol": "operador"}),
            Self::Admin => json!({"usuarioId": "admin-1", "rol": "admin"}),
        }
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Request {
    event: Value,
}

impl Request {
    /// `resource` as the template spells it, such as `/items/{store}/{item+}`; `parameters` fill in what is in braces, in order.
    #[must_use]
    pub fn new(caller: As, method: &str, resource: &str, parameters: &[&str]) -> Self {
        let (mut path, mut named, mut rest) = (String::new(), Map::new(), parameters.iter());
        for segment in resource.split('/').skip(1) {
            path.push('/');
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    let value = rest.next().copied().unwrap_or_default();
                    path.push_str(value);
                    named.insert(name.trim_end_matches('+').to_owned(), json!(value));
                }
                None => path.push_str(segment),
            }
        }
        let event = json!({
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": {"accept-language": "en"},
            "queryStringParameters": null,
            "pathParameters": named,
            "requestContext": {"requestId": "", "apiId": "sim", "path": path, "authorizer": caller.authorizer()},
            "body": null,
            "isBase64Encoded": false,
        });
        Self { event }
    }

    /// With a JSON body.
    #[must_use]
    pub fn body(mut self, body: &Value) -> Self {
        self.event["body"] = json!(body.to_string());
        self.header("content-type", "application/json")
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = json!(value);
        self
    }

    /// With a parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if self.event["queryStringParameters"].is_null() {
            self.event["queryStringParameters"] = json!({});
        }
        self.event["queryStringParameters"][name] = json!(value);
        self
    }

    /// Method and resource.
    #[must_use]
    pub fn route(&self) -> (&str, &str) {
        let text = |name: &str| self.event.get(name).and_then(Value::as_str).unwrap_or_default();
        (text("httpMethod"), text("resource"))
    }

    /// The event, under an id of the gateway's.
    #[must_use]
    pub fn event(mut self, id: &str) -> Value {
        self.event["requestContext"]["requestId"] = json!(id);
        self.event
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Map<String, Value>,
    /// The body, `null` where it is empty or no JSON.
    pub body: Value,
}

impl Reply {
    /// From what the function answered.
    #[must_use]
    pub fn read(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            status: u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?,
            headers: answer.get("headers").and_then(Value::as_object).cloned().unwrap_or_default(),
            body: serde_json::from_str(body).unwrap_or_default(),
        })
    }
}
