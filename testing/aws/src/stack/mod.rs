//! What template.yaml makes: tables, queues, topics, buckets, functions with their triggers and rights, and routes.

mod template;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::Millis;
use crate::cognito::PoolSettings;
use crate::dynamodb::schema::{IndexSchema, KeyAttribute, Projection, StreamView, TableSchema};
use crate::iam::Statement;
use crate::s3::{BucketSettings, Notification};
use crate::sns::{Subscription, TopicSettings};
use crate::sqs::QueueSettings;
use template::{Template, error};

pub use template::{Place, StackError};

/// What makes a function run.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// Messages of a queue.
    Queue {
        /// The queue's name.
        queue: String,
        /// Messages of one invocation.
        batch: usize,
        /// Does the function answer with the messages that failed?
        partial: bool,
        /// Invocations at once.
        concurrency: Option<usize>,
    },
    /// Records of a table's stream.
    Stream {
        /// The table's name.
        table: String,
        /// Records of one invocation.
        batch: usize,
        /// Is a failed batch tried again in halves?
        bisects: bool,
        /// Does the function answer with the records that failed?
        partial: bool,
        /// How often a batch is tried again; for ever, where it does not say.
        retries: Option<u32>,
        /// Older records go to the queue for failures.
        age: Option<Millis>,
        /// Patterns of `FilterCriteria`; a record that matches none is not handed over.
        filters: Vec<Json>,
        /// The name of the queue for failures.
        failures: Option<String>,
    },
    /// Time.
    Schedule {
        /// How often.
        every: Millis,
    },
}

/// A function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// The package, which is also the folder and the binary.
    pub package: String,
    /// Its name on AWS.
    pub name: String,
    /// How long an invocation may take.
    pub timeout: Millis,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// What makes it run, beside routes.
    pub triggers: Vec<Trigger>,
    /// How often an asynchronous invocation that failed is tried again.
    pub async_retries: u32,
    /// What its role allows.
    pub statements: Vec<Statement>,
}

/// A route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// In capitals.
    pub method: String,
    /// With its parameters, such as `/items/{store}/{item+}`.
    pub path: String,
    /// The package of the function that answers.
    pub function: String,
    /// May anybody call it, without a token?
    pub is_open: bool,
}

/// A stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Where it is.
    pub place: Place,
    /// Its tables by logical id.
    pub tables: BTreeMap<String, TableSchema>,
    /// Its queues by logical id.
    pub queues: BTreeMap<String, QueueSettings>,
    /// Its topics by logical id.
    pub topics: BTreeMap<String, TopicSettings>,
    /// Its buckets by logical id.
    pub buckets: BTreeMap<String, BucketSettings>,
    /// Its user pool.
    pub pool: Option<PoolSettings>,
    /// The function that the user pool asks before it takes somebody (`PreSignUp`).
    pub admits: Option<String>,
    /// Its functions by package.
    pub functions: BTreeMap<String, FunctionSpec>,
    /// The routes of its API.
    pub routes: Vec<Route>,
    /// The package of the function that verifies tokens.
    pub authorizer: Option<String>,
}

fn get<'a>(value: &'a Json, path: &str) -> Result<&'a Json, StackError> {
    value.pointer(path).ok_or_else(|| error(format!("no {path} in {value}")))
}

fn string<'a>(value: &'a Json, path: &str) -> Result<&'a str, StackError> {
    get(value, path)?.as_str().ok_or_else(|| error(format!("{path} is no text in {value}")))
}

/// A number, also one that stands in quotes.
fn number(value: &Json, path: &str) -> Option<u64> {
    let found = value.pointer(path)?;
    found.as_u64().or_else(|| found.as_str()?.parse().ok())
}

fn flag(value: &Json, path: &str) -> bool {
    value.pointer(path).is_some_and(|found| found == &Json::Bool(true) || found == "true")
}

fn array<'a>(value: &'a Json, path: &str) -> &'a [Json] {
    value.pointer(path).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// One text or several.
fn strings(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) => vec![text.clone()],
        Json::Array(all) => all.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => Vec::new(),
    }
}

/// The last part of a queue's or a topic's ARN, or the name in a table's or a function's.
fn name_in_arn(arn: &str) -> String {
    let last = arn.splitn(6, ':').last().unwrap_or_default();
    let last = last.strip_prefix("function:").unwrap_or(last);
    last.strip_prefix("table/").map_or(last, |rest| rest.split('/').next().unwrap_or(rest)).to_owned()
}

impl Stack {
    /// Reads a template with these parameters; the others have their defaults.
    ///
    /// # Errors
    /// [`StackError`], where it has something in it that is not known here.
    pub fn read(yaml: &str, parameters: &BTreeMap<String, String>) -> Result<Self, StackError> {
        Self::read_at(yaml, parameters, Place::default())
    }

    /// The same, at another place.
    ///
    /// # Errors
    /// [`StackError`].
    pub fn read_at(yaml: &str, parameters: &BTreeMap<String, String>, place: Place) -> Result<Self, StackError> {
        let template = Template::read(yaml, parameters, place.clone())?;
        let mut stack = Self {
            place,
            tables: BTreeMap::new(),
            queues: BTreeMap::new(),
            topics: BTreeMap::new(),
            buckets: BTreeMap::new(),
            pool: None,
            admits: None,
            functions: BTreeMap::new(),
            routes: Vec::new(),
            authorizer: None,
        };
        let named = |kind: &str| -> Result<Vec<(String, String, Json)>, StackError> {
            let all = template.of_type(kind)?.into_iter();
            all.map(|(logical, properties)| {
                let wrong = |cause: StackError| error(format!("{logical}: {}", cause.0));
                let properties = template.resolve(properties).map_err(wrong)?.unwrap_or_default();
                Ok((logical.to_owned(), template.name(logical)?, properties))
            })
            .collect()
        };
        for (logical, name, properties) in named("AWS::DynamoDB::Table")? {
            stack.tables.insert(logical, table(name, &properties)?);
        }
        for (logical, name, properties) in named("AWS::SQS::Queue")? {
            stack.queues.insert(logical, queue(&name, &properties)?);
        }
        for (logical, name, _) in named("AWS::SNS::Topic")? {
            let arn = stack.place.arn("sns", &name);
            stack.topics.insert(logical, TopicSettings { name, arn, subscriptions: Vec::new() });
        }
        for (logical, _, properties) in named("AWS::SNS::Subscription")? {
            if string(&properties, "/Protocol")? != "sqs" {
                continue;
            }
            let arn = string(&properties, "/TopicArn")?;
            let topic = stack.topics.values_mut().find(|topic| topic.arn == arn);
            let topic = topic.ok_or_else(|| error(format!("{logical}: no topic {arn}")))?;
            let filter = properties.get("FilterPolicy").cloned().map(serde_json::from_value).transpose();
            topic.subscriptions.push(Subscription {
                queue: name_in_arn(string(&properties, "/Endpoint")?),
                filter: filter.map_err(|cause| error(format!("{logical}: {cause}")))?,
                raw: flag(&properties, "/RawMessageDelivery"),
            });
        }
        for (logical, name, properties) in named("AWS::S3::Bucket")? {
            stack.buckets.insert(logical, bucket(name, &properties)?);
        }
        for (_, id, properties) in named("AWS::Cognito::UserPool")? {
            let clients = template.of_type("AWS::Cognito::UserPoolClient")?;
            let client = clients.first().map_or(Ok(String::new()), |(logical, _)| template.name(logical))?;
            // Without an address to verify, an administrator confirms.
            let confirms = !array(&properties, "/AutoVerifiedAttributes").is_empty();
            stack.pool = Some(PoolSettings { id, client_id: client, confirms });
            stack.admits = properties.pointer("/LambdaConfig/PreSignUp").and_then(Json::as_str).map(name_in_arn);
        }
        let roles: BTreeMap<String, Json> = named("AWS::IAM::Role")?
            .into_iter()
            .map(|(_, name, properties)| (format!("arn:aws:iam::{}:role/{name}", stack.place.account), properties))
            .collect();
        for (logical, name, properties) in named("AWS::Serverless::Function")? {
            let wrong = |cause: StackError| error(format!("{logical}: {}", cause.0));
            let function = function(name, &properties, &roles).map_err(wrong)?;
            stack.functions.insert(function.package.clone(), function);
        }
        for (_, _, properties) in named("AWS::Serverless::Api")? {
            stack.routes.extend(stack.routes_of(&properties)?);
            let authorizers = properties.pointer("/Auth/Authorizers").and_then(Json::as_object);
            let arn = authorizers.and_then(|all| all.values().next()?.get("FunctionArn")?.as_str());
            stack.authorizer = arn.and_then(|arn| stack.package(&name_in_arn(arn)));
        }
        stack.admits = stack.admits.and_then(|name| {
            stack.functions.values().find(|function| function.name == name).map(|function| function.package.clone())
        });
        Ok(stack)
    }

    fn package(&self, name: &str) -> Option<String> {
        self.functions.values().find(|function| function.name == name).map(|function| function.package.clone())
    }

    fn routes_of(&self, api: &Json) -> Result<Vec<Route>, StackError> {
        let mut routes = Vec::new();
        let paths = get(api, "/DefinitionBody/paths")?.as_object().into_iter().flatten();
        for (path, methods) in paths {
            for (method, described) in methods.as_object().into_iter().flatten() {
                let uri = string(described, "/x-amazon-apigateway-integration/uri")?;
                let named = uri.split("/functions/").nth(1).and_then(|rest| rest.split('/').next());
                let function = named.and_then(|arn| self.package(&name_in_arn(arn)));
                routes.push(Route {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    function: function.ok_or_else(|| error(format!("{method} {path}: no function")))?,
                    is_open: array(described, "/security").iter().any(|way| way.get("NONE").is_some()),
                });
            }
        }
        Ok(routes)
    }

    /// The name of a resource: a table, queue, topic or bucket by its logical id.
    #[must_use]
    pub fn name(&self, logical: &str) -> Option<&str> {
        let table = self.tables.get(logical).map(|table| table.name.as_str());
        let queue = || self.queues.get(logical).map(|queue| queue.name.as_str());
        let topic = || self.topics.get(logical).map(|topic| topic.name.as_str());
        let bucket = || self.buckets.get(logical).map(|bucket| bucket.name.as_str());
        table.or_else(queue).or_else(topic).or_else(bucket)
    }

    /// The route that a request takes, and its path parameters. A plain segment goes before a parameter.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<(&Route, BTreeMap<String, String>)> {
        let fitting = self.routes.iter().filter(|route| route.method == method);
        let fitting = fitting.filter_map(|route| Some((route, fit(&route.path, path)?)));
        fitting.min_by_key(|(route, _)| (route.path.contains("+}"), route.path.matches('{').count()))
    }
}

fn fit(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut parts = path.trim_start_matches('/').split('/');
    for wanted in pattern.trim_start_matches('/').split('/') {
        let part = parts.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if name.ends_with('+') => {
                let rest: Vec<&str> = [part].into_iter().chain(parts.by_ref()).collect();
                found.insert(name.trim_end_matches('+').to_owned(), rest.join("/"));
            }
            Some(name) => drop(found.insert(name.to_owned(), part.to_owned())),
            None if wanted == part => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(found)
}

fn table(name: String, properties: &Json) -> Result<TableSchema, StackError> {
    let key = |within: &Json, kind: &str| -> Result<Option<KeyAttribute>, StackError> {
        let found = array(within, "/KeySchema").iter().find(|key| key.get("KeyType").is_some_and(|held| held == kind));
        let Some(found) = found else { return Ok(None) };
        let attribute = string(found, "/AttributeName")?;
        let defined = array(properties, "/AttributeDefinitions").iter();
        let defined =
            defined.into_iter().find(|defined| defined.get("AttributeName").is_some_and(|held| held == attribute));
        let defined = defined.ok_or_else(|| error(format!("{name}: {attribute} has no type")))?;
        Ok(Some(KeyAttribute::new(attribute, string(defined, "/AttributeType")?)))
    };
    let no_key = || error(format!("{name}: no partition key"));
    let mut indexes = Vec::new();
    for index in array(properties, "/GlobalSecondaryIndexes") {
        let projection = match string(index, "/Projection/ProjectionType")? {
            "ALL" => Projection::All,
            "KEYS_ONLY" => Projection::KeysOnly,
            "INCLUDE" => Projection::Include(strings(get(index, "/Projection/NonKeyAttributes")?)),
            other => return Err(error(format!("{name}: projection {other}"))),
        };
        indexes.push(IndexSchema {
            name: string(index, "/IndexName")?.to_owned(),
            hash: key(index, "HASH")?.ok_or_else(no_key)?,
            range: key(index, "RANGE")?,
            projection,
        });
    }
    let stream = properties.pointer("/StreamSpecification/StreamViewType").and_then(Json::as_str);
    let time_to_live = properties.pointer("/TimeToLiveSpecification/AttributeName").and_then(Json::as_str);
    Ok(TableSchema {
        hash: key(properties, "HASH")?.ok_or_else(no_key)?,
        range: key(properties, "RANGE")?,
        indexes,
        stream: stream
            .map(|view| StreamView::parse(view).ok_or_else(|| error(format!("{name}: {view}"))))
            .transpose()?,
        time_to_live: time_to_live.map(str::to_owned),
        name,
    })
}

fn queue(name: &str, properties: &Json) -> Result<QueueSettings, StackError> {
    let defaults = QueueSettings::new(name);
    let millis = |path: &str, default: Millis| number(properties, path).map_or(default, |seconds| seconds * 1000);
    let redrive = match properties.get("RedrivePolicy") {
        Some(policy) => {
            let most = number(policy, "/maxReceiveCount").and_then(|count| u32::try_from(count).ok());
            let most = most.ok_or_else(|| error(format!("{name}: no maxReceiveCount")))?;
            Some((name_in_arn(string(policy, "/deadLetterTargetArn")?), most))
        }
        None => None,
    };
    Ok(QueueSettings {
        visibility: millis("/VisibilityTimeout", defaults.visibility),
        retention: millis("/MessageRetentionPeriod", defaults.retention),
        delay: millis("/DelaySeconds", defaults.delay),
        redrive,
        content_based_deduplication: flag(properties, "/ContentBasedDeduplication"),
        name: defaults.name,
    })
}

fn bucket(name: String, properties: &Json) -> Result<BucketSettings, StackError> {
    let mut notifications = Vec::new();
    for told in array(properties, "/NotificationConfiguration/QueueConfigurations") {
        let rule = |kind: &str| {
            let rules = array(told, "/Filter/S3Key/Rules").iter();
            let found = rules.into_iter().find(|rule| rule.get("Name").is_some_and(|name| name == kind));
            found.and_then(|rule| rule.get("Value")?.as_str()).unwrap_or_default().to_owned()
        };
        notifications.push(Notification {
            event: string(told, "/Event")?.to_owned(),
            queue: name_in_arn(string(told, "/Queue")?),
            prefix: rule("prefix"),
            suffix: rule("suffix"),
        });
    }
    let versioned = properties.pointer("/VersioningConfiguration/Status").is_some_and(|status| status == "Enabled");
    Ok(BucketSettings { name, versioned, notifications })
}

fn function(name: String, properties: &Json, roles: &BTreeMap<String, Json>) -> Result<FunctionSpec, StackError> {
    let code = string(properties, "/CodeUri")?.trim_end_matches('/');
    let package = code.rsplit('/').next().unwrap_or(code).to_owned();
    let mut environment = BTreeMap::new();
    for (name, value) in properties.pointer("/Environment/Variables").and_then(Json::as_object).into_iter().flatten() {
        environment.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let mut triggers = Vec::new();
    for event in properties.get("Events").and_then(Json::as_object).into_iter().flat_map(|all| all.values()) {
        triggers.push(trigger(event)?);
    }
    let role = string(properties, "/Role")?;
    let role = roles.get(role).ok_or_else(|| error(format!("no role {role}")))?;
    let mut statements = Vec::new();
    for policy in array(role, "/Policies") {
        for statement in array(policy, "/PolicyDocument/Statement") {
            statements.push(allowed(statement)?);
        }
    }
    let retries = number(properties, "/EventInvokeConfig/MaximumRetryAttempts").unwrap_or(2);
    Ok(FunctionSpec {
        package,
        name,
        timeout: number(properties, "/Timeout").unwrap_or(3) * 1000,
        environment,
        triggers,
        async_retries: u32::try_from(retries).unwrap_or(2),
        statements,
    })
}

fn trigger(event: &Json) -> Result<Trigger, StackError> {
    let size = |path: &str, default: u64| {
        usize::try_from(number(event, path).unwrap_or(default)).map_err(|cause| error(cause.to_string()))
    };
    let partial =
        array(event, "/Properties/FunctionResponseTypes").iter().any(|kind| kind == "ReportBatchItemFailures");
    match string(event, "/Type")? {
        "SQS" => Ok(Trigger::Queue {
            queue: name_in_arn(string(event, "/Properties/Queue")?),
            batch: size("/Properties/BatchSize", 10)?,
            partial,
            concurrency: match number(event, "/Properties/ScalingConfig/MaximumConcurrency") {
                Some(_) => Some(size("/Properties/ScalingConfig/MaximumConcurrency", 0)?),
                None => None,
            },
        }),
        "DynamoDB" => {
            let mut filters = Vec::new();
            for filter in array(event, "/Properties/FilterCriteria/Filters") {
                let pattern = serde_json::from_str(string(filter, "/Pattern")?);
                filters.push(pattern.map_err(|cause| error(cause.to_string()))?);
            }
            let failures = event.pointer("/Properties/DestinationConfig/OnFailure/Destination").and_then(Json::as_str);
            let retries = number(event, "/Properties/MaximumRetryAttempts");
            Ok(Trigger::Stream {
                table: name_in_arn(string(event, "/Properties/Stream")?),
                batch: size("/Properties/BatchSize", 100)?,
                bisects: flag(event, "/Properties/BisectBatchOnFunctionError"),
                partial,
                retries: retries.and_then(|retries| u32::try_from(retries).ok()),
                age: number(event, "/Properties/MaximumRecordAgeInSeconds").map(|seconds| seconds * 1000),
                filters,
                failures: failures.map(name_in_arn),
            })
        }
        "Schedule" => {
            let rate = string(event, "/Properties/Schedule")?;
            let every = period(rate).ok_or_else(|| error(format!("schedule {rate}")))?;
            Ok(Trigger::Schedule { every })
        }
        other => Err(error(format!("no such event here: {other}"))),
    }
}

/// `rate(5 minutes)` in milliseconds.
fn period(rate: &str) -> Option<Millis> {
    let (count, unit) = rate.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let unit = match unit.trim_end_matches('s') {
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => return None,
    };
    Some(count.parse::<Millis>().ok()? * unit)
}

fn allowed(statement: &Json) -> Result<Statement, StackError> {
    if string(statement, "/Effect")? != "Allow" {
        return Err(error(format!("a function's role denies: {statement}")));
    }
    let leading_keys = match statement.get("Condition") {
        None => None,
        Some(condition) => {
            let keys = condition.pointer("/ForAllValues:StringEquals/dynamodb:LeadingKeys");
            let is_all = condition.as_object().is_some_and(|all| all.len() == 1);
            let unknown = || error(format!("a condition that is not known here: {condition}"));
            Some(strings(keys.filter(|_| is_all).ok_or_else(unknown)?))
        }
    };
    Ok(Statement {
        actions: strings(get(statement, "/Action")?),
        resources: strings(get(statement, "/Resource")?),
        leading_keys,
    })
}

/// Does a record match a pattern of `FilterCriteria`? Lists of exact values, `exists`, `prefix` and `anything-but`, at any
/// depth ("Filter rule syntax", Lambda developer guide).
#[must_use]
pub fn pattern_matches(pattern: &Json, record: &Json) -> bool {
    let Some(pattern) = pattern.as_object() else { return false };
    pattern.iter().all(|(name, wanted)| {
        let held = record.get(name);
        match wanted {
            Json::Array(rules) => rules.iter().any(|rule| match (rule.as_object(), held) {
                (None, held) => held == Some(rule),
                (Some(rule), held) => rule.iter().all(|(kind, operand)| match (kind.as_str(), operand) {
                    ("exists", Json::Bool(exists)) => held.is_some() == *exists,
                    ("prefix", Json::String(start)) => {
                        held.and_then(Json::as_str).is_some_and(|text| text.starts_with(start.as_str()))
                    }
                    ("anything-but", Json::Array(none)) => held.is_some_and(|held| !none.contains(held)),
                    _ => false,
                }),
            }),
            Json::Object(_) => held.is_some_and(|held| pattern_matches(wanted, held)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
    })
}

#[cfg(test)]
mod tests;
