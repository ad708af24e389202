//! What a run found, and how it ends.

use std::collections::BTreeMap;
use std::env;

use super::differences;
use super::exchange::Exchange;

/// The seed of the run in CI. Every entry of the list of known differences is hit in it.
const SEED: u64 = 20_261_130;
/// Kinds of differences that are shown where a run fails.
const SHOWN_MAX: usize = 40;

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Both answers are the same.
    Same,
    /// They differ, in a known way or not: the state of both sides may differ too.
    Different,
}

/// A run of one test.
pub(super) struct Report {
    test: &'static str,
    service: &'static str,
    seed: u64,
    operations: usize,
    is_usual: bool,
    done: usize,
    refused: usize,
    hits: BTreeMap<&'static str, usize>,
    /// The first of each kind, and how many there were.
    unexpected: BTreeMap<String, (String, usize)>,
}

impl Report {
    /// Of a test with so many operations, unless the environment says otherwise.
    pub(super) fn new(test: &'static str, service: &'static str, operations: usize) -> Self {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        let (seed, chosen) = (number("ALMACEN_DIFFERENTIAL_SEED"), number("ALMACEN_DIFFERENTIAL_OPERATIONS"));
        Self {
            test,
            service,
            seed: seed.unwrap_or(SEED),
            operations: chosen.map_or(operations, |chosen| usize::try_from(chosen).unwrap()),
            is_usual: seed.is_none() && chosen.is_none(),
            done: 0,
            refused: 0,
            hits: BTreeMap::new(),
            unexpected: BTreeMap::new(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn operations(&self) -> usize {
        self.operations
    }

    /// The next operation begins.
    pub(super) fn begin(&mut self) {
        self.done += 1;
    }

    /// Compares the answers of an operation.
    pub(super) fn compare(&mut self, exchange: &Exchange) -> Verdict {
        self.refused += usize::from(!exchange.ours.is_success());
        if exchange.ours == exchange.theirs {
            return Verdict::Same;
        }
        match differences::ALL.iter().find(|known| known.service == self.service && (known.applies)(exchange)) {
            Some(known) => *self.hits.entry(known.name).or_default() += 1,
            None => {
                let shown = || (format!("operation {}: {}", self.done, exchange.show()), 0);
                self.unexpected.entry(exchange.kind()).or_insert_with(shown).1 += 1;
            }
        }
        Verdict::Different
    }

    /// Fails unless every difference was a known one, and, in the usual run, every known one was seen.
    #[expect(clippy::print_stdout, reason = "what was compared is seen with --nocapture")]
    pub(super) fn finish(self) {
        let known: usize = self.hits.values().sum();
        let Self { test, seed, done, refused, .. } = self;
        println!(
            "{test}: seed {seed}, {done} operations, {refused} refused, {known} known differences: {:?}",
            self.hits
        );
        let again = format!(
            "ALMACEN_DIFFERENTIAL_SEED={seed} ALMACEN_DIFFERENTIAL_OPERATIONS={done} \
             cargo test --workspace --test e2e {test} -- --nocapture"
        );
        let mut kinds: Vec<&(String, usize)> = self.unexpected.values().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let shown: Vec<String> =
            kinds.iter().take(SHOWN_MAX).map(|(first, count)| format!("{count} times, first {first}")).collect();
        let all: usize = kinds.iter().map(|(_, count)| count).sum();
        assert!(
            all == 0,
            "{all} unexpected differences of {} kinds, seed {seed}. Again: {again}\n\n{}",
            kinds.len(),
            shown.join("\n\n")
        );
        assert!(refused * 2 < done, "{refused} of {done} operations were refused: too few do anything");
        if self.is_usual {
            let entries = differences::ALL.iter().filter(|known| known.service == self.service);
            let unseen: Vec<&str> =
                entries.map(|known| known.name).filter(|name| !self.hits.contains_key(name)).collect();
            assert!(unseen.is_empty(), "known differences that no operation of seed {seed} shows: {unseen:?}");
        }
    }
}
