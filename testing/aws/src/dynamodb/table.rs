//! A table's items, its indexes, its stream, and what it is charged for.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::schema::{IndexSchema, Key, Partition, Projection, TableSchema};
use super::stream::{Change, StreamRecord};
use super::value::{Item, KeyValue, item_size};
use super::{Settings, Usage};
use crate::Millis;

pub(super) type Stored = Arc<Item>;
pub(super) type Partitions = BTreeMap<Partition, Sorted>;
pub(super) type Sorted = BTreeMap<Option<KeyValue>, Stored>;
/// An index's place for an item: its sort key, then the item's own key.
pub(super) type Place = (Option<KeyValue>, Key);

/// A collection is tidied up when it has more entries than this and twice those that were left the last time.
pub(super) const TIDIED_FROM: usize = 64;

/// A copy of some attributes of the items that have its keys. It follows the table with a lag.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) schema: IndexSchema,
    shown: BTreeMap<Partition, BTreeMap<Place, Stored>>,
    places: BTreeMap<Key, (Partition, Option<KeyValue>)>,
    /// What is still to be shown, by when; the number keeps the order of equal times.
    pending: BTreeMap<(Millis, u64), (Key, Option<Stored>)>,
    /// When the last change of an item is shown: changes of one item keep their order.
    last: BTreeMap<Key, Millis>,
    pub(super) units: u64,
    buckets: BTreeMap<Partition, Bucket>,
}

/// Write units that a partition key has left, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    thousandths: u64,
    at: Millis,
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) schema: Arc<TableSchema>,
    pub(super) partitions: Partitions,
    pub(super) indexes: Vec<Index>,
    /// What eventually consistent reads still see of an item, and until when.
    stale: BTreeMap<Key, VecDeque<(Millis, Option<Stored>)>>,
    /// Until when any such read sees anything older, and how many items were left when that was last tidied up.
    stale_until: Millis,
    stale_left: usize,
    pub(super) records: VecDeque<StreamRecord>,
    pub(super) usage: Usage,
    buckets: BTreeMap<Partition, Bucket>,
    /// Items that a transaction is writing, and until when.
    held: BTreeMap<Key, Millis>,
}

/// What all tables share: chance, settings and the last sequence number.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) rng: fastrand::Rng,
    pub(super) settings: Settings,
    pub(super) sequence: u64,
}

impl Common {
    fn lag(&mut self, longest: Millis) -> Millis {
        if longest == 0 { 0 } else { self.rng.u64(0..=longest) }
    }
}

impl Index {
    fn new(schema: IndexSchema) -> Self {
        Self {
            schema,
            shown: BTreeMap::new(),
            places: BTreeMap::new(),
            pending: BTreeMap::new(),
            last: BTreeMap::new(),
            units: 0,
            buckets: BTreeMap::new(),
        }
    }

    fn place(&self, item: &Item) -> Option<(Partition, Option<KeyValue>)> {
        let part = |name: &str| item.get(name).and_then(KeyValue::of);
        let sort = match &self.schema.range {
            Some(range) => Some(part(&range.name)?),
            None => None,
        };
        Some((Partition::of(part(&self.schema.hash.name)?), sort))
    }

    /// What it holds of an item; `None` for one without the index's keys, which is not in it.
    fn projected(&self, table: &TableSchema, item: &Stored) -> Option<Stored> {
        self.place(item)?;
        if self.schema.projection == Projection::All {
            return Some(Arc::clone(item));
        }
        let kept = item.iter().filter(|(name, _)| self.schema.holds(table, name));
        Some(Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    fn show(&mut self, key: Key, item: Option<Stored>) {
        if let Some((partition, sort)) = self.places.remove(&key)
            && let Some(items) = self.shown.get_mut(&partition)
        {
            items.remove(&(sort, key.clone()));
            if items.is_empty() {
                self.shown.remove(&partition);
            }
        }
        if let Some(item) = item
            && let Some((partition, sort)) = self.place(&item)
        {
            self.places.insert(key.clone(), (partition.clone(), sort.clone()));
            self.shown.entry(partition).or_default().insert((sort, key), item);
        }
    }

    /// Shows what is due.
    fn settle(&mut self, now: Millis) {
        while let Some(entry) = self.pending.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let ((at, _), (key, item)) = entry.remove_entry();
            if self.last.get(&key) == Some(&at) {
                self.last.remove(&key);
            }
            self.show(key, item);
        }
    }

    /// Write units that a change costs the index: none where nothing changes in it, one to put or delete, two to move an item
    /// ("Using Global Secondary Indexes", Write capacity units, developer guide).
    fn cost(&self, old: Option<&Stored>, new: Option<&Stored>) -> u64 {
        let units = |item: &Stored| item_size(item).div_ceil(1024).max(1) as u64;
        match (old, new) {
            (None, None) => 0,
            (Some(one), None) | (None, Some(one)) => units(one),
            (Some(old), Some(new)) if old == new => 0,
            (Some(old), Some(new)) if self.place(old) == self.place(new) => units(old).max(units(new)),
            (Some(old), Some(new)) => units(old) + units(new),
        }
    }

    fn change(&mut self, key: &Key, old: Option<&Stored>, new: Option<Stored>, now: Millis, common: &mut Common) {
        if old == new.as_ref() {
            return;
        }
        let lag = common.lag(common.settings.index_lag);
        let at = (now + lag).max(self.last.get(key).copied().unwrap_or(0));
        if at <= now && self.pending.is_empty() {
            self.show(key.clone(), new);
            return;
        }
        self.last.insert(key.clone(), at);
        self.pending.insert((at, common.sequence), (key.clone(), new));
    }

    /// The items of a partition, as the index shows them now.
    pub(super) fn items(&mut self, partition: &Partition, now: Millis) -> Option<&BTreeMap<Place, Stored>> {
        self.settle(now);
        self.shown.get(partition)
    }

    /// All items that it shows now.
    pub(super) fn all(&mut self, now: Millis) -> &BTreeMap<Partition, BTreeMap<Place, Stored>> {
        self.settle(now);
        &self.shown
    }
}

/// A second's worth of a partition's write units at most; refilled all the time.
fn admit(buckets: &mut BTreeMap<Partition, Bucket>, key: &Partition, units: u64, limit: u64, now: Millis) -> bool {
    let bucket = buckets.entry(key.clone()).or_insert(Bucket { thousandths: limit * 1000, at: now });
    // A unit a second is a thousandth a millisecond.
    let refilled = bucket.thousandths + now.saturating_sub(bucket.at) * limit;
    let filled = refilled.min(limit * 1000);
    let admitted = filled >= units * 1000;
    *bucket = Bucket { thousandths: if admitted { filled - units * 1000 } else { filled }, at: now };
    admitted
}

impl Table {
    pub(super) fn new(schema: TableSchema) -> Self {
        let indexes = schema.indexes.iter().cloned().map(Index::new).collect();
        Self {
            schema: Arc::new(schema),
            partitions: BTreeMap::new(),
            indexes,
            stale: BTreeMap::new(),
            stale_until: 0,
            stale_left: 0,
            records: VecDeque::new(),
            usage: Usage::default(),
            buckets: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// Forgets all items; not what they cost.
    pub(super) fn clear(&mut self) {
        let usage = self.usage;
        *self = Self { usage, ..Self::new((*self.schema).clone()) };
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Stored> {
        self.partitions.get(&key.partition)?.get(&key.sort)
    }

    /// As an eventually consistent read sees it.
    pub(super) fn seen(&self, key: &Key, now: Millis) -> Option<&Stored> {
        match self.stale.get(key).and_then(|all| all.iter().find(|(until, _)| *until > now)) {
            Some((_, old)) => old.as_ref(),
            None => self.get(key),
        }
    }

    fn is_stale(&self, now: Millis) -> bool {
        self.stale_until > now
    }

    /// A partition's items as a read sees them.
    pub(super) fn view(&self, partition: &Partition, consistent: bool, now: Millis) -> Option<Cow<'_, Sorted>> {
        let items = self.partitions.get(partition);
        if consistent || !self.is_stale(now) {
            return items.map(Cow::Borrowed);
        }
        let mut seen = items.cloned().unwrap_or_default();
        for key in self.stale.keys().filter(|key| key.partition == *partition) {
            match self.seen(key, now) {
                Some(item) => drop(seen.insert(key.sort.clone(), Arc::clone(item))),
                None => drop(seen.remove(&key.sort)),
            }
        }
        Some(Cow::Owned(seen))
    }

    /// All items as a read sees them.
    pub(super) fn view_all(&self, consistent: bool, now: Millis) -> Cow<'_, Partitions> {
        if consistent || !self.is_stale(now) {
            return Cow::Borrowed(&self.partitions);
        }
        let mut seen = self.partitions.clone();
        for key in self.stale.keys() {
            let items = seen.entry(key.partition.clone()).or_default();
            match self.seen(key, now) {
                Some(item) => drop(items.insert(key.sort.clone(), Arc::clone(item))),
                None => drop(items.remove(&key.sort)),
            }
        }
        Cow::Owned(seen)
    }

    /// Write units of a change, for the table itself: of the larger of the item before and after, a unit for each started
    /// kilobyte, at least one ("Read and write consumption", developer guide).
    pub(super) fn units(old: Option<&Stored>, new: Option<&Stored>) -> u64 {
        let bytes = |item: Option<&Stored>| item.map_or(0, |item| item_size(item));
        bytes(old).max(bytes(new)).div_ceil(1024).max(1) as u64
    }

    /// Write units that a change costs the indexes.
    pub(super) fn index_units(&self, old: Option<&Stored>, new: Option<&Stored>) -> u64 {
        let cost = |index: &Index| {
            let before = old.and_then(|item| index.projected(&self.schema, item));
            let after = new.and_then(|item| index.projected(&self.schema, item));
            index.cost(before.as_ref(), after.as_ref())
        };
        self.indexes.iter().map(cost).sum()
    }

    /// May a change be made now, as far as its partitions' rates go? Where not, nothing is charged.
    pub(super) fn admits(
        &mut self,
        key: &Key,
        new: Option<&Stored>,
        factor: u64,
        now: Millis,
        limit: Option<u64>,
    ) -> bool {
        let Some(limit) = limit else { return true };
        let old = self.get(key).cloned();
        let units = factor * Self::units(old.as_ref(), new);
        if !admit(&mut self.buckets, &key.partition, units, limit, now) {
            return false;
        }
        // An index that cannot keep up pushes back on the table ("GSI write throttling").
        for index in &mut self.indexes {
            let before = old.as_ref().and_then(|item| index.projected(&self.schema, item));
            let after = new.and_then(|item| index.projected(&self.schema, item));
            let units = index.cost(before.as_ref(), after.as_ref());
            let place = after.or(before).and_then(|item| index.place(&item));
            if let Some((partition, _)) = place
                && units > 0
                && !admit(&mut index.buckets, &partition, units, limit, now)
            {
                return false;
            }
        }
        true
    }

    /// Does a transaction have the item?
    pub(super) fn is_held(&self, key: &Key, now: Millis) -> bool {
        self.held.get(key).is_some_and(|until| *until > now)
    }

    /// Notes that a transaction has the item for a while.
    pub(super) fn hold(&mut self, key: &Key, now: Millis, until: Millis) {
        if until > now {
            self.held.retain(|_, until| *until > now);
            self.held.insert(key.clone(), until);
        }
    }

    /// Charges for a write that was refused by its condition: it costs what it would have cost at least.
    pub(super) fn charge_refused(&mut self, old: Option<&Stored>, factor: u64) {
        self.usage.write_units += factor * Self::units(old, None);
    }

    /// Makes a change; `None` deletes.
    pub(super) fn write(&mut self, key: &Key, new: Option<Stored>, now: Millis, factor: u64, common: &mut Common) {
        let old = self.get(key).cloned();
        self.usage.writes += 1;
        self.usage.write_units += factor * Self::units(old.as_ref(), new.as_ref());
        self.set(key, old, new, now, common, false);
    }

    /// Deletes what has expired: no write is charged, and its record names the service ("Time to Live and DynamoDB Streams").
    pub(super) fn expire(&mut self, key: &Key, now: Millis, common: &mut Common) {
        let old = self.get(key).cloned();
        self.set(key, old, None, now, common, true);
    }

    /// Makes a change without charging for it.
    pub(super) fn set(
        &mut self,
        key: &Key,
        old: Option<Stored>,
        new: Option<Stored>,
        now: Millis,
        common: &mut Common,
        by_service: bool,
    ) {
        common.sequence += 1;
        if common.settings.read_lag > 0 {
            let lag = common.lag(common.settings.read_lag);
            let all = self.stale.entry(key.clone()).or_default();
            while all.front().is_some_and(|(until, _)| *until <= now) {
                all.pop_front();
            }
            let until = all.back().map_or(0, |(until, _)| *until).max(now + lag);
            all.push_back((until, old.clone()));
            self.stale_until = self.stale_until.max(until);
            if self.stale.len() > TIDIED_FROM + 2 * self.stale_left {
                self.stale.retain(|_, all| all.back().is_some_and(|(until, _)| *until > now));
                self.stale_left = self.stale.len();
            }
        }
        for index in &mut self.indexes {
            let before = old.as_ref().and_then(|item| index.projected(&self.schema, item));
            let after = new.as_ref().and_then(|item| index.projected(&self.schema, item));
            index.units += index.cost(before.as_ref(), after.as_ref());
            index.change(key, before.as_ref(), after, now, common);
        }
        match &new {
            Some(item) => {
                let items = self.partitions.entry(key.partition.clone()).or_default();
                items.insert(key.sort.clone(), Arc::clone(item));
            }
            None => {
                if let Some(items) = self.partitions.get_mut(&key.partition) {
                    items.remove(&key.sort);
                    if items.is_empty() {
                        self.partitions.remove(&key.partition);
                    }
                }
            }
        }
        if let Some(view) = self.schema.stream
            && old != new
        {
            let change = Change { old, new, by_service };
            self.records.push_back(StreamRecord::new(&self.schema, view, common.sequence, now, change));
        }
    }

    pub(super) fn charge_read(&mut self, bytes: usize, consistent: bool) -> f64 {
        let units = bytes.div_ceil(4096).max(1) as f64;
        let units = if consistent { units } else { units / 2.0 };
        self.usage.read_units += units;
        units
    }
}
