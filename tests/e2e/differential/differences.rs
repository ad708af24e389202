//! The known differences between the in-memory AWS and the local stack.

use almacen_testing_aws::number::Number;
use serde_json::{Value, json};

use crate::stack::root;

use super::exchange::{Answer, Exchange, as_stored};

/// Who answers as AWS documents it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// The in-memory AWS.
    TestingAws,
    /// Nobody that is known: AWS documents neither.
    Undocumented,
}

/// A difference that is expected.
pub(super) struct Difference {
    /// Its name.
    pub(super) name: &'static str,
    /// The service.
    pub(super) service: &'static str,
    /// The operations.
    pub(super) operations: &'static str,
    /// When it shows, and what the local stack does.
    pub(super) when: &'static str,
    /// What AWS does.
    pub(super) documented: &'static str,
    /// Where that stands.
    pub(super) source: &'static str,
    /// Who is right.
    pub(super) right: Right,
    /// Is it this one?
    pub(super) applies: fn(&Exchange) -> bool,
}

const UPDATES: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html";
const OPERATORS: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html";
const RESERVED: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html";
const TYPES: &str =
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html";
const TRANSACT: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html";
const QUERY: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html";
const INDEXES: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html";
const FILTERS: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html";
const ATTRIBUTE_VALUE: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html";
const ERRORS: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html";
const SEND_MESSAGE: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html";
const CHANGE_VISIBILITY: &str =
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html";
const GET_OBJECT: &str = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html";
const HEAD_OBJECT: &str = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html";
/// Written and tested against DynamoDB itself.
const DYNALITE: &str = "https://github.com/architect/dynalite/blob/main/db/conditionParser.pegjs";
/// Tests that their authors also run against DynamoDB itself.
const TESTED_UPDATES: &str =
    "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_update_expression.py";
const TESTED_CONDITIONS: &str =
    "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_condition_expression.py";
const TESTED_RETURNS: &str = "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_returnvalues.py";
const TESTED_NUMBERS: &str = "https://github.com/scylladb/scylladb/blob/master/test/alternator/test_number.py";

/// The in-memory AWS refuses the request; the local stack does not, or looks at the condition first.
fn lax(exchange: &Exchange, told: &str) -> bool {
    let Exchange { ours, theirs, .. } = exchange;
    let refused = ours.code == "ValidationException" && ours.message.contains(told);
    let is_cancelled = matches!(
        theirs.code.as_str(),
        "ConditionalCheckFailedException" | "TransactionCanceledException" | "IdempotentParameterMismatchException"
    );
    // BatchGetItem of the local stack fails with 500 where another operation is refused.
    let is_broken = theirs.code == "InternalError" && exchange.operation == "BatchGetItem";
    refused && (theirs.is_success() || is_cancelled || is_broken)
}

/// The same in a transaction, where it is the reason for one of the writes.
fn lax_in_transaction(exchange: &Exchange, told: &str) -> bool {
    let Exchange { ours, theirs, .. } = exchange;
    exchange.operation == "TransactWriteItems"
        && ours.code == "TransactionCanceledException"
        && ours.message.contains(told)
        && (theirs.is_success() || theirs.code == "TransactionCanceledException")
}

/// Conditions and filters of a request.
fn conditions(request: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let writes = request.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let writes = writes.filter_map(Value::as_object).flat_map(|write| write.values());
    for holder in [request].into_iter().chain(writes) {
        for name in ["ConditionExpression", "FilterExpression"] {
            found.extend(holder.get(name).and_then(Value::as_str));
        }
    }
    found
}

fn writes_sets(operation: &str) -> bool {
    operation.starts_with("UpdateItem") || operation.starts_with("TransactWriteItems")
}

/// Is there a number like this, in a set or not?
fn has_number(value: &Value, is_such: &dyn Fn(&str) -> bool) -> bool {
    let such = |text: &Value| text.as_str().is_some_and(is_such);
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| match (name.as_str(), member) {
            ("N", text) => such(text),
            ("NS", Value::Array(set)) => set.iter().any(such),
            (_, member) => has_number(member, is_such),
        }),
        Value::Array(list) => list.iter().any(|member| has_number(member, is_such)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Is a number written in another way than it is stored?
fn is_unusual(text: &str) -> bool {
    text.parse::<Number>().is_ok_and(|number| number.to_string() != text)
}

/// Has a number more digits than the local stack calculates with?
fn is_long(text: &str) -> bool {
    text.len() > 28
}

/// SQS: the in-memory AWS refuses a message, alone or in a batch, for a parameter that the local stack takes.
fn refused_by_ours(exchange: &Exchange, parameter: &str) -> bool {
    let failed = |answer: &Answer| answer.body["Failed"].as_array().map_or(0, Vec::len);
    let Exchange { ours, theirs, .. } = exchange;
    let more = ours.is_success() && theirs.is_success() && failed(ours) > failed(theirs);
    let alone = ours.code == "InvalidParameterValue" && theirs.is_success() && ours.message.contains(parameter);
    alone || more && exchange.request.to_string().contains(parameter)
}

/// Each side has decided a condition in another way, or went on to an update that is wrong.
fn decided(exchange: &Exchange) -> bool {
    let decided = |answer: &Answer| {
        let update = ["The provided expression refers", "An operand in the update", "The document path provided"];
        matches!(answer.code.as_str(), "" | "ConditionalCheckFailedException" | "TransactionCanceledException")
            || update.iter().any(|start| answer.message.starts_with(start))
    };
    decided(&exchange.ours) && decided(&exchange.theirs)
}

/// Does a condition compare two attributes, or the size of one, of which one may be absent?
fn compares_attributes(condition: &str) -> bool {
    let words: Vec<&str> = condition.split([' ', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
    let is_path = |word: Option<&&str>| word.is_some_and(|word| !word.starts_with(':'));
    let compared = words.iter().enumerate().any(|(at, word)| {
        matches!(*word, "=" | "<>")
            && is_path(at.checked_sub(1).and_then(|before| words.get(before)))
            && is_path(words.get(at + 1))
    });
    compared || condition.contains("IN (") || (condition.contains("size(") && condition.contains("<>"))
}

/// All of them.
pub(super) const ALL: &[Difference] = &[
    Difference {
        name: "overlapping paths",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems, reads with a projection",
        when: "one path of an update or a projection leads through another one; the local stack takes the last one",
        documented: "ValidationException: two document paths overlap with each other",
        source: TESTED_UPDATES,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "overlap with each other"),
    },
    Difference {
        name: "clause twice",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "SET, REMOVE, ADD or DELETE stands twice in an update; the local stack carries out both",
        documented: "each action keyword can appear only once",
        source: UPDATES,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "can only be used once"),
    },
    Difference {
        name: "operand types",
        service: "dynamodb",
        operations: "all with expressions",
        when: "a value of the request has a type that the operator or function does not take; the local stack \
            lets the condition decide, or writes",
        documented: "ValidationException, whatever the item has",
        source: TESTED_CONDITIONS,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "Incorrect operand type for operator or function"),
    },
    Difference {
        name: "bounds of BETWEEN",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "both bounds are values of the request and in the wrong order or of different types; the local \
            stack finds nothing",
        documented: "ValidationException",
        source: TESTED_CONDITIONS,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "The BETWEEN operator requires"),
    },
    Difference {
        name: "reserved words",
        service: "dynamodb",
        operations: "all with expressions",
        when: "a name that is a reserved word stands in an expression as it is; the local stack takes it in some \
            places",
        documented: "a reserved word needs a placeholder",
        source: RESERVED,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "Attribute name is a reserved keyword"),
    },
    Difference {
        name: "arithmetic on other types",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "the item's attribute has a type that SET, ADD or DELETE cannot work on; the local stack leaves it \
            as it is",
        documented: "an operand in the update expression has an incorrect data type",
        source: TRANSACT,
        right: Right::TestingAws,
        applies: |exchange| {
            let told = "An operand in the update expression has an incorrect data type";
            lax(exchange, told) || lax_in_transaction(exchange, told)
        },
    },
    Difference {
        name: "paths into nothing",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "REMOVE goes into an attribute that is absent or no document; the local stack does nothing",
        documented: "the document path provided in the update expression is invalid for update",
        source: TRANSACT,
        right: Right::TestingAws,
        applies: |exchange| {
            let told = "The document path provided in the update expression is invalid for update";
            lax(exchange, told) || lax_in_transaction(exchange, told)
        },
    },
    Difference {
        name: "digits of a result",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "an operand or the sum has more than 28 digits; the local stack rounds it",
        documented: "up to 38 digits are exact, and more are an exception",
        source: TESTED_NUMBERS,
        right: Right::TestingAws,
        applies: |exchange| {
            let told = "more than 38 significant digits";
            let both = exchange.ours.is_success() && exchange.theirs.is_success();
            let rounded = both && writes_sets(&exchange.operation) && has_number(&exchange.request, &is_long);
            lax(exchange, told) || lax_in_transaction(exchange, told) || rounded
        },
    },
    Difference {
        name: "all attributes of an index",
        service: "dynamodb",
        operations: "Query, Scan",
        when: "ALL_ATTRIBUTES of an index that does not hold all; the local stack answers with what it holds",
        documented: "only attributes that are projected can be requested of a global secondary index",
        source: QUERY,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "Select type ALL_ATTRIBUTES is not supported"),
    },
    Difference {
        name: "projection of an index",
        service: "dynamodb",
        operations: "Query, Scan",
        when: "ProjectionExpression names what an index does not hold; the local stack leaves it out",
        documented: "only attributes that are projected can be requested of a global secondary index",
        source: INDEXES,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "does not project"),
    },
    Difference {
        name: "filter on an index",
        service: "dynamodb",
        operations: "Query, Scan",
        when: "FilterExpression names what an index does not hold; the local stack looks it up in the table",
        documented: "attributes that are not projected are not in the index",
        source: INDEXES,
        right: Right::TestingAws,
        applies: |exchange| {
            let is_list = exchange.ours.is_success() && exchange.theirs.is_success();
            is_list
                && matches!(exchange.text("IndexName"), "some" | "keys")
                && exchange.request.get("FilterExpression").is_some()
                && exchange.ours.body["ScannedCount"] == exchange.theirs.body["ScannedCount"]
        },
    },
    Difference {
        name: "filter on a key",
        service: "dynamodb",
        operations: "Query",
        when: "FilterExpression names a key of what is queried; the local stack filters",
        documented: "a filter expression cannot contain partition key or sort key attributes",
        source: FILTERS,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "Filter Expression can only contain non-primary key attributes"),
    },
    Difference {
        name: "nothing was there",
        service: "dynamodb",
        operations: "UpdateItem",
        when: "UPDATED_OLD or UPDATED_NEW of attributes that are absent; the local stack answers with an empty map",
        documented: "no Attributes at all",
        source: TESTED_RETURNS,
        right: Right::TestingAws,
        applies: |exchange| {
            let mut theirs = exchange.theirs.clone();
            let empty = theirs.body.as_object_mut().and_then(|body| body.remove("Attributes"));
            exchange.operation == "UpdateItem"
                && empty.as_ref().and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
                && theirs == exchange.ours
        },
    },
    Difference {
        name: "absent operands",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "`=`, `<>` or `IN` of two attributes, or `<>` of a size, where one is absent; for the local stack \
            two absent ones are equal, and what has no size is nothing",
        documented: "an absent attribute is equal to nothing, and unequal to everything",
        source: TESTED_CONDITIONS,
        right: Right::TestingAws,
        applies: |exchange| {
            decided(exchange) && conditions(&exchange.request).iter().any(|text| compares_attributes(text))
        },
    },
    Difference {
        name: "begins_with of other types",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "the attribute is neither a string nor binary; the local stack refuses the request",
        documented: "the condition does not hold",
        source: TESTED_CONDITIONS,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.theirs.message.contains("operator or function: begins_with, operand type:")
                && exchange.ours.code != "ValidationException"
        },
    },
    Difference {
        name: "numbers as written",
        service: "dynamodb",
        operations: "BatchExecuteStatement, UpdateItem, TransactWriteItems",
        when: "a number of an INSERT, or in a set, is written with an exponent or zeros at its end; the local \
            stack keeps that, and does not know the number again in a set",
        documented: "leading and trailing zeroes are trimmed",
        source: TYPES,
        right: Right::TestingAws,
        applies: |exchange| {
            let same = as_stored(&exchange.ours.body) == as_stored(&exchange.theirs.body);
            let in_set = writes_sets(&exchange.operation) && has_number(&exchange.request, &is_unusual);
            let twice = exchange.theirs.message.contains("contains duplicates");
            exchange.ours.is_success() && (exchange.theirs.is_success() && (same || in_set) || in_set && twice)
        },
    },
    Difference {
        name: "numbers of keys",
        service: "dynamodb",
        operations: "GetItem",
        when: "the number of a key is written in another way than when it was stored; the local stack finds nothing",
        documented: "leading and trailing zeroes are trimmed, so it is the same key",
        source: TYPES,
        right: Right::TestingAws,
        applies: |exchange| {
            let number = exchange.request["Key"]["at"]["N"].as_str().unwrap_or_default();
            exchange.operation == "GetItem"
                && (number.contains('E') || number.ends_with('0'))
                && exchange.ours.body.get("Item").is_some()
                && exchange.theirs.is_success()
                && exchange.theirs.body.get("Item").is_none()
        },
    },
    Difference {
        name: "syntax",
        service: "dynamodb",
        operations: "all with expressions",
        when: "an expression has a word too many or is empty; the local stack reads what it understands",
        documented: "ValidationException: syntax error, or the expression can not be empty",
        source: OPERATORS,
        right: Right::TestingAws,
        applies: |exchange| {
            lax(exchange, "Syntax error; token")
                || lax(exchange, "Invalid function name")
                || lax(exchange, "The expression can not be empty")
        },
    },
    Difference {
        name: "values of a request",
        service: "dynamodb",
        operations: "all with ExpressionAttributeValues",
        when: "a value is empty, has an unknown type, is no base64, no number or NULL: false; the local stack \
            takes it",
        documented: "each value has exactly one of the types, and NULL is true",
        source: ATTRIBUTE_VALUE,
        right: Right::TestingAws,
        applies: |exchange| {
            lax(exchange, "Supplied AttributeValue is empty")
                || lax(exchange, "Supplied AttributeValue has more than one datatypes set")
                || lax(exchange, "Invalid symbol")
                || lax(exchange, "Number overflow")
                || lax(exchange, "Number underflow")
                || lax(exchange, "cannot be converted to a numeric value")
                || lax(exchange, "set  may not be empty")
                || lax(exchange, "Null attribute value types must have the value of true")
        },
    },
    Difference {
        name: "JSON types",
        service: "dynamodb",
        operations: "all",
        when: "a member has another type than the API's; the local stack ignores it, finds another mistake, or \
            fails with 500",
        documented: "SerializationException",
        source: ERRORS,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.ours.code == "SerializationException"
                && exchange.ours.message.starts_with("invalid type")
                && exchange.theirs.code != "SerializationException"
        },
    },
    Difference {
        name: "enumerations",
        service: "dynamodb",
        operations: "writes with conditions, Query, Scan",
        when: "ReturnValuesOnConditionCheckFailure or Select has a value that there is not; the local stack \
            ignores it",
        documented: "ValidationException: member must satisfy enum value set",
        source: TESTED_RETURNS,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "Member must satisfy enum value set"),
    },
    Difference {
        name: "REMOVE of nothing",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "an update only removes attributes of an item that is absent; the local stack makes an item of the key",
        documented: "no item is made",
        source: TESTED_RETURNS,
        right: Right::TestingAws,
        applies: |exchange| {
            let member = if exchange.operation == "UpdateItem" { "Attributes" } else { "Item" };
            exchange.request.to_string().contains("\"UpdateExpression\":\"REMOVE")
                && exchange.ours.is_success()
                && exchange.ours.body.get(member).is_none()
                && exchange.theirs.body.get(member).is_some()
        },
    },
    Difference {
        name: "parts of binary values",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "contains or begins_with of binary values; the local stack compares their base64",
        documented: "binary values are compared byte by byte",
        source: OPERATORS,
        right: Right::TestingAws,
        applies: |exchange| {
            let part = |text: &&str| text.contains("contains(") || text.contains("begins_with(");
            exchange.request.to_string().contains("{\"B\":")
                && decided(exchange)
                && conditions(&exchange.request).iter().any(part)
        },
    },
    Difference {
        name: "sizes of other types",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "the size of a number, a truth value or NULL is compared; the local stack has one",
        documented: "size is of strings, binary values, sets, lists and maps",
        source: OPERATORS,
        right: Right::TestingAws,
        applies: |exchange| {
            decided(exchange) && conditions(&exchange.request).iter().any(|text| text.contains("size("))
        },
    },
    Difference {
        name: "levels of nesting",
        service: "dynamodb",
        operations: "writes",
        when: "32 lists in each other with a value in the last; the local stack counts the value as a level",
        documented: "nested attributes up to 32 levels deep",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html",
        right: Right::Undocumented,
        applies: |exchange| {
            exchange.theirs.message.contains("Nesting Levels have exceeded supported limits")
                && !exchange.ours.message.contains("Nesting Levels")
        },
    },
    Difference {
        name: "update of a key",
        service: "dynamodb",
        operations: "UpdateItem, TransactWriteItems",
        when: "an update changes a key and its condition does not hold; the local stack looks at the condition first",
        documented: "a primary key attribute cannot be updated",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html",
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "This attribute is part of the key"),
    },
    Difference {
        name: "wrong keys in a transaction",
        service: "dynamodb",
        operations: "TransactWriteItems",
        when: "a key does not match the schema or is too long; the local stack looks at conditions first, or \
            refuses the request",
        documented: "a validation error is a reason; whether conditions are looked at before is not said",
        source: TRANSACT,
        right: Right::Undocumented,
        applies: |exchange| {
            let told = [
                "has exceeded the size limit",
                "The provided key element does not match the schema",
                "cannot contain an empty string",
                "Missing the key",
                "Type mismatch for key",
            ];
            exchange.ours.code == "TransactionCanceledException"
                && !exchange.theirs.is_success()
                && told.iter().any(|told| exchange.ours.message.contains(told))
        },
    },
    Difference {
        name: "an attribute compared with itself",
        service: "dynamodb",
        operations: "all with conditions or filters",
        when: "both operands are the same attribute; the local stack refuses it of some operators only",
        documented: "the first operand must be distinct from the remaining operands",
        source: DYNALITE,
        right: Right::TestingAws,
        applies: |exchange| lax(exchange, "The first operand must be distinct from the remaining operands"),
    },
    Difference {
        name: "the same transaction again",
        service: "dynamodb",
        operations: "TransactWriteItems",
        when: "it has a token, and a number that is not written as it is stored; the local stack takes it for \
            another one",
        documented: "the same token with the same parameters succeeds without a change",
        source: TRANSACT,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.theirs.code == "IdempotentParameterMismatchException"
                && exchange.ours.is_success()
                && has_number(&exchange.request, &is_unusual)
        },
    },
    Difference {
        name: "INSERT with a wrong key of an index",
        service: "dynamodb",
        operations: "BatchExecuteStatement",
        when: "the item has a wrong type for a key of an index; the local stack writes it, or says DuplicateItem",
        documented: "an attribute that is a key of an index has the type of the key",
        source: INDEXES,
        right: Right::TestingAws,
        applies: |exchange| {
            let codes = |body: &Value| -> Vec<String> {
                let all = body["Responses"].as_array().into_iter().flatten();
                all.map(|one| one["Error"]["Code"].as_str().unwrap_or_default().to_owned()).collect()
            };
            let (ours, theirs) = (codes(&exchange.ours.body), codes(&exchange.theirs.body));
            // What was written in spite of it is there for the next statement.
            let expected = |(ours, theirs): (&String, &String)| {
                matches!(
                    (ours.as_str(), theirs.as_str()),
                    ("ValidationError", "" | "DuplicateItem") | ("", "DuplicateItem")
                )
            };
            let pairs = || ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs);
            exchange.operation == "BatchExecuteStatement"
                && pairs().any(|(ours, _)| ours == "ValidationError")
                && pairs().all(expected)
        },
    },
    Difference {
        name: "element behind the end",
        service: "dynamodb",
        operations: "UpdateItem",
        when: "UPDATED_NEW or UPDATED_OLD after SET of a list's element behind its end; the local stack answers \
            with the last element",
        documented: "the element is not returned",
        source: TESTED_RETURNS,
        right: Right::TestingAws,
        applies: |exchange| {
            let (ours, theirs) = (&exchange.ours, &exchange.theirs);
            matches!(exchange.text("ReturnValues"), "UPDATED_NEW" | "UPDATED_OLD")
                && exchange.text("UpdateExpression").contains('[')
                && ours.is_success()
                && theirs.is_success()
                && ours.body["Attributes"].get("list_of").is_none()
                && theirs.body["Attributes"].get("list_of").is_some()
        },
    },
    Difference {
        name: "wrong request about no table",
        service: "dynamodb",
        operations: "all",
        when: "the table is absent and the request is wrong too; each side says either first",
        documented: "both are errors; which comes first is not said",
        source: ERRORS,
        right: Right::Undocumented,
        applies: |exchange| {
            let mut codes = [exchange.ours.code.as_str(), exchange.theirs.code.as_str()];
            codes.sort_unstable();
            codes == ["ResourceNotFoundException", "ValidationException"]
        },
    },
    Difference {
        name: "delay of a message",
        service: "sqs",
        operations: "SendMessage, SendMessageBatch",
        when: "DelaySeconds is more than 900; the local stack takes it",
        documented: "valid values: 0 to 900",
        source: SEND_MESSAGE,
        right: Right::TestingAws,
        applies: |exchange| refused_by_ours(exchange, "DelaySeconds"),
    },
    Difference {
        name: "deduplication in a standard queue",
        service: "sqs",
        operations: "SendMessage, SendMessageBatch",
        when: "MessageDeduplicationId comes to a standard queue; the local stack takes it",
        documented: "the parameter applies only to FIFO queues",
        source: SEND_MESSAGE,
        right: Right::TestingAws,
        applies: |exchange| refused_by_ours(exchange, "MessageDeduplicationId"),
    },
    Difference {
        name: "longest visibility",
        service: "sqs",
        operations: "ChangeMessageVisibility",
        when: "VisibilityTimeout is more than 43,200; the local stack takes it, or looks at the receipt first",
        documented: "values range: 0 to 43200",
        source: CHANGE_VISIBILITY,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.request["VisibilityTimeout"].as_u64() > Some(43_200)
                && exchange.ours.code == "InvalidParameterValue"
                && exchange.ours.message.starts_with("Total VisibilityTimeout")
        },
    },
    Difference {
        name: "old receipts",
        service: "sqs",
        operations: "DeleteMessage, DeleteMessageBatch, ChangeMessageVisibility",
        when: "the message of a receipt was deleted, or received again; the local stack says that the receipt is \
            invalid",
        documented: "DeleteMessage succeeds; ChangeMessageVisibility says that the message does not exist \
            (InvalidParameterValue)",
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html",
        right: Right::TestingAws,
        applies: |exchange| {
            let Exchange { ours, theirs, .. } = exchange;
            let invalid = |answer: &Answer| {
                answer.code == "ReceiptHandleIsInvalid" || answer.body.to_string().contains("ReceiptHandleIsInvalid")
            };
            let deleted = exchange.operation.starts_with("DeleteMessage") && ours.is_success();
            let absent = ours.message.contains("Reason: Message does not exist.");
            invalid(theirs) && (deleted || absent)
        },
    },
    Difference {
        name: "visibility of a visible message",
        service: "sqs",
        operations: "ChangeMessageVisibility",
        when: "the message can already be received again; the local stack hides it",
        documented: "MessageNotInflight",
        source: CHANGE_VISIBILITY,
        right: Right::TestingAws,
        applies: |exchange| exchange.ours.code == "MessageNotInflight" && exchange.theirs.is_success(),
    },
    Difference {
        name: "content type by default",
        service: "s3",
        operations: "GetObject, HeadObject",
        when: "an object was put without a content type; the local stack answers application/octet-stream",
        documented: "binary/octet-stream",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html",
        right: Right::TestingAws,
        applies: |exchange| {
            let mut theirs = exchange.theirs.clone();
            if theirs.body["content-type"] == "application/octet-stream" {
                theirs.body["content-type"] = json!("binary/octet-stream");
            }
            theirs == exchange.ours
        },
    },
    Difference {
        name: "range of a version",
        service: "s3",
        operations: "GetObject",
        when: "a range of a named version; the local stack answers with the whole object",
        documented: "a range is of the object that is read",
        source: GET_OBJECT,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.text("request").contains("versionId=")
                && exchange.request["headers"].get("range").is_some()
                && matches!(exchange.ours.status, 206 | 416)
                && exchange.theirs.status == 200
        },
    },
    Difference {
        name: "range of nothing",
        service: "s3",
        operations: "GetObject",
        when: "the last bytes of an empty object; the local stack answers 206 with the range 0--1",
        documented: "InvalidRange: the range is not satisfiable",
        source: GET_OBJECT,
        right: Right::TestingAws,
        applies: |exchange| exchange.ours.status == 416 && exchange.theirs.body["content-range"] == "bytes 0--1/0",
    },
    Difference {
        name: "range of HEAD",
        service: "s3",
        operations: "HeadObject",
        when: "a range; the local stack ignores it",
        documented: "HeadObject takes a range; one that is not satisfiable is an error",
        source: HEAD_OBJECT,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.operation == "HeadObject"
                && exchange.request["headers"].get("range").is_some()
                && matches!(exchange.ours.status, 206 | 416)
                && exchange.theirs.status == 200
        },
    },
    Difference {
        name: "answer's headers of HEAD",
        service: "s3",
        operations: "HeadObject",
        when: "response-content-disposition; the local stack ignores it",
        documented: "HeadObject takes response-content-disposition",
        source: HEAD_OBJECT,
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.operation == "HeadObject"
                && exchange.text("request").contains("response-content-disposition=")
                && exchange.ours.body.get("content-disposition").is_some()
                && exchange.theirs.is_success()
                && exchange.theirs.body.get("content-disposition").is_none()
        },
    },
    Difference {
        name: "unit of a range",
        service: "s3",
        operations: "GetObject, HeadObject",
        when: "the range is not in bytes; the local stack refuses it",
        documented: "a server ignores a range unit that it does not know (RFC 9110, section 14.2)",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-14.2",
        right: Right::TestingAws,
        applies: |exchange| {
            exchange.request["headers"]["range"] == "lines=1-2"
                && exchange.ours.status == 200
                && exchange.theirs.status == 416
        },
    },
    Difference {
        name: "too many tags of nothing",
        service: "s3",
        operations: "PutObjectTagging",
        when: "more than ten tags for an object or a bucket that is absent; the local stack says that it is absent",
        documented: "both are errors; which comes first is not said",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html",
        right: Right::Undocumented,
        applies: |exchange| exchange.codes() == ("BadRequest", "NoSuchKey"),
    },
];

/// The document's table.
fn table() -> String {
    let mut table =
        "| difference | service | operations | when, and what the local stack does | AWS | right |\n".to_owned();
    table += "|---|---|---|---|---|---|\n";
    for known in ALL {
        let Difference { name, service, operations, when, documented, source, right, .. } = known;
        let right = match right {
            Right::TestingAws => "testing/aws",
            Right::Undocumented => "not documented",
        };
        table += &format!("| {name} | {service} | {operations} | {when} | [{documented}]({source}) | {right} |\n");
    }
    table
}

#[test]
fn the_document_has_the_known_differences() {
    let document = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.ends_with(" |") && line.contains("](http")).map(str::to_owned).collect()
    };
    let table = table();
    assert_eq!(
        rows(&document),
        rows(&table),
        "docs/reliability.md, \"Held against the local stack\", should have\n\n{table}"
    );
}

#[test]
fn every_difference_has_its_own_name_and_source() {
    let mut names: Vec<(&str, &str)> = ALL.iter().map(|known| (known.service, known.name)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len(), "two entries have one name");
    for known in ALL {
        let texts = [known.name, known.operations, known.when, known.documented];
        assert!(texts.iter().all(|text| !text.is_empty() && !text.contains('|')), "{}", known.name);
        assert!(known.source.starts_with("https://"), "{}: {}", known.name, known.source);
    }
}
