//! A stack from its first deploy to its end, with `cargo xtask` itself: a second stack, beside the one that the other
//! tests use.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::stack::{root, stack};

/// There is one such stack, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Rolled back by the local stack, which does not know this attribute; what came before it was made.
const BROKEN: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Files:
    Type: AWS::S3::Bucket
    Properties: { BucketName: !Sub "${AWS::StackName}-files" }
  Pool: { Type: AWS::Cognito::UserPool, Properties: { UserPoolName: !Ref AWS::StackName } }
  Last:
    Type: AWS::SSM::Parameter
    DependsOn: Files
    Properties: { Type: String, Value: !GetAtt Pool.ProviderURL }
"#;

fn local() -> PathBuf {
    root().join("target/local")
}

/// Runs `cargo xtask` with these answers typed in: whether it succeeded, and all it said.
fn xtask(arguments: &[&str], typed: &str) -> (bool, String) {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut command = Command::new(target.join("debug/xtask"));
    command.args(arguments).current_dir(root());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("xtask is built");
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    (ended.status.success(), said)
}

/// What CloudFormation says of the second stack.
fn state() -> String {
    let mut command = Command::new(local().join("py/tools/bin/python"));
    let endpoint = stack().output("Endpoint");
    command.arg(root().join("xtask/local/lifecycle.py")).args(["state", "almacen-test"]);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("NO_PROXY", "127.0.0.1");
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    found["status"].as_str().unwrap_or("none").to_owned()
}

fn destroyed() {
    let (success, said) = xtask(&["destroy", "--env", "test", "--yes"], "");
    assert!(success || said.contains("is not deployed"), "{said}");
    assert_eq!(state(), "none");
}

#[test]
fn life_a_half_deployed_stack_is_destroyed_by_one_command() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    destroyed();
    let template = local().join("broken.yaml");
    std::fs::write(&template, BROKEN).unwrap();
    let (success, said) = xtask(&["deploy", "--env", "test", "--yes", "--template", template.to_str().unwrap()], "");
    assert!(!success, "{said}");
    assert_eq!(state(), "ROLLBACK_COMPLETE", "{said}");
    let (success, said) = xtask(&["destroy", "--env", "test", "--yes"], "");
    assert!(success, "{said}");
    assert_eq!(state(), "none");
}

#[test]
fn life_a_refused_deploy_fails_and_leaves_stack_and_page_alone() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    destroyed();
    // A first one that is refused leaves no stack.
    let (success, said) = xtask(&["deploy", "--env", "test"], "n\n");
    assert!(!success && said.contains("not deployed: the changes were refused"), "{said}");
    assert_eq!(state(), "none");

    let (success, said) = xtask(&["deploy", "--env", "test"], "y\n");
    assert!(success, "{said}");
    assert!(said.contains("a signed-in call works"), "{said}");
    let web = stack().output("WebBucket").replacen("almacen-local", "almacen-test", 1);
    let page = format!("{}/{web}/index.html", stack().output("Endpoint"));
    let shown = || stack().http("GET", &page, &[], b"").text();
    assert!(shown().contains("<html"), "{}", shown());
    stack().put_object(&web, "index.html", &[], b"as it was");
    let threshold = ["deploy", "--env", "test", "--set", "DefaultThreshold=9"];
    let (success, said) = xtask(&threshold, "n\n");
    assert!(!success, "{said}");
    assert!(said.contains(r#"DefaultThreshold: "5" becomes "9""#), "{said}");
    assert!(said.contains("not deployed: the changes were refused"), "{said}");
    assert_eq!((shown().as_str(), state().as_str()), ("as it was", "CREATE_COMPLETE"));
    // With nobody there to answer, too.
    let (success, said) = xtask(&threshold, "");
    assert!(!success, "{said}");
    assert_eq!((shown().as_str(), state().as_str()), ("as it was", "CREATE_COMPLETE"));

    let (success, said) = xtask(&["destroy", "--env", "test"], "almacen-prod\n");
    assert!(!success && said.contains("not deleted"), "{said}");
    assert!(said.contains("stock lines (InventoryTable)"), "{said}");
    assert_eq!(state(), "CREATE_COMPLETE");
    let (success, said) = xtask(&["destroy", "--env", "test"], "almacen-test\n");
    assert!(success, "{said}");
    assert_eq!(state(), "none");
}

#[test]
fn life_a_dead_letter_is_listed_shown_and_deleted() {
    let body = json!({"evento": "StockBajo", "id": format!("evt_{}", fastrand::u64(..))}).to_string();
    let sent =
        stack().sqs("SendMessage", &json!({"QueueUrl": stack().output("RestockDeadLettersUrl"), "MessageBody": body}));
    let id = sent["MessageId"].as_str().unwrap();
    let (success, said) = xtask(&["redrive", "restock"], "");
    assert!(success && said.contains(id) && said.contains("StockBajo evt_"), "{said}");
    // Listed, it is there for others at once.
    let (success, said) = xtask(&["redrive", "restock", "--show", id], "");
    assert!(success && said.contains(r#""evento": "StockBajo""#), "{said}");
    let (success, said) = xtask(&["redrive", "restock", "--delete", id], "");
    assert!(success, "{said}");
    let (success, said) = xtask(&["redrive", "restock", "--send", id], "");
    assert!(!success && said.contains("there is no message"), "{said}");
}

#[test]
fn life_the_order_of_steps() {
    let mut command = Command::new(local().join("py/tools/bin/python"));
    command.args(["-B", "-m", "unittest", "discover", "-s"]).arg(root().join("xtask/local"));
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
