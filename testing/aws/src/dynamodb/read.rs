//! GetItem, Query, Scan and DescribeTable.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::expression::condition::Condition;
use super::expression::key::KeyRange;
use super::expression::path::{self, Path};
use super::request::{Capacity, Request, invalid};
use super::schema::{IndexSchema, Key, KeyAttribute, Partition, Projection, TableSchema};
use super::table::Stored;
use super::value::{Item, KeyValue, item_size};
use super::{Call, State, answer};
use crate::ServiceError;

/// A page ends at one megabyte, before anything is filtered out.
const PAGE_BYTES: usize = 1024 * 1024;

pub(super) fn get_item(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<Cow<'a, Item>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        consumed_capacity: Option<Capacity>,
    }
    let request = Request::read(body)?;
    let names = request.names();
    let projection = request.projection(&names)?;
    names.check_used().map_err(invalid)?;
    let table = state.table(&request.table_name)?;
    let key = table.schema.request_key(request.key.as_ref().ok_or_else(|| missing("key"))?)?;
    let found = if request.consistent_read { table.get(&key) } else { table.seen(&key, call.now) }.cloned();
    table.usage.reads += 1;
    let units = table.charge_read(found.as_deref().map_or(0, item_size), request.consistent_read);
    let item = found.as_deref().map(|item| match &projection {
        Some(paths) => Cow::Owned(path::project(item, paths)),
        None => Cow::Borrowed(item),
    });
    answer(&Answer { item, consumed_capacity: request.capacity(units) })
}

pub(super) fn missing(member: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

/// What a query or a scan does with each item, until the page is full.
struct Page<'a> {
    limit: usize,
    filter: Option<Condition>,
    projection: Option<Vec<Path>>,
    /// The attributes that make up a place to go on from.
    keys: Vec<&'a str>,
    items: Option<Vec<Cow<'a, Item>>>,
    count: usize,
    scanned: usize,
    bytes: usize,
    last: Option<Stored>,
    is_full: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<&'a Vec<Cow<'a, Item>>>,
    count: usize,
    scanned_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_key: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Capacity>,
}

impl<'a> Page<'a> {
    fn new(
        request: &Request,
        schema: &'a TableSchema,
        index: Option<&'a IndexSchema>,
        filter: Option<Condition>,
        projection: Option<Vec<Path>>,
    ) -> Result<Self, ServiceError> {
        let limit = match request.limit {
            None => usize::MAX,
            Some(limit) => usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| {
                ServiceError::validation(format!(
                    "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have \
                     value greater than or equal to 1"
                ))
            })?,
        };
        if let Some(index) = index {
            if request.consistent_read {
                let told = "Consistent reads are not supported on global secondary indexes";
                return Err(ServiceError::validation(told));
            }
            let absent = |path: &&Path| !index.holds(schema, &path.attribute);
            if let Some(path) = projection.iter().flatten().find(absent) {
                return Err(ServiceError::validation(format!(
                    "One or more parameter values were invalid: Global secondary index {} does not project [{}]",
                    index.name, path.attribute
                )));
            }
            if request.select.as_deref() == Some("ALL_ATTRIBUTES") && index.projection != Projection::All {
                return Err(ServiceError::validation(format!(
                    "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global \
                     secondary index {} because its projection type is not ALL",
                    index.name
                )));
            }
        }
        let count_only = request.select.as_deref() == Some("COUNT");
        if count_only && projection.is_some() {
            return Err(ServiceError::validation(
                "Cannot specify the ProjectionExpression when choosing to get only the Count",
            ));
        }
        let names = |keys: &'a KeyAttribute| keys.name.as_str();
        let keys = schema.keys().chain(index.into_iter().flat_map(IndexSchema::keys)).map(names).collect();
        Ok(Self {
            limit,
            filter,
            projection,
            keys,
            items: (!count_only).then(Vec::new),
            count: 0,
            scanned: 0,
            bytes: 0,
            last: None,
            is_full: false,
        })
    }

    /// Takes an item; `false` when the page is full.
    fn take(&mut self, item: &'a Stored) -> bool {
        let size = item_size(item);
        if self.scanned > 0 && self.bytes + size > PAGE_BYTES {
            self.is_full = true;
            return false;
        }
        self.scanned += 1;
        self.bytes += size;
        self.last = Some(Arc::clone(item));
        if self.filter.as_ref().is_none_or(|filter| filter.holds(item)) {
            self.count += 1;
            if let Some(items) = &mut self.items {
                items.push(match &self.projection {
                    Some(paths) => Cow::Owned(path::project(item, paths)),
                    None => Cow::Borrowed(&**item),
                });
            }
        }
        // There may be nothing behind it; DynamoDB does not look.
        self.is_full = self.scanned >= self.limit;
        !self.is_full
    }

    fn answer(&self, request: &Request, units: f64) -> Result<Vec<u8>, ServiceError> {
        let key = |item: &Stored| {
            let kept = item.iter().filter(|(name, _)| self.keys.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        answer(&PageAnswer {
            items: self.items.as_ref(),
            count: self.count,
            scanned_count: self.scanned,
            last_evaluated_key: self.last.as_ref().filter(|_| self.is_full).map(key),
            consumed_capacity: request.capacity(units),
        })
    }
}

fn read_units(bytes: usize, consistent: bool) -> f64 {
    let units = bytes.div_ceil(4096).max(1) as f64;
    if consistent { units } else { units / 2.0 }
}

/// A filter must leave the keys alone that a query goes by.
fn check_filter(filter: Option<&Condition>, keys: &[&str]) -> Result<(), ServiceError> {
    let is_key = |path: &&&Path| path.steps.is_empty() && keys.contains(&path.attribute.as_str());
    let paths = filter.map(Condition::paths).unwrap_or_default();
    match paths.iter().find(is_key) {
        Some(path) => Err(ServiceError::validation(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {}",
            path.attribute
        ))),
        None => Ok(()),
    }
}

fn no_such_index(name: &str) -> ServiceError {
    ServiceError::validation(format!("The table does not have the specified index: {name}"))
}

pub(super) fn query(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    let request = Request::read(body)?;
    let table = state.table(&request.table_name)?;
    let schema = table.schema.clone();
    let index = match &request.index_name {
        Some(name) => Some(schema.index(name).ok_or_else(|| no_such_index(name))?),
        None => None,
    };
    let (hash, range) = match index {
        Some((_, index)) => (&index.hash, index.range.as_ref()),
        None => (&schema.hash, schema.range.as_ref()),
    };
    let names = request.names();
    let text = request.key_condition_expression.as_deref().ok_or_else(|| {
        ServiceError::validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        )
    })?;
    let condition = names.condition("KeyConditionExpression", text).map_err(invalid)?;
    let wanted = KeyRange::of(&condition, &hash.name, range.map(|range| range.name.as_str())).map_err(invalid)?;
    check_types(&wanted, hash, range)?;
    let filter = request.filter_expression.as_deref();
    let filter = filter.map(|text| names.condition("FilterExpression", text)).transpose().map_err(invalid)?;
    let keys: Vec<&str> = [hash].into_iter().chain(range).map(|key| key.name.as_str()).collect();
    check_filter(filter.as_ref(), &keys)?;
    let projection = request.projection(&names)?;
    names.check_used().map_err(invalid)?;

    let partition = Partition::of(wanted.partition.clone());
    let start = match &request.exclusive_start_key {
        Some(key) => Some((schema.start_key(index.map(|(_, index)| index), key)?, key)),
        None => None,
    };
    let forward = request.scan_index_forward.unwrap_or(true);
    let mut page = Page::new(&request, &schema, index.map(|(_, index)| index), filter, projection)?;
    // Held until the answer is written, so that the items need not be copied.
    let view;
    if let Some((at, index)) = index {
        let start = start.map(|(key, item)| -> Result<_, ServiceError> {
            let sort = index.range.as_ref().and_then(|range| item.get(&range.name)).and_then(KeyValue::of);
            Ok((sort, key))
        });
        let start = start.transpose()?;
        let items = table.indexes.get_mut(at).and_then(|index| index.items(&partition, call.now));
        let within = |sort: &Option<KeyValue>| sort.as_ref().is_none_or(|sort| wanted.contains(sort));
        let place = |bound: &Bound<KeyValue>, key: Key| match bound {
            Bound::Unbounded => Bound::Unbounded,
            Bound::Included(sort) | Bound::Excluded(sort) => Bound::Included((Some(sort.clone()), key)),
        };
        let bounds = (place(&wanted.low, Key::first()), place(&wanted.high, Key::last()));
        if let Some(items) = items
            && let Some(bounds) = narrowed(bounds, start.as_ref(), forward)
        {
            let mut range = items.range(bounds);
            while let Some((place, item)) = if forward { range.next() } else { range.next_back() } {
                if within(&place.0) && !page.take(item) {
                    break;
                }
            }
        }
    } else {
        view = table.view(&partition, request.consistent_read, call.now);
        let bounds = (wanted.low.clone().map(Some), wanted.high.clone().map(Some));
        let start = start.map(|(key, _)| key.sort);
        if let Some(items) = &view
            && let Some(bounds) = narrowed(bounds, start.as_ref(), forward)
        {
            let mut range = items.range(bounds);
            while let Some((_, item)) = if forward { range.next() } else { range.next_back() } {
                if !page.take(item) {
                    break;
                }
            }
        }
    }
    let units = read_units(page.bytes, request.consistent_read);
    let answer = page.answer(&request, units);
    let table = state.table(&request.table_name)?;
    table.usage.reads += 1;
    table.usage.read_units += units;
    answer
}

/// What of a range is left behind the place where the last page ended; `None` where nothing can be in it, because a map must
/// not be asked for a range that ends before it begins.
fn narrowed<T: Ord + Clone>(
    (mut low, mut high): (Bound<T>, Bound<T>),
    start: Option<&T>,
    forward: bool,
) -> Option<(Bound<T>, Bound<T>)> {
    let behind = |bound: &Bound<T>, is_behind: fn(&T, &T) -> bool| match (bound, start) {
        (_, None) => false,
        (Bound::Unbounded, Some(_)) => true,
        (Bound::Included(bound) | Bound::Excluded(bound), Some(start)) => is_behind(start, bound),
    };
    if let Some(start) = start {
        if forward && behind(&low, |start, low| start >= low) {
            low = Bound::Excluded(start.clone());
        } else if !forward && behind(&high, |start, high| start <= high) {
            high = Bound::Excluded(start.clone());
        }
    }
    let is_empty = match (&low, &high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high))
        | (Bound::Excluded(low), Bound::Included(high)) => low >= high,
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    };
    (!is_empty).then_some((low, high))
}

fn check_types(wanted: &KeyRange, hash: &KeyAttribute, range: Option<&KeyAttribute>) -> Result<(), ServiceError> {
    let is = |value: &KeyValue, key: &KeyAttribute| value.value().kind() == key.kind;
    let bound_is = |bound: &Bound<KeyValue>| match (bound, range) {
        (Bound::Included(value) | Bound::Excluded(value), Some(range)) => is(value, range),
        _ => true,
    };
    if is(&wanted.partition, hash) && bound_is(&wanted.low) && bound_is(&wanted.high) {
        return Ok(());
    }
    let told = "One or more parameter values were invalid: Condition parameter type does not match schema type";
    Err(ServiceError::validation(told))
}

pub(super) fn scan(state: &mut State, body: &[u8], call: Call) -> Result<Vec<u8>, ServiceError> {
    let request = Request::read(body)?;
    let table = state.table(&request.table_name)?;
    let schema = table.schema.clone();
    let names = request.names();
    let filter = request.filter_expression.as_deref();
    let filter = filter.map(|text| names.condition("FilterExpression", text)).transpose().map_err(invalid)?;
    let projection = request.projection(&names)?;
    names.check_used().map_err(invalid)?;
    let index = match &request.index_name {
        Some(name) => Some(schema.index(name).ok_or_else(|| no_such_index(name))?),
        None => None,
    };
    let start = match &request.exclusive_start_key {
        Some(key) => Some(schema.start_key(index.map(|(_, index)| index), key)?),
        None => None,
    };
    let (segment, segments) = (request.segment.unwrap_or(0), request.total_segments.unwrap_or(1).max(1));
    let is_ours = |partition: &Partition| partition.spread % segments == segment;
    let mut page = Page::new(&request, &schema, index.map(|(_, index)| index), filter, projection)?;
    let view;
    if let Some((at, _)) = index {
        let shown = table.indexes.get_mut(at).ok_or_else(|| no_such_index(""))?.all(call.now);
        let all = shown.iter().filter(|(partition, _)| is_ours(partition)).flat_map(|(_, items)| items);
        // In the order of the index; a scan goes on behind the item that it ended with.
        let mut reached = start.is_none();
        for (place, item) in all {
            if !reached {
                reached = start.as_ref() == Some(&place.1);
                continue;
            }
            if !page.take(item) {
                break;
            }
        }
    } else {
        view = table.view_all(request.consistent_read, call.now);
        let first = start.as_ref().map_or(Bound::Unbounded, |key: &Key| Bound::Included(key.partition.clone()));
        'all: for (partition, items) in view.range((first, Bound::Unbounded)) {
            if !is_ours(partition) {
                continue;
            }
            let after = match &start {
                Some(key) if key.partition == *partition => Bound::Excluded(key.sort.clone()),
                _ => Bound::Unbounded,
            };
            for item in items.range((after, Bound::Unbounded)).map(|(_, item)| item) {
                if !page.take(item) {
                    break 'all;
                }
            }
        }
    }
    let units = read_units(page.bytes, request.consistent_read);
    let answer = page.answer(&request, units);
    let table = state.table(&request.table_name)?;
    table.usage.reads += 1;
    table.usage.read_units += units;
    answer
}

pub(super) fn describe(state: &mut State, body: &[u8]) -> Result<Vec<u8>, ServiceError> {
    let request = Request::read(body)?;
    let table = state.table(&request.table_name)?;
    let items: usize = table.partitions.values().map(std::collections::BTreeMap::len).sum();
    let keys: Vec<serde_json::Value> = table
        .schema
        .keys()
        .zip(["HASH", "RANGE"])
        .map(|(key, kind)| json!({"AttributeName": key.name, "KeyType": kind}))
        .collect();
    answer(&json!({"Table": {
        "TableName": table.schema.name,
        "TableStatus": "ACTIVE",
        "ItemCount": items,
        "KeySchema": keys,
    }}))
}
