//! What must be known of a file before anything of it is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::duplicates::{Duplicate, Duplicates, Together};
use crate::hash;
use crate::layout::{Layout, Position, RecordAt};
use crate::limits::{DUPLICATES_MAX, OPEN_QUOTES_MAX, PART_BYTES, PART_ROWS, PARTITION_ROWS, ROWS_MAX, STORES_MAX};
use crate::problem::FileProblem;
use crate::reader::{Encoding, Event, Reader};
use crate::reason::Reason;
use almacen_domain::kernel::name::StoreId;
use almacen_domain::stock::COUNT_MAX;
use almacen_domain::stock::import::Mode;

/// A stretch of a file that can be read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where its first record begins: what [`crate::Reader::new`] takes.
    pub start: Position,
    /// Offset after its last record: read the bytes `start.offset..end`.
    pub end: u64,
    /// How many events a reader gives for it.
    pub rows: u64,
}

/// What is known of a file before anything of it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How its letters are written.
    pub encoding: Encoding,
    /// Rows in all, good and bad; a wide row once for each location it names.
    pub rows: u64,
    /// How many of them are bad in themselves (contradicting ones not counted).
    pub rejected: u64,
    /// Every store that good rows name, in order of name, with how many rows.
    pub stores: Vec<(StoreId, u64)>,
    /// The file cut at record boundaries, in order. None where there are no rows.
    pub parts: Vec<Part>,
    /// Which lines repeat or contradict each other.
    pub duplicates: Duplicates,
}

/// What a pass over the file is to find out. The first finds out nearly all; a further one is needed
///
/// - where the guess of the encoding was wrong: once more from the beginning,
/// - where there are more rows than hashes fit in memory: for the hashes that did not,
/// - where hashes occurred twice: to see what their lines say.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    size_hint: u64,
    step: Pass,
    /// What the passes before found.
    so_far: SoFar,
}

#[derive(Debug)]
enum Pass {
    /// Everything, with this encoding; `None` where it is to be guessed.
    All(Option<Encoding>),
    /// The hashes from here on.
    MoreHashes(u64),
    /// What the lines say whose hashes occurred twice.
    Compare,
}

#[derive(Debug, Default)]
struct SoFar {
    encoding: Encoding,
    rows: u64,
    rejected: u64,
    stores: BTreeMap<String, u64>,
    parts: Vec<Part>,
    suspects: HashSet<u64>,
}

impl Plan {
    /// The first pass. `size_hint` is the size of the file in bytes, or a guess; it decides only how much memory is taken
    /// at once. `seed` goes into the hashes: any number that whoever wrote the file cannot know.
    #[must_use]
    pub fn first(size_hint: u64, seed: u64) -> Self {
        Self { seed, size_hint, step: Pass::All(None), so_far: SoFar::default() }
    }
}

/// What a pass found.
#[derive(Debug)]
pub enum Surveyed {
    /// Read the same bytes once more with this plan. Files without duplicates and with at most
    /// [`PARTITION_ROWS`] rows never need it, unless their encoding was guessed wrong.
    Again(Plan),
    /// All is known.
    Done(Report),
}

/// Reads a whole file once before anything is written.
///
/// ```text
/// let mut plan = Plan::first(size, seed);
/// let report = loop {
///     let mut survey = Survey::new(&layout, mode, plan);
///     for chunk in bytes_from(layout.body().offset) { survey.feed(chunk)?; }
///     match survey.finish()? {
///         Surveyed::Again(next) => plan = next,
///         Surveyed::Done(report) => break report,
///     }
/// };
/// ```
#[derive(Debug)]
pub struct Survey {
    reader: Reader,
    count: Count,
    letters: Letters,
}

impl Survey {
    /// Begins a pass.
    #[must_use]
    pub fn new(layout: &Layout, mode: Mode, plan: Plan) -> Self {
        let Plan { seed, size_hint, step, so_far } = plan;
        let known = match step {
            Pass::All(known) => known.or(layout.has_bom().then_some(Encoding::Utf8)),
            Pass::MoreHashes(_) | Pass::Compare => Some(so_far.encoding),
        };
        let guess = known.unwrap_or_default();
        Self {
            reader: Reader::new(layout, mode, guess, layout.body()),
            letters: Letters { known, ..Letters::default() },
            count: Count::new(seed, size_hint, layout.columns().lots, step, so_far),
        }
    }

    /// Takes the next bytes; the first is the one at [`Layout::body`].
    ///
    /// # Errors
    /// Too many rows, stores, duplicates or open quotes: the file is refused whole, and no more need be read.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), FileProblem> {
        self.letters.see(chunk);
        let count = &mut self.count;
        self.reader.feed(chunk, &mut |event| count.see(&event));
        self.count.verdict()
    }

    /// The file ends here.
    ///
    /// # Errors
    /// As [`Survey::feed`].
    pub fn finish(self) -> Result<Surveyed, FileProblem> {
        let Self { reader, mut count, mut letters } = self;
        reader.finish(&mut |event| count.see(&event));
        count.verdict()?;
        letters.end();
        let read_as = letters.known.unwrap_or_default();
        let encoding = letters.encoding();
        if encoding != read_as {
            let step = Pass::All(Some(encoding));
            return Ok(Surveyed::Again(Plan {
                seed: count.seed,
                size_hint: count.size_hint,
                step,
                so_far: SoFar::default(),
            }));
        }
        count.finish(encoding)
    }
}

/// Which encoding the bytes that are not ASCII speak for.
#[derive(Debug, Default)]
struct Letters {
    /// No need to look.
    known: Option<Encoding>,
    /// Letters of several bytes.
    valid: u64,
    /// Bytes that are no UTF-8.
    invalid: u64,
    /// The beginning of a letter whose end the chunks so far did not bring. At most three bytes.
    open: Vec<u8>,
}

impl Letters {
    fn see(&mut self, chunk: &[u8]) {
        if self.known.is_some() || (self.open.is_empty() && chunk.is_ascii()) {
            return;
        }
        let mut chunk = chunk;
        while !self.open.is_empty() {
            let Some((next, rest)) = chunk.split_first() else { return };
            let mut more = std::mem::take(&mut self.open);
            more.push(*next);
            chunk = rest;
            self.judge(&more);
        }
        self.judge(chunk);
    }

    fn judge(&mut self, bytes: &[u8]) {
        let mut at = 0;
        for piece in bytes.utf8_chunks() {
            self.valid += piece.valid().bytes().filter(|byte| *byte >= 0xc0).count() as u64;
            let invalid = piece.invalid();
            at += piece.valid().len() + invalid.len();
            let is_last = at == bytes.len();
            let unfinished = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_last && unfinished {
                self.open = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.invalid += 1;
            }
        }
    }

    fn end(&mut self) {
        if !self.open.is_empty() {
            self.invalid += 1;
        }
    }

    /// Where letters of several bytes are as many as bytes that are none, that is no accident: it is UTF-8.
    fn encoding(&self) -> Encoding {
        match self.known {
            Some(known) => known,
            None if self.invalid > self.valid => Encoding::Windows1252,
            None => Encoding::Utf8,
        }
    }
}

/// What one pass counts.
#[derive(Debug)]
struct Count {
    seed: u64,
    size_hint: u64,
    /// Are the lines of an item its lots?
    lots: bool,
    so_far: SoFar,
    problem: Option<FileProblem>,
    open_quotes: u32,
    cutter: Cutter,
    work: Work,
    /// The last store, with how many rows it has that `stores` does not know of, and the hashes of its name.
    store: String,
    pending: u64,
    of_store: [u64; 2],
}

#[derive(Debug)]
enum Work {
    All(Hashes),
    MoreHashes(Hashes),
    /// By both hashes.
    Compare(HashMap<(u64, u64), Seen>),
}

/// What the lines of one item say.
#[derive(Debug)]
struct Seen {
    count: i64,
    threshold: Option<i64>,
    first: u64,
    repeated: bool,
    /// The first line that disagrees with it.
    other: Option<u64>,
    /// Of lots: the first line that cannot be read.
    unread: Option<u64>,
}

/// What one line says of its item.
#[derive(Debug, Clone, Copy)]
enum Line {
    Good {
        count: i64,
        threshold: Option<i64>,
    },
    /// A lot whose numbers cannot be read.
    Unread,
}

impl Seen {
    fn new(at: u64, line: Line) -> Self {
        let first = Self { count: 0, threshold: None, first: at, repeated: false, other: None, unread: None };
        match line {
            Line::Good { count, threshold } => Self { count, threshold, ..first },
            Line::Unread => Self { unread: Some(at), ..first },
        }
    }

    fn add(&mut self, lots: bool, at: u64, line: Line) {
        self.repeated = true;
        match line {
            Line::Unread => self.unread = self.unread.or(Some(at)),
            Line::Good { count, threshold } if lots => {
                // at most ten million rows of a thousand million each
                self.count = self.count.saturating_add(count);
                let disagree = matches!((self.threshold, threshold), (Some(known), Some(new)) if known != new);
                self.threshold = self.threshold.or(threshold);
                self.other = self.other.or(disagree.then_some(at));
            }
            Line::Good { count, threshold } => {
                let disagree = (self.count, self.threshold) != (count, threshold);
                self.other = self.other.or(disagree.then_some(at));
            }
        }
    }

    fn together(&self, lots: bool) -> Together {
        match (self.unread, self.other) {
            (Some(line), _) => Together::Unread(line),
            (None, Some(line)) => Together::Disagree(line),
            (None, None) if !lots => Together::Same,
            (None, None) if self.count.abs() > COUNT_MAX => Together::TooMany,
            (None, None) => Together::Sum { count: self.count, threshold: self.threshold },
        }
    }
}

impl Count {
    fn new(seed: u64, size_hint: u64, lots: bool, step: Pass, so_far: SoFar) -> Self {
        let work = match step {
            Pass::All(_) => Work::All(Hashes::new(0, size_hint)),
            Pass::MoreHashes(from) => Work::MoreHashes(Hashes::new(from, size_hint)),
            Pass::Compare => Work::Compare(HashMap::with_capacity(so_far.suspects.len())),
        };
        Self {
            seed,
            size_hint,
            lots,
            so_far,
            problem: None,
            open_quotes: 0,
            cutter: Cutter::default(),
            work,
            store: String::new(),
            pending: 0,
            of_store: [hash::of_store(seed, ""), hash::of_store(hash::second_seed(seed), "")],
        }
    }

    fn verdict(&self) -> Result<(), FileProblem> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    fn see(&mut self, event: &Event<'_>) {
        if self.problem.is_some() {
            return;
        }
        if let Work::All(_) = self.work {
            self.so_far.rows += 1;
            if self.so_far.rows > ROWS_MAX {
                self.problem = Some(FileProblem::TooManyRows);
            }
            self.cutter.see(event.at(), &mut self.so_far.parts);
        }
        match event {
            Event::Row(row) => {
                let line = Line::Good { count: row.count, threshold: row.threshold };
                self.line(row.store, row.item, row.at.line, line);
                // `stores` knows of stores that good rows name, and of no others
                self.pending += 1;
            }
            Event::Rejected(rejected) => {
                if let Work::All(_) = self.work {
                    self.so_far.rejected += 1;
                    if rejected.reason == Reason::OpenQuote {
                        self.open_quotes += 1;
                        if self.open_quotes > OPEN_QUOTES_MAX {
                            self.problem = Some(FileProblem::TooManyOpenQuotes);
                        }
                    }
                }
                // a lot is missing from the sum of its item
                if let Some((store, item)) = rejected.of.filter(|_| self.lots) {
                    self.line(store, item, rejected.at.line, Line::Unread);
                }
            }
        }
    }

    #[inline]
    fn line(&mut self, store: &str, item: &str, at: u64, line: Line) {
        if store != self.store {
            self.settle_store();
            self.store.clear();
            self.store.push_str(store);
            self.of_store = [hash::of_store(self.seed, store), hash::of_store(hash::second_seed(self.seed), store)];
        }
        let [of_store, of_store_second] = self.of_store;
        let hash = hash::of_item(of_store, item);
        match &mut self.work {
            Work::All(hashes) | Work::MoreHashes(hashes) => {
                if hashes.add(hash, &mut self.so_far.suspects) && self.so_far.suspects.len() > DUPLICATES_MAX {
                    self.problem = Some(FileProblem::TooManyDuplicates);
                }
            }
            Work::Compare(seen) => {
                if !self.so_far.suspects.contains(&hash) {
                    return;
                }
                let second = hash::of_item(of_store_second, item);
                let lots = self.lots;
                seen.entry((hash, second))
                    .and_modify(|seen| seen.add(lots, at, line))
                    .or_insert_with(|| Seen::new(at, line));
            }
        }
    }

    fn settle_store(&mut self) {
        let rows = std::mem::take(&mut self.pending);
        if rows == 0 {
            return;
        }
        let Work::All(_) = self.work else { return };
        if let Some(known) = self.so_far.stores.get_mut(&self.store) {
            *known += rows;
        } else if self.so_far.stores.len() == STORES_MAX {
            self.problem = Some(FileProblem::TooManyStores);
        } else {
            self.so_far.stores.insert(self.store.clone(), rows);
        }
    }

    fn finish(mut self, encoding: Encoding) -> Result<Surveyed, FileProblem> {
        self.settle_store();
        if let Work::All(hashes) | Work::MoreHashes(hashes) = &mut self.work {
            hashes.flush(&mut self.so_far.suspects);
            if self.so_far.suspects.len() > DUPLICATES_MAX {
                self.problem = Some(FileProblem::TooManyDuplicates);
            }
        }
        self.verdict()?;
        self.so_far.encoding = encoding;
        if let Work::All(_) = self.work {
            self.cutter.end(&mut self.so_far.parts);
        }
        let (seed, size_hint, lots) = (self.seed, self.size_hint, self.lots);
        match self.work {
            Work::All(hashes) | Work::MoreHashes(hashes) => {
                let step = match hashes.next {
                    Some(next) => Pass::MoreHashes(next),
                    None if self.so_far.suspects.is_empty() => {
                        return Ok(Surveyed::Done(self.so_far.report(seed, Vec::new())?));
                    }
                    None => Pass::Compare,
                };
                Ok(Surveyed::Again(Plan { seed, size_hint, step, so_far: self.so_far }))
            }
            Work::Compare(seen) => {
                let list = seen.into_iter().filter(|(_, seen)| seen.repeated).map(|((hash, second), seen)| Duplicate {
                    hash,
                    second,
                    first: seen.first,
                    together: seen.together(lots),
                });
                Ok(Surveyed::Done(self.so_far.report(seed, list.collect())?))
            }
        }
    }
}

impl SoFar {
    fn report(self, seed: u64, duplicates: Vec<Duplicate>) -> Result<Report, FileProblem> {
        let mut stores = Vec::with_capacity(self.stores.len());
        for (name, rows) in self.stores {
            // the reader gives valid names only
            let store = StoreId::parse(&name).map_err(|_| FileProblem::BadStore { name })?;
            stores.push((store, rows));
        }
        Ok(Report {
            encoding: self.encoding,
            rows: self.rows,
            rejected: self.rejected,
            stores,
            parts: self.parts,
            duplicates: Duplicates::new(seed, duplicates),
        })
    }
}

/// Cuts a file into parts, a record at a time.
#[derive(Debug, Default)]
struct Cutter {
    part: Option<Part>,
    /// The record whose events are coming in, and how many came.
    record: Option<(RecordAt, u64)>,
}

impl Cutter {
    fn see(&mut self, at: RecordAt, parts: &mut Vec<Part>) {
        match &mut self.record {
            Some((record, rows)) if record.start == at.start => *rows += 1,
            Some(_) | None => {
                self.settle(parts);
                self.record = Some((at, 1));
            }
        }
    }

    /// Adds the record that is complete now to the part, or begins another with it.
    fn settle(&mut self, parts: &mut Vec<Part>) {
        let Some((record, rows)) = self.record.take() else { return };
        match &mut self.part {
            Some(part) if record.end - part.start.offset <= PART_BYTES && part.rows + rows <= PART_ROWS => {
                part.end = record.end;
                part.rows += rows;
            }
            Some(_) | None => {
                parts.extend(self.part.replace(Part { start: record.begin(), end: record.end, rows }));
            }
        }
    }

    fn end(&mut self, parts: &mut Vec<Part>) {
        self.settle(parts);
        parts.extend(self.part.take());
    }
}

/// A set of hashes in a fixed amount of memory: of those in its range it forgets none; when it is full, the range
/// shrinks, and a later pass takes what lies beyond.
#[derive(Debug)]
struct Hashes {
    from: u64,
    /// Hashes up to here, inclusive, are in the range.
    to: u64,
    /// Where the next pass goes on; `None` where this one covers the rest.
    next: Option<u64>,
    /// 0 is a free place.
    places: Vec<u64>,
    used: usize,
    used_max: usize,
    /// The hash 0 itself.
    zero: bool,
    /// Hashes that are still to be inserted.
    waiting: Vec<u64>,
}

impl Hashes {
    /// Places in the largest table: 16 MiB.
    const PLACES_MAX: usize = 1 << 21;

    fn new(from: u64, size_hint: u64) -> Self {
        // a row is hardly shorter than 12 bytes; three places for two rows
        let wanted = usize::try_from(size_hint / 8).unwrap_or(usize::MAX).clamp(1 << 10, Self::PLACES_MAX);
        Self::with_places(from, wanted)
    }

    fn with_places(from: u64, places: usize) -> Self {
        let used_max = if places == Self::PLACES_MAX { PARTITION_ROWS } else { places / 3 * 2 };
        Self {
            from,
            to: u64::MAX,
            next: None,
            places: vec![0; places],
            used: 0,
            used_max,
            zero: false,
            waiting: Vec::new(),
        }
    }

    /// How many hashes are inserted at once.
    const BATCH: usize = 256;

    /// Takes a hash. Now and then `suspects` gets those that were here before; `true` says that it is now.
    fn add(&mut self, hash: u64, suspects: &mut HashSet<u64>) -> bool {
        self.waiting.push(hash);
        let full = self.waiting.len() >= Self::BATCH;
        if full {
            self.flush(suspects);
        }
        full
    }

    fn flush(&mut self, suspects: &mut HashSet<u64>) {
        let mut waiting = std::mem::take(&mut self.waiting);
        // the table is far larger than the processor's caches: to look at all places first lets it fetch many at a time
        let mut fetched = 0;
        for hash in &waiting {
            fetched |= self.places.get(self.place(*hash)).copied().unwrap_or_default();
        }
        std::hint::black_box(fetched);
        suspects.extend(waiting.drain(..).filter(|hash| self.insert(*hash)));
        self.waiting = waiting;
    }

    /// Was this hash, if it is in the range, here before?
    fn insert(&mut self, hash: u64) -> bool {
        if hash < self.from || hash > self.to {
            return false;
        }
        if hash == 0 {
            return std::mem::replace(&mut self.zero, true);
        }
        let mut place = self.place(hash);
        loop {
            match self.places.get_mut(place) {
                Some(0) => break,
                Some(known) if *known == hash => return true,
                Some(_) => place += 1,
                None => place = 0,
            }
        }
        if self.used == self.used_max {
            self.make_room();
            return self.insert(hash);
        }
        if let Some(free) = self.places.get_mut(place) {
            *free = hash;
        }
        self.used += 1;
        false
    }

    /// Spread over the whole table, whatever the range.
    fn place(&self, hash: u64) -> usize {
        let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((u128::from(spread) * self.places.len() as u128) >> 64) as usize
    }

    /// Takes a larger table, up to the largest; then gives up the upper half of the range.
    fn make_room(&mut self) {
        let places = (self.places.len() * 2).min(Self::PLACES_MAX);
        let mut larger = Self::with_places(self.from, places);
        (larger.to, larger.next, larger.zero) = (self.to, self.next, self.zero);
        if places == self.places.len() {
            let middle = self.from + (self.to - self.from) / 2;
            larger.to = middle;
            larger.next = middle.checked_add(1);
        }
        let old = std::mem::take(&mut self.places);
        *self = larger;
        for hash in old.into_iter().filter(|hash| *hash != 0) {
            self.insert(hash);
        }
    }
}
