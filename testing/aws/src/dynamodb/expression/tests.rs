use super::*;
use crate::dynamodb::value::Item;

fn item(text: &str) -> Item {
    serde_json::from_str(text).unwrap()
}

fn names() -> BTreeMap<String, String> {
    [("#source".to_owned(), "source".to_owned())].into()
}

fn values() -> BTreeMap<String, Value> {
    serde_json::from_str(
        r#"{":n":{"N":"7"},":k":{"S":"k"},":zero":{"N":"0"},":tenth":{"N":"0.1"},":s":{"SS":["a","b"]},":l":{"L":[{"N":"9"}]},
            ":t":{"S":"N"},":true":{"BOOL":true},":e":{"S":""},":b":{"B":"AQI="},":big":{"N":"9007199254740993"},":m":{"M":{}}}"#,
    )
    .unwrap()
}

const LINE: &str = r#"{"sku":{"S":"a"},"n":{"N":"10"},"source":{"S":"k"},"els":{"L":[{"N":"7"},{"M":{"x":{"S":"y"}}}]},
    "doc":{"M":{"deep":{"N":"1"}}},"tags":{"SS":["k","z"]},"bin":{"B":"AQID"},"huge":{"N":"9007199254740992"},"nothing":{"NULL":true}}"#;

fn holds(expression: &str) -> Result<bool, Invalid> {
    let (names, values) = (names(), values());
    Ok(Names::new(&names, &values).condition("ConditionExpression", expression)?.holds(&item(LINE)))
}

#[test]
fn conditions() {
    for (expression, expected) in [
        ("attribute_exists(sku) AND n > :n", true),
        ("attribute_not_exists(sku) OR n BETWEEN :zero AND :n", false),
        ("NOT (#source <> :k) and n >= :n", true),
        // A comparison with what is not there fails, except `<>`.
        ("absent < :n", false),
        ("absent = :n", false),
        ("absent <> :n", true),
        ("NOT absent = :n", true),
        ("absent IN (:n, :k)", false),
        // Values of two types are never equal, and have no order.
        ("n = :k", false),
        ("n <> :k", true),
        ("sku < :n", false),
        ("begins_with(#source, :k)", true),
        ("begins_with(n, :k)", false),
        ("begins_with(bin, :b)", true),
        ("n IN (:zero, :n)", false),
        ("#source IN (:zero, :k)", true),
        ("n = :n OR n > :n AND n < :zero", false),
        ("(n = :n OR n > :n) AND n > :zero", true),
        ("els[0] = :n", true),
        ("els[1].x <> :n", true),
        ("els[5] = :n", false),
        ("attribute_exists(doc.deep) AND attribute_not_exists(doc.far)", true),
        ("doc.deep > :tenth", true),
        ("attribute_type(n, :t)", true),
        ("attribute_type(sku, :t)", false),
        ("contains(tags, :k)", true),
        ("contains(els, :n)", true),
        ("contains(#source, :k)", true),
        ("contains(bin, :b)", true),
        ("contains(n, :n)", false),
        ("size(els) < :n AND size(#source) > :zero AND size(tags) > :zero", true),
        ("size(n) > :zero", false),
        // Beyond what a float holds.
        ("huge < :big", true),
        ("huge = :big", false),
        ("tags = :s", false),
        ("n BETWEEN :tenth AND :big", true),
    ] {
        assert_eq!(holds(expression), Ok(expected), "{expression}");
    }
}

#[test]
fn conditions_that_are_refused() {
    for (expression, told) in [
        ("a = :unknown", "attribute value: :unknown"),
        ("#unknown = :n", "attribute name: #unknown"),
        ("a = :n )", "Syntax error"),
        ("a = ", "<EOF>"),
        ("a == :n", "Syntax error"),
        ("a = :n AND", "<EOF>"),
        ("(a = :n", "Syntax error"),
        ("((a = :n))", "redundant parentheses"),
        ("name = :k", "reserved keyword: name"),
        ("a.status = :k", "reserved keyword: status"),
        ("exists(a)", "Invalid function name; function: exists"),
        ("a > :true", "operand type: BOOL"),
        ("a BETWEEN :n AND :zero", "upper bound"),
        ("a BETWEEN :n AND :k", "same data type"),
        ("begins_with(a, :n)", "operand type: N"),
        ("attribute_type(a, :k)", "Invalid attribute type name"),
        ("a[x] = :n", "Syntax error"),
        ("a = 7", "Syntax error"),
        ("", "can not be empty"),
        ("a = 'x'", "Syntax error"),
        ("a = a", "must be distinct"),
        ("NOT a <> a", "must be distinct"),
        ("contains(a, a)", "must be distinct"),
    ] {
        let refused = holds(expression).unwrap_err();
        assert!(
            refused.starts_with("Invalid ConditionExpression: ") && refused.contains(told),
            "{expression}: {refused}"
        );
    }
    assert!(holds("((a = :n) OR (a = :k))").is_ok(), "two groups in one are not redundant");
    assert!(holds("a = n").is_ok(), "two attributes can be compared");
}

#[test]
fn everything_defined_is_used() {
    let (names, values) = (names(), serde_json::from_str(r#"{":n":{"N":"7"}}"#).unwrap());
    let request = Names::new(&names, &values);
    request.condition("ConditionExpression", "a = :n").unwrap();
    assert_eq!(
        request.check_used(),
        Err("Value provided in ExpressionAttributeNames unused in expressions: keys: {#source}".to_owned())
    );
    request.projection("#source").unwrap();
    assert_eq!(request.check_used(), Ok(()));
}

fn updated(held: &str, expression: &str) -> Result<Item, Invalid> {
    let (names, values) = (names(), values());
    let mut changed = item(held);
    Names::new(&names, &values).update(expression)?.apply(&mut changed)?;
    Ok(changed)
}

#[test]
fn updates() {
    for (held, expression, expected) in [
        (
            r#"{"n":{"N":"10"},"gone":{"S":"x"}}"#,
            "SET n = n - :n, made = if_not_exists(made, :zero) + :n, #source = :k REMOVE gone ADD hits :n",
            r#"{"n":{"N":"3"},"made":{"N":"7"},"source":{"S":"k"},"hits":{"N":"7"}}"#,
        ),
        // Every operand sees the item as it was.
        (r#"{"a":{"N":"1"},"b":{"N":"2"}}"#, "SET a = b, b = a", r#"{"a":{"N":"2"},"b":{"N":"1"}}"#),
        (r#"{"a":{"N":"0.2"}}"#, "SET a = a + :tenth", r#"{"a":{"N":"0.3"}}"#),
        (r#"{"a":{"N":"-9007199254740993"}}"#, "ADD a :big", r#"{"a":{"N":"0"}}"#),
        (r#"{"l":{"L":[{"N":"1"}]}}"#, "SET l = list_append(l, :l)", r#"{"l":{"L":[{"N":"1"},{"N":"9"}]}}"#),
        ("{}", "SET l = list_append(if_not_exists(l, :l), :l)", r#"{"l":{"L":[{"N":"9"},{"N":"9"}]}}"#),
        (r#"{"d":{"M":{"a":{"N":"1"}}}}"#, "SET d.b = :n REMOVE d.a", r#"{"d":{"M":{"b":{"N":"7"}}}}"#),
        (r#"{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}"#, "REMOVE l[0], l[1]", r#"{"l":{"L":[{"N":"3"}]}}"#),
        (r#"{"l":{"L":[{"N":"1"}]}}"#, "SET l[9] = :n", r#"{"l":{"L":[{"N":"1"},{"N":"7"}]}}"#),
        (r#"{"s":{"SS":["a","c"]}}"#, "ADD s :s", r#"{"s":{"SS":["a","b","c"]}}"#),
        (r#"{"s":{"SS":["a","c"]}}"#, "DELETE s :s", r#"{"s":{"SS":["c"]}}"#),
        // A set that becomes empty is gone.
        (r#"{"s":{"SS":["a"]}}"#, "DELETE s :s, t :s", "{}"),
        ("{}", "REMOVE absent", "{}"),
    ] {
        assert_eq!(updated(held, expression), Ok(item(expected)), "{expression}");
    }
}

#[test]
fn updates_that_are_refused() {
    for (held, expression, told) in [
        ("{}", "SET a = b", "does not exist in the item"),
        ("{}", "SET a = a + :n", "does not exist in the item"),
        (r#"{"a":{"S":"x"}}"#, "SET a = a + :n", "incorrect data type"),
        (r#"{"a":{"S":"x"}}"#, "ADD a :n", "incorrect data type"),
        ("{}", "SET d.a = :n", "invalid for update"),
        ("{}", "REMOVE d.a", "invalid for update"),
        ("{}", "SET a = :n, a = :k", "Two document paths overlap"),
        ("{}", "SET d = :m REMOVE d.a", "Two document paths overlap"),
        ("{}", "SET a = :n SET b = :n", "can only be used once"),
        ("{}", "ADD a :k", "operand type: S"),
        ("{}", "DELETE a :n", "operand type: N"),
        ("{}", "PUT a = :n", "Syntax error"),
        ("{}", "SET a = :n,", "Syntax error"),
        ("{}", "SET state = :n", "reserved keyword: state"),
    ] {
        let refused = updated(held, expression).unwrap_err();
        assert!(refused.contains(told), "{expression}: {refused}");
    }
}

#[test]
fn projections() {
    let (names, values) = (names(), BTreeMap::new());
    let request = Names::new(&names, &values);
    let taken = |text: &str| path::project(&item(LINE), &request.projection(text).unwrap());
    assert_eq!(taken("sku, #source, absent"), item(r#"{"sku":{"S":"a"},"source":{"S":"k"}}"#));
    assert_eq!(taken("els[1].x, doc"), item(r#"{"els":{"L":[{"M":{"x":{"S":"y"}}}]},"doc":{"M":{"deep":{"N":"1"}}}}"#));
    assert!(request.projection("a, a").is_err() && request.projection("a, a.b").is_err());
}

#[test]
fn key_conditions() {
    use crate::dynamodb::value::KeyValue;
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let (names, values) = (names(), values());
    let request = Names::new(&names, &values);
    let range = |text: &str| {
        let condition = request.condition("KeyConditionExpression", text)?;
        key::KeyRange::of(&condition, "source", Some("sort"))
    };
    let k = || KeyValue::S("k".to_owned());
    let found = range("#source = :k AND sort BETWEEN :k AND :k").unwrap();
    assert_eq!((found.partition, found.low, found.high), (k(), Included(k()), Included(k())));
    let found = range("begins_with(sort, :k) AND #source = :k").unwrap();
    assert_eq!((found.low, found.high), (Included(k()), Excluded(KeyValue::S("l".to_owned()))));
    let found = range("#source = :k").unwrap();
    assert_eq!((found.low, found.high), (Unbounded, Unbounded));
    let found = range("#source = :k AND sort > :n").unwrap();
    assert_eq!(found.low, Excluded(KeyValue::N(7.into())));
    for text in [
        "sort = :k",
        "#source > :k",
        "#source = :k OR sort = :k",
        "#source = :k AND other = :k",
        "#source = :k AND sort <> :k",
        "#source = :k AND sort = :k AND sort = :n",
        "#source = :e",
        "#source = :true",
        "#source = sort",
        "#source = :k AND NOT sort = :k",
    ] {
        assert!(range(text).is_err(), "{text}");
    }
}
