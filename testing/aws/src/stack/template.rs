//! CloudFormation's functions: a template's values become plain ones.
//!
//! Only what template.yaml uses, in its short form (`!Ref`). A function that is not known is an error.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json, json};
use serde_yaml_ng::Value as Yaml;

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackError(pub(super) String);

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}", self.0)
    }
}

impl std::error::Error for StackError {}

pub(super) fn error(text: impl Into<String>) -> StackError {
    StackError(text.into())
}

/// Where a stack is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The stack's name.
    pub stack: String,
    /// Its region.
    pub region: String,
    /// Its account.
    pub account: String,
}

impl Default for Place {
    fn default() -> Self {
        Self { stack: "almacen".to_owned(), region: "eu-west-1".to_owned(), account: "123456789012".to_owned() }
    }
}

impl Place {
    /// The ARN of something of a service in this region and account.
    #[must_use]
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// The URL of a queue.
    #[must_use]
    pub fn queue_url(&self, queue: &str) -> String {
        format!("https://sqs.{}.amazonaws.com/{}/{queue}", self.region, self.account)
    }
}

/// A template with what it is filled in with.
pub(super) struct Template {
    pub(super) place: Place,
    parameters: BTreeMap<String, String>,
    mappings: Yaml,
    conditions: Yaml,
    resources: serde_yaml_ng::Mapping,
}

fn text(value: &Yaml) -> Result<&str, StackError> {
    value.as_str().ok_or_else(|| error(format!("a string was expected: {value:?}")))
}

fn list(value: &Yaml) -> Result<&[Yaml], StackError> {
    value.as_sequence().map(Vec::as_slice).ok_or_else(|| error(format!("a list was expected: {value:?}")))
}

fn scalar(value: &Json) -> Result<String, StackError> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(truth) => Ok(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => Err(error(format!("no text: {value}"))),
    }
}

impl Template {
    pub(super) fn read(yaml: &str, given: &BTreeMap<String, String>, place: Place) -> Result<Self, StackError> {
        let root: Yaml = serde_yaml_ng::from_str(yaml).map_err(|cause| error(cause.to_string()))?;
        let section = |name: &str| root.get(name).cloned().unwrap_or(Yaml::Null);
        let mut parameters = BTreeMap::new();
        for (name, described) in section("Parameters").as_mapping().into_iter().flatten() {
            let default = described.get("Default").and_then(|value| serde_json::to_value(value).ok());
            if let Some(default) = default {
                parameters.insert(text(name)?.to_owned(), scalar(&default)?);
            }
        }
        if let Some(unknown) = given.keys().find(|name| section("Parameters").get(name.as_str()).is_none()) {
            return Err(error(format!("no parameter {unknown}")));
        }
        parameters.extend(given.clone());
        let resources = section("Resources").as_mapping().cloned().ok_or_else(|| error("no Resources"))?;
        Ok(Self { place, parameters, mappings: section("Mappings"), conditions: section("Conditions"), resources })
    }

    /// The resources of a type whose condition holds: their logical ids and properties.
    pub(super) fn of_type(&self, kind: &str) -> Result<Vec<(&str, &Yaml)>, StackError> {
        let mut found = Vec::new();
        for (name, resource) in &self.resources {
            let name = text(name)?;
            if self.kind(name) == Some(kind) && self.exists(resource)? {
                found.push((name, resource.get("Properties").unwrap_or(&Yaml::Null)));
            }
        }
        Ok(found)
    }

    fn exists(&self, resource: &Yaml) -> Result<bool, StackError> {
        match resource.get("Condition") {
            Some(condition) => self.condition(text(condition)?),
            None => Ok(true),
        }
    }

    fn kind(&self, logical: &str) -> Option<&str> {
        self.resources.get(logical)?.get("Type")?.as_str()
    }

    fn property(&self, logical: &str, name: &str) -> Result<Option<String>, StackError> {
        let value = self.resources.get(logical).and_then(|resource| resource.get("Properties")?.get(name));
        match value {
            Some(value) => self.resolve(value)?.as_ref().map(scalar).transpose(),
            None => Ok(None),
        }
    }

    /// The name that a resource has, its own or one made of the stack's and its logical id.
    pub(super) fn name(&self, logical: &str) -> Result<String, StackError> {
        let made = || format!("{}-{logical}", self.place.stack);
        Ok(match self.kind(logical) {
            Some("AWS::Serverless::Function") => self.property(logical, "FunctionName")?.unwrap_or_else(made),
            Some("AWS::S3::Bucket") => self.property(logical, "BucketName")?.unwrap_or_else(|| made().to_lowercase()),
            Some("AWS::DynamoDB::Table") => self.property(logical, "TableName")?.unwrap_or_else(made),
            Some("AWS::SNS::Topic") => self.property(logical, "TopicName")?.unwrap_or_else(made),
            Some("AWS::SQS::Queue") => match self.property(logical, "QueueName")? {
                Some(name) => name,
                None if self.property(logical, "FifoQueue")?.as_deref() == Some("true") => made() + ".fifo",
                None => made(),
            },
            Some("AWS::Cognito::UserPool") => format!("{}_{}", self.place.region, made().replace('-', "")),
            Some("AWS::Cognito::UserPoolClient") => made().replace('-', "").to_lowercase(),
            Some(_) | None => made(),
        })
    }

    fn reference(&self, name: &str) -> Result<Option<String>, StackError> {
        let place = &self.place;
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => place.stack.clone(),
            "AWS::Region" => place.region.clone(),
            "AWS::AccountId" => place.account.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::StackId" => {
                place.arn("cloudformation", &format!("stack/{}/5d1a3c2e-0000-4000-8000-000000000001", place.stack))
            }
            _ => match (self.parameters.get(name), self.kind(name)) {
                (Some(value), _) => value.clone(),
                (None, Some("AWS::SQS::Queue")) => place.queue_url(&self.name(name)?),
                (None, Some("AWS::SNS::Topic")) => place.arn("sns", &self.name(name)?),
                (None, Some(_)) => self.name(name)?,
                (None, None) => return Err(error(format!("!Ref {name}: there is no such thing"))),
            },
        }))
    }

    fn attribute(&self, path: &str) -> Result<String, StackError> {
        let (logical, attribute) = path.split_once('.').ok_or_else(|| error(format!("!GetAtt {path}")))?;
        let kind = self.kind(logical).ok_or_else(|| error(format!("!GetAtt {path}: there is no such thing")))?;
        let (place, name) = (&self.place, self.name(logical)?);
        Ok(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => place.arn("dynamodb", &format!("table/{name}")),
            ("AWS::DynamoDB::Table", "StreamArn") => place.arn("dynamodb", &format!("table/{name}/stream/1")),
            ("AWS::SQS::Queue", "Arn") => place.arn("sqs", &name),
            ("AWS::SNS::Topic", "TopicArn") => place.arn("sns", &name),
            ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
            ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{}.amazonaws.com", place.region),
            ("AWS::Serverless::Function", "Arn") => place.arn("lambda", &format!("function:{name}")),
            ("AWS::Cognito::UserPool", "Arn") => place.arn("cognito-idp", &format!("userpool/{name}")),
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{}:role/{name}", place.account),
            ("AWS::Logs::LogGroup", "Arn") => place.arn("logs", &format!("log-group:{name}:*")),
            ("AWS::CloudFront::Distribution", "DomainName") => "shop.cloudfront.net".to_owned(),
            (_, "QueueName" | "TopicName") => name,
            _ => format!("{name}.{attribute}"),
        })
    }

    fn condition(&self, name: &str) -> Result<bool, StackError> {
        let condition = self.conditions.get(name).ok_or_else(|| error(format!("no condition {name}")))?;
        self.truth(condition)
    }

    fn truth(&self, condition: &Yaml) -> Result<bool, StackError> {
        let Yaml::Tagged(tagged) = condition else { return Err(error(format!("no condition: {condition:?}"))) };
        let value = &tagged.value;
        let tag = tagged.tag.to_string();
        match tag.as_str() {
            "!Condition" => self.condition(text(value)?),
            "!Not" => list(value)?.first().map_or(Err(error("!Not of nothing")), |inner| self.truth(inner).map(|t| !t)),
            "!And" => list(value)?.iter().try_fold(true, |all, inner| Ok(all & self.truth(inner)?)),
            "!Or" => list(value)?.iter().try_fold(false, |any, inner| Ok(any | self.truth(inner)?)),
            "!Equals" => match list(value)? {
                [one, two] => Ok(self.needed(one)? == self.needed(two)?),
                _ => Err(error("!Equals takes two")),
            },
            other => Err(error(format!("{other} is no condition"))),
        }
    }

    /// A value that must be there, as text.
    pub(super) fn needed(&self, value: &Yaml) -> Result<String, StackError> {
        self.resolve(value)?.as_ref().map_or(Err(error("AWS::NoValue where a value is needed")), scalar)
    }

    /// A plain value; `None` for `AWS::NoValue`, which takes away what holds it.
    pub(super) fn resolve(&self, value: &Yaml) -> Result<Option<Json>, StackError> {
        Ok(Some(match value {
            Yaml::Null => Json::Null,
            Yaml::Bool(truth) => json!(truth),
            Yaml::String(text) => json!(text),
            Yaml::Number(_) => serde_json::to_value(value).map_err(|cause| error(cause.to_string()))?,
            Yaml::Sequence(all) => {
                let all = all.iter().filter_map(|value| self.resolve(value).transpose());
                Json::Array(all.collect::<Result<Vec<Json>, StackError>>()?)
            }
            Yaml::Mapping(all) => {
                let mut map = Map::new();
                for (name, value) in all {
                    if let Some(value) = self.resolve(value)? {
                        map.insert(self.needed(name)?, value);
                    }
                }
                Json::Object(map)
            }
            Yaml::Tagged(tagged) => return self.function(&tagged.tag.to_string(), &tagged.value),
        }))
    }

    fn function(&self, tag: &str, value: &Yaml) -> Result<Option<Json>, StackError> {
        Ok(Some(match (tag, value) {
            ("!Ref", name) => return Ok(self.reference(text(name)?)?.map(Json::String)),
            ("!GetAtt", path) => json!(self.attribute(text(path)?)?),
            ("!Sub", pattern) => json!(self.substitute(text(pattern)?)?),
            ("!If", Yaml::Sequence(all)) => match all.as_slice() {
                [condition, one, two] => {
                    return self.resolve(if self.condition(text(condition)?)? { one } else { two });
                }
                _ => return Err(error("!If takes three")),
            },
            ("!FindInMap", Yaml::Sequence(all)) => {
                let mut found = &self.mappings;
                for name in all {
                    let name = self.needed(name)?;
                    found = found.get(name.as_str()).ok_or_else(|| error(format!("!FindInMap: no {name}")))?;
                }
                return self.resolve(found);
            }
            ("!Join", Yaml::Sequence(all)) => match all.as_slice() {
                [separator, parts] => {
                    let parts = self.resolve(parts)?.unwrap_or_default();
                    let parts: Vec<String> =
                        parts.as_array().into_iter().flatten().map(scalar).collect::<Result<_, _>>()?;
                    json!(parts.join(text(separator)?))
                }
                _ => return Err(error("!Join takes two")),
            },
            ("!Split", Yaml::Sequence(all)) => match all.as_slice() {
                [separator, whole] => json!(self.needed(whole)?.split(text(separator)?).collect::<Vec<&str>>()),
                _ => return Err(error("!Split takes two")),
            },
            ("!Select", Yaml::Sequence(all)) => match all.as_slice() {
                [at, parts] => {
                    let at: usize = self.needed(at)?.parse().map_err(|_| error("!Select: no number"))?;
                    let parts = self.resolve(parts)?.unwrap_or_default();
                    parts.get(at).cloned().ok_or_else(|| error("!Select: out of range"))?
                }
                _ => return Err(error("!Select takes two")),
            },
            _ => return Err(error(format!("{tag} is not known here"))),
        }))
    }

    fn substitute(&self, pattern: &str) -> Result<String, StackError> {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| error(format!("!Sub {pattern}")))?;
            out.push_str(before);
            let value = if name.contains('.') { Some(self.attribute(name)?) } else { self.reference(name)? };
            out.push_str(&value.ok_or_else(|| error(format!("!Sub {pattern}: AWS::NoValue")))?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}
