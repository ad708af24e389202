//! One stored item: its JSON as it came, its key and its size. Kept as text, a million lines fit in a few hundred
//! megabytes, and a page of them is a copy.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::expression::Attributes;

/// The members of a JSON object, in order, their values unread.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A JSON text, borrowed where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Seen)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    members.push((name.0, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Seen)
    }
}

impl<'a> Members<'a> {
    /// Reads an object.
    pub(crate) fn of(json: &'a str) -> Result<Self> {
        serde_json::from_str(json).context("not an object")
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }
}

/// The text of a key attribute: every base key here is of type `S`.
pub(crate) fn key_text(value: &RawValue) -> Result<String> {
    #[derive(Deserialize)]
    struct S {
        #[serde(rename = "S")]
        s: String,
    }
    Ok(serde_json::from_str::<S>(value.get()).context("a key must be of type S")?.s)
}

/// Bytes that DynamoDB counts for an attribute's value, nearly.
fn value_size(value: &RawValue) -> usize {
    let json = value.get();
    match json.as_bytes().get(2) {
        // {"S":"…"}
        Some(b'S') => json.len().saturating_sub(8),
        Some(b'N') => json.len().saturating_sub(8).div_ceil(2) + 1,
        Some(b'B') => 1,
        _ => json.len(),
    }
}

/// An item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    json: Box<str>,
    size: u32,
    /// Its attributes, once a query of an index has asked for them: it looks at every item of a table.
    read: OnceLock<Box<Attributes>>,
}

impl Item {
    /// An item with its partition and sort key; the sort key of a table without one is empty.
    pub(crate) fn read(json: &str, hash: &str, range: &str) -> Result<(String, String, Self)> {
        let members = Members::of(json)?;
        let mut size = 0;
        let (mut partition, mut sort) = (None, None);
        for (name, value) in &members.0 {
            size += name.len() + value_size(value);
            if name == hash {
                partition = Some(key_text(value)?);
            } else if name == range {
                sort = Some(key_text(value)?);
            }
        }
        let partition = partition.with_context(|| format!("item without {hash}"))?;
        let sort = match sort {
            Some(sort) => sort,
            None if range.is_empty() => String::new(),
            None => bail!("item without {range}"),
        };
        if partition.is_empty() || (sort.is_empty() && !range.is_empty()) {
            bail!("a key is empty");
        }
        Ok((partition, sort, Self { json: json.into(), size: u32::try_from(size)?, read: OnceLock::new() }))
    }

    /// From attributes.
    pub(crate) fn of(attributes: &Attributes, hash: &str, range: &str) -> Result<(String, String, Self)> {
        Self::read(&serde_json::to_string(attributes)?, hash, range)
    }

    /// As it came.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// Bytes that DynamoDB counts for it, nearly.
    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    /// Its attributes, kept for the next time.
    pub(crate) fn kept_attributes(&self) -> Result<&Attributes> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = Box::new(self.attributes()?);
        Ok(self.read.get_or_init(|| read))
    }

    /// Its attributes.
    pub(crate) fn attributes(&self) -> Result<Attributes> {
        Ok(serde_json::from_str(&self.json)?)
    }

    /// Writes only these attributes, as JSON.
    pub(crate) fn project(&self, names: &[String], out: &mut String) -> Result<()> {
        let members = Members::of(&self.json)?;
        out.push('{');
        let mut first = true;
        for (name, value) in &members.0 {
            if names.iter().any(|wanted| wanted == name) {
                if !first {
                    out.push(',');
                }
                first = false;
                out.push_str(&serde_json::to_string(name)?);
                out.push(':');
                out.push_str(value.get());
            }
        }
        out.push('}');
        Ok(())
    }
}
