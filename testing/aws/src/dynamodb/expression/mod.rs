//! DynamoDB's expressions: conditions, filters, key conditions, updates and projections
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>).

pub(crate) mod condition;
pub(crate) mod key;
mod parser;
pub(crate) mod path;
pub(crate) mod update;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use self::condition::Condition;
use self::parser::Parser;
use self::path::Path;
use self::update::Update;
use super::value::Value;

/// Why an expression is refused: the text of the ValidationException.
pub(crate) type Invalid = String;

/// The `#names` and `:values` of a request, and which of them its expressions use.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    names: &'a BTreeMap<String, String>,
    values: &'a BTreeMap<String, Value>,
    used: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(names: &'a BTreeMap<String, String>, values: &'a BTreeMap<String, Value>) -> Self {
        Self { names, values, used: RefCell::default() }
    }

    fn name(&self, token: &str) -> Result<&'a str, Invalid> {
        let found = self.names.get_key_value(token);
        let (key, name) = found.ok_or_else(|| {
            format!("An expression attribute name used in the document path is not defined; attribute name: {token}")
        })?;
        self.used.borrow_mut().insert(key);
        Ok(name)
    }

    fn value(&self, token: &str) -> Result<&'a Value, Invalid> {
        let found = self.values.get_key_value(token);
        let (key, value) = found.ok_or_else(|| {
            format!("An expression attribute value used in expression is not defined; attribute value: {token}")
        })?;
        self.used.borrow_mut().insert(key);
        Ok(value)
    }

    /// Everything that a request defines must be used.
    pub(crate) fn check_used(&self) -> Result<(), Invalid> {
        let used = self.used.borrow();
        let unused = |what: &str, keys: Vec<&String>| {
            let keys: Vec<&str> = keys.into_iter().map(String::as_str).filter(|key| !used.contains(key)).collect();
            if keys.is_empty() {
                return Ok(());
            }
            Err(format!("Value provided in {what} unused in expressions: keys: {{{}}}", keys.join(", ")))
        };
        unused("ExpressionAttributeNames", self.names.keys().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().collect())
    }

    /// Reads a condition; `what` names the request's field.
    pub(crate) fn condition(&self, what: &str, text: &str) -> Result<Condition, Invalid> {
        self.read(what, text, Parser::whole_condition)
    }

    /// Reads an update.
    pub(crate) fn update(&self, text: &str) -> Result<Update, Invalid> {
        self.read("UpdateExpression", text, Parser::update)
    }

    /// Reads a projection.
    pub(crate) fn projection(&self, text: &str) -> Result<Vec<Path>, Invalid> {
        self.read("ProjectionExpression", text, Parser::projection)
    }

    fn read<'p, T>(
        &'p self,
        what: &str,
        text: &'p str,
        read: impl FnOnce(&mut Parser<'p, 'a>) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        let parsed = Parser::new(text, self).and_then(|mut parser| read(&mut parser));
        parsed.map_err(|invalid| format!("Invalid {what}: {invalid}"))
    }
}

#[cfg(test)]
mod tests;
