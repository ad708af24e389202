//! What AWS wants of the template and the local stack lets pass. Each test names the document that it is taken from.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("template.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_mapping().into_iter().flat_map(Mapping::iter).map(|(key, value)| (key.as_str().unwrap(), value))
}

/// Name and properties of all resources of a type.
fn all<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let found: BTreeMap<&str, &Value> = entries(&template["Resources"])
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name, &resource["Properties"]))
        .collect();
    assert!(!found.is_empty(), "template.yaml has no {kind}");
    found
}

/// The value with the template's short forms written out: `!Ref A` → `Ref A`, `!If [c, a, b]` → `If [c,a,b]`.
fn plain(value: &Value) -> String {
    match value {
        Value::Tagged(tagged) => format!("{} {}", tagged.tag.to_string().trim_start_matches('!'), plain(&tagged.value)),
        Value::Sequence(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(",")),
        Value::Mapping(_) => {
            format!(
                "{{{}}}",
                entries(value).map(|(name, value)| format!("{name}:{}", plain(value))).collect::<Vec<_>>().join(",")
            )
        }
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => String::new(),
    }
}

/// The statements of a policy, those under a condition too.
fn statements(policy: &Value) -> Vec<Value> {
    policy["PolicyDocument"]["Statement"]
        .as_sequence()
        .unwrap()
        .iter()
        .flat_map(|one| {
            if let Value::Tagged(tagged) = one {
                tagged.value.as_sequence().unwrap()[1..].to_vec()
            } else {
                vec![one.clone()]
            }
        })
        .filter(Value::is_mapping)
        .collect()
}

/// Seconds in each environment: a number, or one from a mapping by environment.
fn seconds(template: &Value, value: &Value) -> BTreeMap<String, u64> {
    let environments = ["local", "dev", "staging", "prod"];
    let of = |environment: &str| {
        let mapped = if let Value::Tagged(tagged) = value { tagged.value.as_sequence() } else { None };
        let number = match mapped {
            Some(path) => {
                assert_eq!(plain(&path[1]), "Ref Environment");
                &template["Mappings"][path[0].as_str().unwrap()][environment][path[2].as_str().unwrap()]
            }
            None => value,
        };
        number.as_u64().unwrap_or_else(|| panic!("no number of seconds: {}", plain(number)))
    };
    environments.into_iter().map(|environment| (environment.to_owned(), of(environment))).collect()
}

/// Function → event source mapping, of those that a queue calls.
fn queue_readers(template: &Value) -> Vec<(&str, &Value, &Value)> {
    let functions = all(template, "AWS::Serverless::Function");
    let mut found = Vec::new();
    for (name, function) in functions {
        for (_, event) in entries(&function["Events"]) {
            if event["Type"] == "SQS" {
                found.push((name, function, &event["Properties"]));
            }
        }
    }
    assert!(found.len() >= 4, "queues that call functions were not found");
    found
}

fn queue_of(event: &Value) -> String {
    plain(&event["Queue"]).trim_start_matches("GetAtt ").trim_end_matches(".Arn").to_owned()
}

/// SNS keeps one policy a topic and refuses one that names another topic: "Amazon SNS access policy language", and
/// AWS::SNS::TopicPolicy in the CloudFormation reference.
#[test]
fn a_topic_has_a_policy_of_its_own() {
    let template = template();
    let mut named = Vec::new();
    for (name, policy) in all(&template, "AWS::SNS::TopicPolicy") {
        let topics = policy["Topics"].as_sequence().unwrap();
        assert_eq!(topics.len(), 1, "template.yaml: {name} is for {} topics", topics.len());
        let topic = plain(&topics[0]);
        for statement in statements(policy) {
            assert_eq!(plain(&statement["Resource"]), topic, "template.yaml: {name} speaks of another topic");
        }
        named.push(topic);
    }
    named.sort();
    assert_eq!(named, ["Ref AlertsTopic", "Ref EventsTopic", "Ref OperationsTopic"]);
}

/// Functions behind the API end their work half a second before Lambda would (`Http::answer`), and these two without the SDK:
/// one asks nobody, the other has limits of its own, which are added up below.
const WITHOUT_THE_SDK: [&str; 2] = ["admit-user", "authorize"];

fn source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The number that a constant of a source is made of.
fn constant(source: &str, name: &str) -> u64 {
    let line = source.lines().find(|line| line.contains(&format!("const {name}: ")));
    let number =
        line.and_then(|line| line.split_once(" = ")).map(|(_, value)| value.trim_start_matches("Duration::from_secs("));
    number
        .and_then(|number| number.trim_end_matches([';', ')']).parse().ok())
        .unwrap_or_else(|| panic!("{name}: no number: {line:?}"))
}

/// Lambda ends a function at its timeout ("Configure Lambda function timeout"). A call has failed with all its tries before
/// that, so that its error is logged.
#[test]
fn a_call_with_all_its_tries_fits_into_its_function() {
    let template = template();
    let operation = constant(&source("shared/aws-client/src/lib.rs"), "OPERATION_TIMEOUT");
    let keys = source("shared/identity/src/keys.rs");
    let keys = constant(&keys, "TRY_WITHIN") * constant(&keys, "TRIES");
    let mut bounded = 0;
    for (name, function) in all(&template, "AWS::Serverless::Function") {
        let folder = plain(&function["CodeUri"]);
        let package = folder.trim_end_matches('/').rsplit('/').next().unwrap();
        let lib = source(&format!("functions/{package}/src/lib.rs"));
        // `almacen_lambda_kit::http` ends the work of such a function before its time is up.
        let limit = if lib.contains("impl HttpFunction for ") {
            bounded += 1;
            continue;
        } else if WITHOUT_THE_SDK.contains(&package) {
            let manifest = source(&format!("functions/{package}/Cargo.toml"));
            let mut ours = manifest.lines().filter(|line| line.starts_with("almacen-") || line.starts_with("aws-"));
            let harmless = [
                "almacen-aws-client.",
                "almacen-clock.",
                "almacen-domain.",
                "almacen-lambda-kit.",
                "almacen-identity.",
            ];
            assert!(
                ours.all(|line| harmless.iter().any(|name| line.starts_with(name))),
                "functions/{package} may call AWS by the SDK"
            );
            let code = source(&format!("functions/{package}/src/main.rs")) + &lib;
            for used in code.split("almacen_identity::").skip(1) {
                let module = used.split("::").next().unwrap();
                assert!(["keys", "token"].contains(&module), "functions/{package}: {module} may call Cognito");
            }
            if package == "authorize" { keys } else { 0 }
        } else {
            operation
        };
        // The local stack ends imports sooner, so that one that stops is seen sooner.
        for (environment, timeout) in
            seconds(&template, &function["Timeout"]).into_iter().filter(|(name, _)| name != "local")
        {
            assert!(
                timeout > limit,
                "template.yaml: {name} in {environment} has {timeout} s, a call may take {limit} s"
            );
        }
    }
    assert!(bounded >= 7, "only {bounded} functions end their work by their deadline");
}

/// "Set the source queue's visibility timeout to six times the function timeout": Lambda developer guide, "Creating and
/// configuring an Amazon SQS event source mapping". Retention: a dead letter keeps the time at which it was first sent
/// ("Using dead-letter queues in Amazon SQS"), so it must be kept for longer than its queue keeps a message.
#[test]
fn a_message_is_hidden_and_kept_for_long_enough() {
    let template = template();
    let queues = all(&template, "AWS::SQS::Queue");
    for (name, function, event) in queue_readers(&template) {
        let queue = queues[queue_of(event).as_str()];
        let (timeout, hidden) =
            (seconds(&template, &function["Timeout"]), seconds(&template, &queue["VisibilityTimeout"]));
        for (environment, timeout) in timeout {
            assert!(hidden[&environment] >= 6 * timeout, "template.yaml: {name} in {environment}: 6 × {timeout} s");
        }
        assert!(queue["RedrivePolicy"].is_mapping(), "template.yaml: the queue of {name} has no dead letters");
    }
    for (name, queue) in &queues {
        let kept = queue["MessageRetentionPeriod"].as_u64().unwrap();
        let days = if queue.get("RedrivePolicy").is_some() { 4 } else { 14 };
        assert_eq!(kept, days * 86_400, "template.yaml: {name} keeps its messages for {kept} s");
    }
}

/// A new account may run ten functions at once, and a queue's reader cannot be bounded below two ("Configuring scaling
/// behavior for SQS event source mappings").
#[test]
fn queues_leave_an_account_room_for_the_api() {
    let template = template();
    let caps: Vec<u64> = queue_readers(&template)
        .into_iter()
        .map(|(name, _, event)| {
            let cap = event["ScalingConfig"]["MaximumConcurrency"].as_u64();
            let cap = cap.unwrap_or_else(|| panic!("template.yaml: {name} has no MaximumConcurrency"));
            assert!(cap >= 2, "template.yaml: {name}: {cap} is refused, two at least");
            cap
        })
        .collect();
    assert!(caps.iter().sum::<u64>() <= 15, "all readers of queues together: {caps:?}");
}

/// An AWS owned key costs nothing, `alias/aws/…` and a key of one's own cost requests ("DynamoDB encryption at rest:
/// key types"; "Encryption at rest in Amazon SQS").
#[test]
fn tables_queues_and_topics_are_encrypted_with_keys_of_aws_or_the_one_that_is_named() {
    let template = template();
    for (name, table) in all(&template, "AWS::DynamoDB::Table") {
        assert_eq!(
            plain(&table["SSESpecification"]),
            "If [HasKmsKey,{SSEEnabled:true,SSEType:KMS,KMSMasterKeyId:Ref KmsKeyArn},Ref AWS::NoValue]",
            "template.yaml: {name}"
        );
    }
    for (name, queue) in all(&template, "AWS::SQS::Queue") {
        let (own, named) = (plain(&queue["SqsManagedSseEnabled"]), plain(&queue["KmsMasterKeyId"]));
        assert_eq!(own, "If [HasKmsKey,Ref AWS::NoValue,true]", "template.yaml: {name}");
        assert_eq!(named, "If [HasKmsKey,Ref KmsKeyArn,Ref AWS::NoValue]", "template.yaml: {name}");
    }
    for (name, topic) in all(&template, "AWS::SNS::Topic") {
        // CloudWatch's alarms may not use alias/aws/sns: "Amazon SNS: configuring CloudWatch alarms for encrypted topics".
        let without = if name == "OperationsTopic" { "Ref AWS::NoValue" } else { "alias/aws/sns" };
        assert_eq!(
            plain(&topic["KmsMasterKeyId"]),
            format!("If [HasKmsKey,Ref KmsKeyArn,{without}]"),
            "template.yaml: {name}"
        );
    }
    for (name, role) in all(&template, "AWS::IAM::Role") {
        let shared = plain(&role["ManagedPolicyArns"]);
        assert!(
            name == "ApiLogsRole" || shared.contains("If [HasKmsKey,Ref UseKmsKey,Ref AWS::NoValue]"),
            "template.yaml: {name} could not use the key"
        );
    }
}

/// A token's user may change what `WriteAttributes` names, and all standard attributes where it is missing; and an address
/// without `AttributesRequireVerificationBeforeUpdate` changes at once (Cognito API reference, CreateUserPoolClient and
/// UserAttributeUpdateSettingsType).
#[test]
fn users_change_their_address_alone_and_only_to_one_that_is_theirs() {
    let template = template();
    let pool = all(&template, "AWS::Cognito::UserPool")["UserPool"];
    assert_eq!(pool["UserPoolTier"], "LITE");
    assert_eq!(
        plain(&pool["UserAttributeUpdateSettings"]),
        "If [ConfirmedByAdmin,Ref AWS::NoValue,{AttributesRequireVerificationBeforeUpdate:[email]}]"
    );
    let client = all(&template, "AWS::Cognito::UserPoolClient")["UserPoolClient"];
    assert_eq!(plain(&client["WriteAttributes"]), "[email]");
}

/// A deployment is a picture of the API; SAM makes a new one where the template's text has changed, not where a parameter
/// has ("AlwaysDeploy" of AWS::Serverless::Api).
#[test]
fn a_changed_parameter_of_the_api_reaches_its_stage() {
    let template = template();
    let api = all(&template, "AWS::Serverless::Api")["Api"];
    assert_eq!(api["AlwaysDeploy"], true);
    // And who names the usage-plan key is said twice, because an import of a body may put it back to the header.
    assert_eq!(api["ApiKeySourceType"], "AUTHORIZER");
    assert_eq!(api["DefinitionBody"]["x-amazon-apigateway-api-key-source"], "AUTHORIZER");
}

/// Detailed metrics are paid for by the method; the API's own come without them ("Amazon API Gateway metrics").
#[test]
fn no_method_has_paid_metrics() {
    let template = template();
    let api = all(&template, "AWS::Serverless::Api")["Api"];
    for settings in api["MethodSettings"].as_sequence().unwrap() {
        assert!(settings.get("MetricsEnabled").is_none(), "template.yaml: {}", plain(settings));
    }
}

/// What imports keep while they work outlives every message that could still want it: 14 days among the dead letters, and
/// four in the queue that it is put back into.
#[test]
fn intermediate_results_go_and_nobody_is_shown_them() {
    let template = template();
    let rules = plain(&all(&template, "AWS::S3::Bucket")["ReportsBucket"]["LifecycleConfiguration"]);
    assert!(rules.contains("{Id:intermediate-results,Status:Enabled,Prefix:work/,ExpirationInDays:35}"), "{rules}");
    for (name, role) in all(&template, "AWS::IAM::Role") {
        let work = plain(&role["Policies"]).contains("ReportsBucket.Arn}/work/");
        let all = plain(&role["Policies"]).contains("Sub ${ReportsBucket.Arn}/*");
        assert_eq!(work, name.starts_with("Ingest"), "template.yaml: {name} and work/ of ReportsBucket");
        assert!(!all, "template.yaml: {name} may reach all of ReportsBucket");
    }
}

/// A reader of a queue receives, deletes and asks for attributes, no more: "Configuring Amazon SQS event source mappings:
/// execution role permissions".
#[test]
fn no_role_changes_how_long_a_message_is_hidden() {
    let template = template();
    for (name, role) in all(&template, "AWS::IAM::Role") {
        assert!(!plain(&role["Policies"]).contains("ChangeMessageVisibility"), "template.yaml: {name}");
    }
}

/// The local stack speaks plain HTTP and enforces policies.
#[test]
fn what_forbids_plain_http_stands_on_aws_alone() {
    let template = template();
    let mut seen = 0;
    for (name, resource) in entries(&template["Resources"]) {
        let text = plain(&resource["Properties"]);
        if !text.contains("aws:SecureTransport") {
            continue;
        }
        seen += 1;
        let conditional = resource["Condition"] == "OnAws" || text.contains("If [OnAws,{Sid:TlsOnly");
        assert!(conditional, "template.yaml: {name} forbids plain HTTP, and the local stack speaks nothing else");
    }
    assert!(seen >= 8, "all buckets and two topics, not {seen}");
}

/// SNS delivers to the subscriptions that are there when a message is published. An update makes resources in any order that
/// `DependsOn` leaves open ("DependsOn attribute", CloudFormation user guide), so a relay that is updated before a new
/// subscription is made would publish events past it.
#[test]
fn the_relay_waits_for_every_subscription_of_its_topic() {
    let template = template();
    let subscriptions: Vec<String> = all(&template, "AWS::SNS::Subscription")
        .into_iter()
        .filter(|(_, subscription)| plain(&subscription["TopicArn"]) == "Ref EventsTopic")
        .map(|(name, _)| name.to_owned())
        .collect();
    let relay = &template["Resources"]["RelayEventsFunction"]["DependsOn"];
    let mut waits: Vec<String> = relay.as_sequence().unwrap().iter().map(plain).collect();
    waits.sort();
    assert_eq!(waits, subscriptions, "template.yaml: DependsOn of RelayEventsFunction");
}
