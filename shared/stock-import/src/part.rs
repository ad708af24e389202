//! One part of a file: compared with what the stores hold, and the differences written.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use almacen_clock::Instant;
use almacen_clock::now_ms;
use almacen_domain::stock::import::{Counters, Held, LineStep, Mode, RowOutcome, diff};
use almacen_dynamo::calls::BATCH_GET_MAX;
use almacen_files::object;
use almacen_stock_csv::{Duplicates, Encoding, Event, Layout, Position, Reader, Reason, Row, Verdict, limits};
use almacen_table::keys;
use almacen_table::stock::imports::{Checkpoint, Job, Kept, Part, Plan, STORES_PER_CHECKPOINT, Taken};
use almacen_table::stock::inventory::{ADJUST_CHUNK, Adjustment, Author};

use crate::error::ImportError;
use crate::rejects::Rejects;
use crate::rows::{RowRef, Rows};
use crate::source::{Source, SourceError};
use crate::writer::Writer;
use crate::{Importer, Leases, Progress, STOP_BEFORE, StoreClaims, Turn, busy_delay, ending};

/// How often it is kept how far the work on a part has come: what a crash can cost, and how live the counters are.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// Reading a store whole costs one read unit for about twenty lines; reading single lines costs one each. A file with
/// fewer than one row for so many lines of the store is read line by line.
const WHOLE_STORE_FACTOR: u64 = 20;
/// Bytes of the duplicates' verdicts: 33 for each of at most 200,000.
const DUPLICATES_BYTES_MAX: usize = 33 * limits::DUPLICATES_MAX + 1024;

/// Works on a part from where the last try left it.
pub(crate) async fn apply(
    importer: &Importer,
    job: &Job,
    number: u32,
    turn: &Turn<'_>,
) -> Result<Progress, ImportError> {
    let plan = job.plan.as_ref().ok_or(ImportError::Malformed("import without plan"))?;
    let mut part = match importer.imports.take_part(&job.id, number, turn.worker, turn.until(), now_ms()).await? {
        Taken::Yes(part) => part,
        Taken::Done => return Ok(Progress::Done),
        Taken::Busy => return Ok(Progress::Later(busy_delay())),
        Taken::Missing => return Err(ImportError::Malformed("part: there is none of this number")),
    };
    let progress = lead(importer, job, plan, &mut part, turn).await?;
    if let Progress::Later(_) = progress {
        importer.imports.give_back_part(&job.id, number, turn.worker).await?;
    }
    Ok(progress)
}

async fn lead(
    importer: &Importer,
    job: &Job,
    plan: &Plan,
    part: &mut Part,
    turn: &Turn<'_>,
) -> Result<Progress, ImportError> {
    let leases = if job.dry_run {
        Leases::default()
    } else {
        match importer.lease(job, &plan.stores, turn).await? {
            Some(leases) => leases,
            None => return Ok(Progress::Later(busy_delay())),
        }
    };
    let mut work = Work::read(importer, job, plan, part, turn, leases.lines).await?;
    work.leave_to_newer(&leases.newer).await?;
    let author = Author { import: job.id.clone(), stamp: job.stamp.clone(), now: now_ms() };
    let before = part.counted().rows;
    let worked = match job.mode {
        Mode::Set => work.set(&author, part).await,
        Mode::Adjust => work.adjust(&author, part).await,
    };
    match worked {
        Ok(()) => Ok(Progress::Done),
        // Further than any try before: go on at once. A try that got no further fails, and in the end a person looks.
        Err(ImportError::OutOfTime) if part.counted().rows > before => Ok(Progress::Later(Duration::ZERO)),
        Err(error) => Err(error),
    }
}

struct Work<'a> {
    importer: &'a Importer,
    job: &'a Job,
    number: u32,
    turn: &'a Turn<'a>,
    rows: Rows,
    rejects: Rejects,
    /// Of the rows that are settled.
    counters: Counters,
    /// Lines made since the last checkpoint, for each store.
    created: BTreeMap<String, u64>,
    /// Adjustments that the store's state did not allow: line of the file, store, item; and by how much.
    impossible: HashMap<(u64, String, String), i64>,
    /// How many lines the stores have, where their leases told.
    lines: HashMap<String, u64>,
}

impl<'a> Work<'a> {
    async fn read(
        importer: &'a Importer,
        job: &'a Job,
        plan: &'a Plan,
        part: &Part,
        turn: &'a Turn<'a>,
        lines: HashMap<String, u64>,
    ) -> Result<Self, ImportError> {
        let (layout, encoding) = decode(plan)?;
        let duplicates = duplicates(importer, plan).await?;
        let mut work = Self {
            importer,
            job,
            number: part.number,
            turn,
            rows: Rows::default(),
            rejects: Rejects::default(),
            counters: Counters::default(),
            created: BTreeMap::new(),
            impossible: HashMap::new(),
            lines,
        };
        let from = Position { offset: part.start, line: part.line };
        let mut reader = Reader::new(&layout, job.mode, encoding, from);
        let mut sink = |event: Event<'_>| work.take(event, &duplicates);
        let mut source = Source::new(&importer.files, &plan.source, plan.gzip, part.start, part.end);
        while let Some(chunk) = source.chunk().await.map_err(in_part)? {
            reader.feed(&chunk, &mut sink);
        }
        reader.finish(&mut sink);
        work.rows.sort();
        Ok(work)
    }

    fn take(&mut self, event: Event<'_>, duplicates: &Duplicates) {
        match event {
            Event::Row(row) => match duplicates.verdict(row.store, row.item, row.at.line) {
                Verdict::Take => self.rows.push(&row),
                Verdict::Sum { count, threshold } => self.rows.push(&Row { count, threshold, ..row }),
                Verdict::Repeated { .. } => self.counters.count(RowOutcome::Unchanged),
                Verdict::Reject(reason) => {
                    self.counters.reject();
                    self.rejects.push(&row.reject(reason));
                }
            },
            Event::Rejected(rejected) => {
                self.counters.reject();
                self.rejects.push(&rejected);
            }
        }
    }

    /// This file has come late where newer ones speak of the same stores: what those name is settled. They are read
    /// again, because a line that a newer file found as it should be bears no mark of it.
    async fn leave_to_newer(&mut self, newer: &[StoreClaims]) -> Result<(), ImportError> {
        let mut imports: Vec<&str> =
            newer.iter().flat_map(|store| store.claims.iter().map(|claim| claim.import.as_str())).collect();
        imports.sort_unstable();
        imports.dedup();
        for id in imports {
            if self.turn.deadline.left() < STOP_BEFORE {
                return Err(ImportError::OutOfTime);
            }
            tracing::info!(import = %self.job.id, newer = id, "came late; leaving alone what a newer file names");
            let Some(job) = self.importer.imports.job(id).await? else { continue };
            let Some(plan) = &job.plan else { continue };
            let (layout, encoding) = decode(plan)?;
            let duplicates = duplicates(self.importer, plan).await?;
            let mut reader = Reader::new(&layout, job.mode, encoding, layout.body());
            let rows = &mut self.rows;
            let mut sink = |event: Event<'_>| {
                if let Event::Row(row) = event
                    && !matches!(duplicates.verdict(row.store, row.item, row.at.line), Verdict::Reject(_))
                    && newer.iter().any(|s| s.store == row.store && s.claims.iter().any(|claim| claim.import == id))
                {
                    rows.supersede(row.store, row.item);
                }
            };
            let end = if plan.gzip { u64::MAX } else { plan.source.size };
            let mut source = Source::new(&self.importer.files, &plan.source, plan.gzip, layout.body().offset, end);
            loop {
                match source.chunk().await {
                    Ok(Some(chunk)) => reader.feed(&chunk, &mut sink),
                    Ok(None) => break,
                    // Expired since: what it said is in the lines by now, as far as it changed them.
                    Err(SourceError::Import(ImportError::Files(almacen_files::FilesError::Missing))) => break,
                    Err(error) => return Err(in_part(error)),
                }
            }
            reader.finish(&mut sink);
        }
        Ok(())
    }

    async fn set(&mut self, author: &Author, part: &mut Part) -> Result<(), ImportError> {
        let rows = std::mem::take(&mut self.rows);
        let settled = usize::try_from(part.position()).unwrap_or(usize::MAX);
        if settled > 0 {
            // What reading has just counted is among what was counted then.
            self.counters = part.counted();
        }
        let mut writer = Writer::new(&self.importer.inventory, author);
        let mut last_checkpoint = Instant::now();
        for stretch in rows.by_store() {
            let stretch = stretch.start.max(settled)..stretch.end;
            if stretch.is_empty() {
                continue;
            }
            let mut held = self.held(&rows, stretch.clone()).await?;
            for position in stretch {
                let due = last_checkpoint.elapsed() >= CHECKPOINT_EVERY || self.created.len() == STORES_PER_CHECKPOINT;
                if due && position > settled {
                    self.checkpoint(&mut writer, part, position).await?;
                    last_checkpoint = Instant::now();
                }
                let Some(row) = rows.get(position) else { continue };
                let found = held.of(position, row.sku).await?;
                // What an earlier try made and could not count is counted, whoever has changed it since.
                let ours = found.as_ref().is_some_and(|line| line.created_by == self.job.id);
                if row.superseded && !ours {
                    self.counters.count(RowOutcome::Stale);
                    continue;
                }
                self.step(author, &mut writer, row, found.as_ref()).await?;
            }
        }
        self.settle(&mut writer).await?;
        self.close(part, rows.len()).await
    }

    /// What the store of this stretch of rows holds.
    async fn held<'r>(&self, rows: &'r Rows, stretch: Range<usize>) -> Result<HeldLines<'r>, ImportError>
    where
        'a: 'r,
    {
        let store = rows.get(stretch.start).map_or("", |row| row.store);
        let lines = match self.lines.get(store) {
            Some(lines) => *lines,
            None => self.importer.stores.lines(store).await?,
        };
        Ok(HeldLines::new(self.importer, rows, stretch, store, lines))
    }

    /// Waits for the writes under way, and counts them.
    async fn settle(&mut self, writer: &mut Writer<'_>) -> Result<(), ImportError> {
        writer.finish().await?;
        let written = writer.take_written();
        self.counters = self.counters.plus(written.counters);
        // They were counted as made when the store was read.
        for (store, lines) in written.found {
            if let Some(created) = self.created.get_mut(&store) {
                *created = created.saturating_sub(lines);
            }
        }
        Ok(())
    }

    /// Everything before `position` is settled for good; and is there time to go on?
    async fn checkpoint(
        &mut self,
        writer: &mut Writer<'_>,
        part: &mut Part,
        position: usize,
    ) -> Result<(), ImportError> {
        self.settle(writer).await?;
        self.keep(part, position, false).await?;
        if self.turn.deadline.left() < STOP_BEFORE { Err(ImportError::OutOfTime) } else { Ok(()) }
    }

    async fn keep(&mut self, part: &mut Part, position: usize, done: bool) -> Result<(), ImportError> {
        let created: Vec<(String, u64)> = std::mem::take(&mut self.created).into_iter().collect();
        let created = if self.job.dry_run { &[] } else { created.as_slice() };
        let checkpoint = Checkpoint { counters: self.counters, position: position as u64, done, created };
        match self.importer.imports.checkpoint(&self.job.id, part, checkpoint).await? {
            Kept::Yes => Ok(()),
            Kept::Overtaken => Err(ImportError::Overtaken),
        }
    }

    async fn step<'r>(
        &mut self,
        author: &Author,
        writer: &mut Writer<'r>,
        row: RowRef<'r>,
        held: Option<&Held>,
    ) -> Result<(), ImportError> {
        let step = diff(&self.job.id, &author.stamp, row.wanted, held);
        if matches!(step, LineStep::Create | LineStep::Nothing(RowOutcome::Created)) {
            // Not `entry`: it would copy the name for every row.
            match self.created.get_mut(row.store) {
                Some(lines) => *lines += 1,
                None => {
                    self.created.insert(row.store.to_owned(), 1);
                }
            }
        }
        match (step, self.job.dry_run) {
            (LineStep::Nothing(outcome), _) => self.counters.count(outcome),
            (LineStep::Create, true) => self.counters.count(RowOutcome::Created),
            (LineStep::Change, true) => self.counters.count(RowOutcome::Changed),
            (LineStep::Create, false) => writer.create(row.store, row.sku, row.wanted).await?,
            (LineStep::Change, false) => writer.change(row.store, row.sku, row.wanted).await?,
        }
        Ok(())
    }

    /// Adds, in chunks that are the same in every try, so that each chunk's mark makes it happen once. Every try goes
    /// through all chunks, since only the marks know which of their lines were refused.
    async fn adjust(&mut self, author: &Author, part: &mut Part) -> Result<(), ImportError> {
        let rows = std::mem::take(&mut self.rows);
        let mut last_checkpoint = Instant::now();
        let mut chunk: Vec<(Adjustment, u64)> = Vec::with_capacity(ADJUST_CHUNK);
        let mut chunks = 0;
        for stretch in rows.by_store() {
            let mut held = self.held(&rows, stretch.clone()).await?;
            for position in stretch {
                let Some(row) = rows.get(position) else { continue };
                let found = held.of(position, row.sku).await?;
                if self.job.dry_run {
                    self.adjust_dry(row, found.as_ref());
                    continue;
                }
                let adjustment = Adjustment {
                    store: row.store.to_owned(),
                    sku: row.sku.to_owned(),
                    by: row.wanted.count,
                    threshold: row.wanted.threshold,
                    exists: found.is_some(),
                };
                chunk.push((adjustment, row.line));
                if chunk.len() < ADJUST_CHUNK {
                    continue;
                }
                self.adjust_chunk(author, chunks, &std::mem::take(&mut chunk)).await?;
                chunks += 1;
                if last_checkpoint.elapsed() >= CHECKPOINT_EVERY {
                    last_checkpoint = Instant::now();
                    if self.counters.rows > part.counted().rows {
                        self.keep(part, 0, false).await?;
                    }
                    if self.turn.deadline.left() < STOP_BEFORE {
                        return Err(ImportError::OutOfTime);
                    }
                }
            }
        }
        if !chunk.is_empty() {
            self.adjust_chunk(author, chunks, &chunk).await?;
        }
        self.reject_impossible(part).await?;
        self.close(part, rows.len()).await
    }

    /// Rejects the rows that could not be added. The part is read once more for them, because nothing but store, item
    /// and number was kept of its rows.
    async fn reject_impossible(&mut self, part: &Part) -> Result<(), ImportError> {
        let Some(plan) = self.job.plan.as_ref().filter(|_| !self.impossible.is_empty()) else { return Ok(()) };
        let (layout, encoding) = decode(plan)?;
        let from = Position { offset: part.start, line: part.line };
        let mut reader = Reader::new(&layout, self.job.mode, encoding, from);
        let (impossible, rejects) = (&self.impossible, &mut self.rejects);
        let mut sink = |event: Event<'_>| {
            if let Event::Row(row) = event
                && let Some(by) = impossible.get(&(row.at.line, row.store.to_owned(), row.item.to_owned()))
            {
                rejects.push(&row.reject(Reason::OutOfBounds { by: *by }));
            }
        };
        let mut source = Source::new(&self.importer.files, &plan.source, plan.gzip, part.start, part.end);
        while let Some(chunk) = source.chunk().await.map_err(in_part)? {
            reader.feed(&chunk, &mut sink);
        }
        reader.finish(&mut sink);
        Ok(())
    }

    async fn adjust_chunk(
        &mut self,
        author: &Author,
        number: usize,
        chunk: &[(Adjustment, u64)],
    ) -> Result<(), ImportError> {
        let mark = keys::mark(self.number, "adjust", number);
        let lines: Vec<Adjustment> = chunk.iter().map(|(line, _)| line.clone()).collect();
        let tables = (self.importer.imports.table(), self.importer.stores.table());
        let outcome = self.importer.inventory.adjust(author, tables, &mark, &lines).await?;
        self.counters = self.counters.plus(outcome.counters());
        for position in outcome.refused {
            if let Some((line, number)) = chunk.get(position) {
                self.impossible.insert((*number, line.store.clone(), line.sku.clone()), line.by);
            }
        }
        Ok(())
    }

    fn adjust_dry(&mut self, row: RowRef<'_>, held: Option<&Held>) {
        let result = held.map_or(0, |held| held.on_hand) + row.wanted.count;
        if (0..=almacen_domain::stock::COUNT_MAX).contains(&result) {
            self.counters.count(if held.is_some() { RowOutcome::Changed } else { RowOutcome::Created });
        } else {
            self.counters.reject();
            self.impossible.insert((row.line, row.store.to_owned(), row.sku.to_owned()), row.wanted.count);
        }
    }

    /// Everything of the part is written: keeps the rejected rows, and says that it is done.
    async fn close(&mut self, part: &mut Part, rows: usize) -> Result<(), ImportError> {
        ending::keep_rejects(self.importer, &self.job.id, self.number, &self.rejects).await?;
        self.keep(part, rows, true).await
    }
}

/// What a store holds of one stretch of sorted rows, read as the rows come: whole pages where the file speaks of much of
/// the store, single lines where it speaks of little.
struct HeldLines<'a> {
    importer: &'a Importer,
    rows: &'a Rows,
    stretch: Range<usize>,
    store: &'a str,
    by_line: bool,
    /// Read and not yet asked for, in order of sku, the next one last.
    lines: Vec<(String, Held)>,
    /// Where the next page starts.
    next: Next,
    /// Up to which position single lines were read.
    read_to: usize,
}

enum Next {
    First,
    After(String),
    End,
}

impl<'a> HeldLines<'a> {
    /// Of a store that has about so many `lines`.
    fn new(importer: &'a Importer, rows: &'a Rows, stretch: Range<usize>, store: &'a str, lines: u64) -> Self {
        let by_line = (stretch.len() as u64).saturating_mul(WHOLE_STORE_FACTOR) < lines;
        let read_to = stretch.start;
        Self { importer, rows, stretch, store, by_line, lines: Vec::new(), next: Next::First, read_to }
    }

    /// What the store holds of the row at `position`; to be asked in order.
    async fn of(&mut self, position: usize, sku: &str) -> Result<Option<Held>, ImportError> {
        loop {
            while let Some((next, _)) = self.lines.last() {
                match next.as_str().cmp(sku) {
                    std::cmp::Ordering::Less => {
                        self.lines.pop();
                    }
                    std::cmp::Ordering::Equal => return Ok(self.lines.pop().map(|(_, held)| held)),
                    std::cmp::Ordering::Greater => return Ok(None),
                }
            }
            let more = if self.by_line { self.read_lines(position).await? } else { self.read_page().await? };
            if !more {
                return Ok(None);
            }
        }
    }

    async fn read_page(&mut self) -> Result<bool, ImportError> {
        let after = match std::mem::replace(&mut self.next, Next::End) {
            Next::First => None,
            Next::After(sku) => Some(sku),
            Next::End => return Ok(false),
        };
        let sku_at = |position: usize| self.rows.get(position).map_or("", |row| row.sku);
        let (first, last) = (sku_at(self.stretch.start), sku_at(self.stretch.end - 1));
        let page = self.importer.inventory.page(self.store, first, last, after).await?;
        self.next = page.next.map_or(Next::End, Next::After);
        self.lines = page.lines;
        self.lines.reverse();
        Ok(true)
    }

    async fn read_lines(&mut self, position: usize) -> Result<bool, ImportError> {
        if position < self.read_to {
            return Ok(false);
        }
        let to = self.stretch.end.min(position + BATCH_GET_MAX);
        let skus: Vec<&str> =
            (position..to).filter_map(|position| self.rows.get(position)).map(|row| row.sku).collect();
        self.lines = self.importer.inventory.held(self.store, &skus).await?;
        self.lines.sort_unstable_by(|a, b| b.0.cmp(&a.0));
        self.read_to = to;
        Ok(true)
    }
}

fn decode(plan: &Plan) -> Result<(Layout, Encoding), ImportError> {
    let layout = Layout::decode(&plan.layout).ok_or(ImportError::Malformed("layout"))?;
    let encoding = Encoding::parse(&plan.encoding).ok_or(ImportError::Malformed("encoding"))?;
    Ok((layout, encoding))
}

async fn duplicates(importer: &Importer, plan: &Plan) -> Result<Duplicates, ImportError> {
    let Some(key) = &plan.duplicates_key else { return Ok(Duplicates::default()) };
    let bytes = object::read(&importer.files, &importer.reports_bucket, key, DUPLICATES_BYTES_MAX).await?;
    Duplicates::decode(&bytes).ok_or(ImportError::Malformed("duplicates"))
}

/// The survey has read the whole file; what it refused cannot be met again in a part.
fn in_part(error: SourceError) -> ImportError {
    match error {
        SourceError::Import(error) => error,
        SourceError::Refused(_) => ImportError::Malformed("gzip in a part"),
    }
}
