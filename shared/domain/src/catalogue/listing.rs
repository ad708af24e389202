//! The catalogue as a list answers from it: a few fields of every product in memory, so that any filter in any order
//! knows its total and the ids of its page, and only the page's products have to be read.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::Millis;
use crate::search::{NEEDLE_CHARS_MAX, fold};

/// What the list knows of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// [`super::Product::words`].
    pub words: String,
    /// What one costs, in hundredths.
    pub price_cents: i64,
    /// The id of its category.
    pub category: String,
    /// The sum of all ratings.
    pub rating_sum: i64,
    /// How many ratings there are.
    pub rating_count: i64,
    /// When it was made.
    pub created_at: Millis,
}

/// A product as it was at a time, or that it was deleted then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which product.
    pub id: String,
    /// Grows with every change of the product.
    pub changed_at: Millis,
    /// `None`: deleted.
    pub entry: Option<Entry>,
}

/// In which order products are listed. Ties go by id, so that pages neither repeat nor leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The cheapest first.
    PriceUp,
    /// The dearest first.
    PriceDown,
    /// The best rated first, by the mean; among equals those with more ratings.
    Rating,
    /// The newest first.
    #[default]
    Newest,
}

/// What is looked for: every word of it must be in a product's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// `None` for a text that is blank, or longer than [`NEEDLE_CHARS_MAX`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.chars().nth(NEEDLE_CHARS_MAX).is_some() {
            return None;
        }
        let words: Vec<String> = fold(text).split_whitespace().map(str::to_owned).collect();
        if words.is_empty() { None } else { Some(Self(words)) }
    }

    fn are_in(&self, words: &str) -> bool {
        self.0.iter().all(|word| words.contains(word.as_str()))
    }
}

/// Which products are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this category alone.
    pub category: Option<String>,
    /// That these words are in.
    pub words: Option<Words>,
    /// At a price within this range, in hundredths.
    pub price: RangeInclusive<i64>,
    /// Not this one.
    pub but: Option<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { category: None, words: None, price: 0..=i64::MAX, but: None }
    }
}

impl Filter {
    fn takes(&self, id: &str, entry: &Entry) -> bool {
        self.category.as_ref().is_none_or(|category| *category == entry.category)
            && self.price.contains(&entry.price_cents)
            && self.but.as_deref().is_none_or(|but| but != id)
            && self.words.as_ref().is_none_or(|words| words.are_in(&entry.words))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Products of the page, in order.
    pub ids: Vec<String>,
    /// Products that the filter takes, on all pages.
    pub total: usize,
}

/// All products, as far as they were told of.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    entries: HashMap<String, Change>,
}

impl Listing {
    /// Takes note of a change. One that is known, or older than what is known, does nothing: changes may be told twice
    /// and in any order.
    pub fn apply(&mut self, change: Change) {
        match self.entries.get(&change.id) {
            Some(known) if known.changed_at >= change.changed_at => {}
            // A deletion is kept too, so that an older change that comes late does not bring the product back.
            Some(_) | None => {
                self.entries.insert(change.id.clone(), change);
            }
        }
    }

    /// Leaves out a product that turned out to be gone. What was known of it is not believed again: an index that lags
    /// may tell it once more.
    pub fn forget(&mut self, id: &str) {
        if let Some(change) = self.entries.get_mut(id) {
            change.entry = None;
        }
    }

    /// All that it knows, in no order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.entries.values()
    }

    /// The time of the last change that it knows of a product.
    #[must_use]
    pub fn changed_at(&self, id: &str) -> Option<Millis> {
        self.entries.get(id).map(|change| change.changed_at)
    }

    /// The products that `filter` takes: how many there are, and the page after the first `skip` of them, `limit` long.
    #[must_use]
    pub fn page(&self, filter: &Filter, order: Order, skip: usize, limit: usize) -> Page {
        let mut taken: Vec<(&str, &Entry)> = self
            .entries
            .values()
            .filter_map(|change| Some((change.id.as_str(), change.entry.as_ref()?)))
            .filter(|(id, entry)| filter.takes(id, entry))
            .collect();
        let total = taken.len();
        if skip >= total || limit == 0 {
            return Page { ids: Vec::new(), total };
        }
        // Only the page is sorted: what comes before it and what comes after it is only told apart.
        if skip > 0 {
            taken.select_nth_unstable_by(skip, |a, b| before(order, a, b));
            taken.drain(..skip);
        }
        if limit < taken.len() {
            taken.select_nth_unstable_by(limit, |a, b| before(order, a, b));
            taken.truncate(limit);
        }
        taken.sort_unstable_by(|a, b| before(order, a, b));
        Page { ids: taken.into_iter().map(|(id, _)| id.to_owned()).collect(), total }
    }
}

fn before(order: Order, (a_id, a): &(&str, &Entry), (b_id, b): &(&str, &Entry)) -> Ordering {
    let first = match order {
        Order::PriceUp => a.price_cents.cmp(&b.price_cents),
        Order::PriceDown => b.price_cents.cmp(&a.price_cents),
        Order::Rating => mean_of(b, a).cmp(&mean_of(a, b)).then(b.rating_count.cmp(&a.rating_count)),
        Order::Newest => Reverse(a.created_at).cmp(&Reverse(b.created_at)),
    };
    first.then(a_id.cmp(b_id))
}

/// The mean of `a`, times both counts, to be compared with that of `b`. Without ratings it is 0.
fn mean_of(a: &Entry, b: &Entry) -> i128 {
    if a.rating_count <= 0 { 0 } else { i128::from(a.rating_sum) * i128::from(b.rating_count.max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORDERS: [Order; 4] = [Order::PriceUp, Order::PriceDown, Order::Rating, Order::Newest];

    fn entry(words: &str, price_cents: i64, category: &str, (sum, count): (i64, i64), created_at: Millis) -> Entry {
        Entry {
            words: fold(words),
            price_cents,
            category: category.to_owned(),
            rating_sum: sum,
            rating_count: count,
            created_at,
        }
    }

    fn listing(entries: &[(&str, Entry)]) -> Listing {
        let mut listing = Listing::default();
        for (id, entry) in entries {
            listing.apply(Change { id: (*id).to_owned(), changed_at: 1, entry: Some(entry.clone()) });
        }
        listing
    }

    fn shop() -> Listing {
        listing(&[
            ("a", entry("Cafetera italiana", 2_500, "cocina", (9, 2), 10)),
            ("b", entry("Café molido", 450, "bebidas", (45, 10), 20)),
            ("c", entry("Té verde", 450, "bebidas", (0, 0), 30)),
            ("d", entry("Altavoz", 9_999, "electronicos", (5, 1), 20)),
        ])
    }

    fn ids(filter: Filter, order: Order) -> String {
        shop().page(&filter, order, 0, 10).ids.concat()
    }

    #[test]
    fn orders_and_filters() {
        assert_eq!(ids(Filter::default(), Order::PriceUp), "bcad");
        assert_eq!(ids(Filter::default(), Order::PriceDown), "dabc");
        assert_eq!(ids(Filter::default(), Order::Rating), "dbac");
        assert_eq!(ids(Filter::default(), Order::Newest), "cbda");
        assert_eq!(ids(Filter { category: Some("bebidas".to_owned()), ..Filter::default() }, Order::Newest), "cb");
        assert_eq!(ids(Filter { price: 450..=2_500, ..Filter::default() }, Order::PriceUp), "bca");
        assert_eq!(ids(Filter { words: Words::new("CAFE"), ..Filter::default() }, Order::PriceUp), "ba");
        assert_eq!(ids(Filter { words: Words::new(" molido  café "), ..Filter::default() }, Order::PriceUp), "b");
        assert_eq!(ids(Filter { but: Some("b".to_owned()), ..Filter::default() }, Order::PriceUp), "cad");
        assert_eq!(
            shop().page(&Filter::default(), Order::PriceUp, 1, 2),
            Page { ids: vec!["c".into(), "a".into()], total: 4 }
        );
        assert_eq!(shop().page(&Filter::default(), Order::PriceUp, 4, 2), Page { ids: vec![], total: 4 });
    }

    #[test]
    fn changes_may_be_told_twice_and_in_any_order() {
        let at = |changed_at, price| Change { id: "a".to_owned(), changed_at, entry: price_of(price) };
        fn price_of(price: i64) -> Option<Entry> {
            (price > 0).then(|| entry("x", price, "c", (0, 0), 1))
        }
        let total = |changes: &[Change]| {
            let mut listing = Listing::default();
            changes.iter().for_each(|change| listing.apply(change.clone()));
            listing.page(&Filter { price: 2..=2, ..Filter::default() }, Order::Newest, 0, 1).total
        };
        assert_eq!(total(&[at(1, 1), at(2, 2)]), 1);
        assert_eq!(total(&[at(2, 2), at(1, 1), at(2, 2)]), 1);
        assert_eq!(total(&[at(2, 2), at(3, 0), at(2, 2)]), 0);
        assert_eq!(total(&[at(3, 0), at(2, 2)]), 0);
        assert_eq!(total(&[at(3, 0), at(4, 2)]), 1);
    }

    #[test]
    fn words_are_bounded() {
        assert_eq!(Words::new(" "), None);
        assert!(Words::new(&"ñ".repeat(NEEDLE_CHARS_MAX)).is_some());
        assert_eq!(Words::new(&"ñ".repeat(NEEDLE_CHARS_MAX + 1)), None);
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let ratings = prop_oneof![Just((0, 0)), (1i64..4).prop_flat_map(|count| (count..=count * 5, Just(count)))];
        ("[ab]{1,3}", 0i64..4, "[xy]", ratings, 0i64..4)
            .prop_map(|(words, price, category, rating, at)| entry(&words, price, &category, rating, at))
    }

    proptest! {
        /// Against the plainest way: filter all, sort all, cut.
        #[test]
        fn a_page_is_what_sorting_everything_gives(
            entries in proptest::collection::btree_map("[a-z]{1,2}", any_entry(), 0..40),
            words in proptest::option::of("[ab]{1,2}"),
            category in proptest::option::of("[xy]"),
            from in 0i64..4, to in 0i64..4,
            order in proptest::sample::select(&ORDERS[..]),
            skip in 0usize..40, limit in 1usize..12,
        ) {
            let all: Vec<(&str, Entry)> = entries.iter().map(|(id, entry)| (id.as_str(), entry.clone())).collect();
            let filter = Filter {
                category: category.clone(),
                words: words.as_deref().and_then(Words::new),
                price: from..=to,
                but: None,
            };
            let mut expected: Vec<&(&str, Entry)> = all
                .iter()
                .filter(|(_, e)| category.as_ref().is_none_or(|c| *c == e.category))
                .filter(|(_, e)| from <= e.price_cents && e.price_cents <= to)
                .filter(|(_, e)| words.as_ref().is_none_or(|w| e.words.contains(w.as_str())))
                .collect();
            // Sorted stably by id first, and by floating-point means, which are exact enough for such small numbers.
            let mean = |e: &Entry| if e.rating_count == 0 { 0.0 } else { e.rating_sum as f64 / e.rating_count as f64 };
            expected.sort_by(|(_, a), (_, b)| match order {
                Order::PriceUp => a.price_cents.cmp(&b.price_cents),
                Order::PriceDown => b.price_cents.cmp(&a.price_cents),
                Order::Rating => mean(b).total_cmp(&mean(a)).then(b.rating_count.cmp(&a.rating_count)),
                Order::Newest => b.created_at.cmp(&a.created_at),
            });
            let page = listing(&all).page(&filter, order, skip, limit);
            prop_assert_eq!(page.total, expected.len());
            let wanted: Vec<String> = expected.iter().skip(skip).take(limit).map(|(id, _)| (*id).to_owned()).collect();
            prop_assert_eq!(page.ids, wanted);
        }
    }
}
