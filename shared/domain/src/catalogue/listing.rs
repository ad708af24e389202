//! The catalogue as a list answers from it: a few fields of every product in memory, so that any filter in any order
//! knows its total and the ids of its page, and only the page's products have to be read.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::Millis;
use crate::kernel::search::{NEEDLE_CHARS_MAX, fold};

/// What the list knows of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// [`super::Product::words`].
    pub words: String,
    /// What one costs, in thousandths: [`Money::thousandths`](crate::kernel::money::Money::thousandths).
    pub price_thousandths: i64,
    /// The id of its category.
    pub category: String,
    /// The sum of all ratings.
    pub rating_sum: i64,
    /// How many ratings there are.
    pub rating_count: i64,
    /// When it was made.
    pub created_at: Millis,
}

impl Entry {
    fn view(&self) -> View<'_> {
        View {
            words: &self.words,
            price_thousandths: self.price_thousandths,
            category: &self.category,
            rating_sum: self.rating_sum,
            rating_count: self.rating_count,
            created_at: self.created_at,
        }
    }
}

/// An [`Entry`], wherever its texts stand.
#[derive(Debug, Clone, Copy, Default)]
struct View<'a> {
    words: &'a str,
    price_thousandths: i64,
    category: &'a str,
    rating_sum: i64,
    rating_count: i64,
    created_at: Millis,
}

/// A product as it was at a time, or that it was deleted then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChange {
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
    /// The cheapest first. Prices are compared as numbers, whatever their currencies.
    PriceUp,
    /// The dearest first, compared in the same way.
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
    /// At a price within this range, in thousandths. Prices are compared as numbers, whatever their currencies.
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
    fn takes(&self, id: &str, entry: &View<'_>) -> bool {
        self.category.as_ref().is_none_or(|category| category == entry.category)
            && self.price.contains(&entry.price_thousandths)
            && self.but.as_deref().is_none_or(|but| but != id)
            && self.words.as_ref().is_none_or(|words| words.are_in(entry.words))
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

/// All products as they were at a time, in the order of their ids. Their texts stand one after the other in a single one, so
/// that as many products as there are cost no more memory blocks than one.
#[derive(Debug, Clone, Default)]
pub struct Base {
    texts: String,
    categories: Vec<String>,
    rows: Vec<Placed>,
}

/// A product of a [`Base`]: how much of the texts is its own, and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingRow {
    /// Bytes of its id, which come first.
    pub id_bytes: u32,
    /// Bytes of its words, which follow.
    pub words_bytes: u32,
    /// Which of the categories.
    pub category: u32,
    /// The time of its last change.
    pub changed_at: Millis,
    /// What one costs, in thousandths: [`Money::thousandths`](crate::kernel::money::Money::thousandths).
    pub price_thousandths: i64,
    /// The sum of all ratings.
    pub rating_sum: i64,
    /// How many ratings there are.
    pub rating_count: i64,
    /// When it was made.
    pub created_at: Millis,
}

#[derive(Debug, Clone)]
struct Placed {
    /// Where its id begins in the texts.
    at: u32,
    row: ListingRow,
    /// Something newer is known of it.
    outdated: bool,
}

impl Placed {
    fn id<'a>(&self, texts: &'a str) -> &'a str {
        let at = self.at as usize;
        texts.get(at..at + self.row.id_bytes as usize).unwrap_or_default()
    }

    fn words<'a>(&self, texts: &'a str) -> &'a str {
        let at = self.at as usize + self.row.id_bytes as usize;
        texts.get(at..at + self.row.words_bytes as usize).unwrap_or_default()
    }
}

impl Base {
    /// `None` where rows and texts do not belong together, ids are not in strictly rising order, or one is empty.
    pub fn new(texts: String, categories: Vec<String>, rows: impl IntoIterator<Item = ListingRow>) -> Option<Self> {
        let rows = rows.into_iter();
        let mut placed: Vec<Placed> = Vec::with_capacity(rows.size_hint().0);
        let (mut at, mut last) = (0_u32, "");
        for row in rows {
            let words = at.checked_add(row.id_bytes)?;
            let end = words.checked_add(row.words_bytes)?;
            let id = texts.get(at as usize..words as usize)?;
            texts.get(words as usize..end as usize)?;
            categories.get(row.category as usize)?;
            if id <= last {
                return None;
            }
            last = id;
            placed.push(Placed { at, row, outdated: false });
            at = end;
        }
        (at as usize == texts.len()).then_some(Self { texts, categories, rows: placed })
    }

    /// The texts, the categories, and the rows: what [`Base::new`] takes.
    #[must_use]
    pub fn parts(&self) -> (&str, &[String], impl ExactSizeIterator<Item = &ListingRow>) {
        (&self.texts, &self.categories, self.rows.iter().map(|placed| &placed.row))
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.rows.binary_search_by(|placed| placed.id(&self.texts).cmp(id)).ok()
    }

    fn view(&self, placed: &Placed) -> View<'_> {
        let row = &placed.row;
        View {
            words: placed.words(&self.texts),
            price_thousandths: row.price_thousandths,
            category: self.categories.get(row.category as usize).map_or("", String::as_str),
            rating_sum: row.rating_sum,
            rating_count: row.rating_count,
            created_at: row.created_at,
        }
    }
}

/// All products, as far as they were told of.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What was told at once, as far as it is not outdated.
    base: Base,
    /// What was told since.
    since: HashMap<String, ProductChange>,
}

impl Listing {
    /// Begins with what was known at a time.
    #[must_use]
    pub fn on(base: Base) -> Self {
        Self { base, since: HashMap::new() }
    }

    /// Takes note of a change, and says whether it was news. One that is known, or older than what is known, does nothing:
    /// changes may be told twice and in any order.
    pub fn apply(&mut self, change: ProductChange) -> bool {
        if let Some(known) = self.since.get_mut(&change.id) {
            let news = known.changed_at < change.changed_at;
            if news {
                // A deletion is kept too, so that an older change that comes late does not bring the product back.
                *known = change;
            }
            return news;
        }
        if let Some(placed) = self.base.find(&change.id).and_then(|at| self.base.rows.get_mut(at)) {
            if placed.row.changed_at >= change.changed_at {
                return false;
            }
            placed.outdated = true;
        }
        self.since.insert(change.id.clone(), change);
        true
    }

    /// Leaves out a product that turned out to be gone. What was known of it is not believed again: an index that lags
    /// may tell it once more.
    pub fn forget(&mut self, id: &str) {
        if let Some(changed_at) = self.changed_at(id) {
            let gone = ProductChange { id: id.to_owned(), changed_at, entry: None };
            if let Some(placed) = self.base.find(id).and_then(|at| self.base.rows.get_mut(at)) {
                placed.outdated = true;
            }
            self.since.insert(id.to_owned(), gone);
        }
    }

    /// The time of the last change that it knows of a product.
    #[must_use]
    pub fn changed_at(&self, id: &str) -> Option<Millis> {
        let told = || self.base.find(id).and_then(|at| self.base.rows.get(at)).map(|placed| placed.row.changed_at);
        self.since.get(id).map(|change| change.changed_at).or_else(told)
    }

    /// Every product that there is, in no order.
    fn products(&self) -> impl Iterator<Item = Product<'_>> {
        let base = self.base.rows.iter().filter(|placed| !placed.outdated).map(Product::Base);
        base.chain(self.since.values().filter(|change| change.entry.is_some()).map(Product::Since))
    }

    fn id<'a>(&'a self, product: &Product<'a>) -> &'a str {
        match product {
            Product::Base(placed) => placed.id(&self.base.texts),
            Product::Since(change) => &change.id,
        }
    }

    fn view<'a>(&'a self, product: &Product<'a>) -> View<'a> {
        match product {
            Product::Base(placed) => self.base.view(placed),
            Product::Since(change) => change.entry.as_ref().map(Entry::view).unwrap_or_default(),
        }
    }

    /// All of it as the base of another list. Deleted products leave nothing behind.
    ///
    /// `None` for texts of 4 GB.
    #[must_use]
    pub fn to_base(&self) -> Option<Base> {
        let mut products: Vec<_> = self.products().collect();
        products.sort_unstable_by(|a, b| self.id(a).cmp(self.id(b)));
        let bytes = |product: &Product<'_>| self.id(product).len() + self.view(product).words.len();
        let mut texts = String::with_capacity(products.iter().map(bytes).sum());
        let (mut categories, mut numbers): (Vec<String>, HashMap<&str, u32>) = Default::default();
        let mut rows = Vec::with_capacity(products.len());
        for product in &products {
            let (id, view) = (self.id(product), self.view(product));
            let changed_at = match product {
                Product::Base(placed) => placed.row.changed_at,
                Product::Since(change) => change.changed_at,
            };
            let next = u32::try_from(categories.len()).ok()?;
            let category = *numbers.entry(view.category).or_insert_with(|| {
                categories.push(view.category.to_owned());
                next
            });
            texts.push_str(id);
            texts.push_str(view.words);
            rows.push(ListingRow {
                id_bytes: u32::try_from(id.len()).ok()?,
                words_bytes: u32::try_from(view.words.len()).ok()?,
                category,
                changed_at,
                price_thousandths: view.price_thousandths,
                rating_sum: view.rating_sum,
                rating_count: view.rating_count,
                created_at: view.created_at,
            });
        }
        Base::new(texts, categories, rows)
    }

    /// The products that `filter` takes: how many there are, and the page after the first `skip` of them, `limit` long.
    #[must_use]
    pub fn page(&self, filter: &Filter, order: Order, skip: usize, limit: usize) -> Page {
        let takes = |product: &Product<'_>| filter.takes(self.id(product), &self.view(product));
        let mut taken: Vec<Product<'_>> = self.products().filter(takes).collect();
        let total = taken.len();
        if skip >= total || limit == 0 {
            return Page { ids: Vec::new(), total };
        }
        let before = |a: &Product<'_>, b: &Product<'_>| {
            compare(order, &self.view(a), &self.view(b)).then_with(|| self.id(a).cmp(self.id(b)))
        };
        // Only the page is sorted: what comes before it and what comes after it is only told apart.
        if skip > 0 {
            taken.select_nth_unstable_by(skip, before);
            taken.drain(..skip);
        }
        if limit < taken.len() {
            taken.select_nth_unstable_by(limit, before);
            taken.truncate(limit);
        }
        taken.sort_unstable_by(before);
        Page { ids: taken.iter().map(|product| self.id(product).to_owned()).collect(), total }
    }
}

/// A product, wherever the list has it.
#[derive(Debug, Clone, Copy)]
enum Product<'a> {
    Base(&'a Placed),
    Since(&'a ProductChange),
}

fn compare(order: Order, a: &View<'_>, b: &View<'_>) -> Ordering {
    match order {
        Order::PriceUp => a.price_thousandths.cmp(&b.price_thousandths),
        Order::PriceDown => b.price_thousandths.cmp(&a.price_thousandths),
        Order::Rating => mean_of(b, a).cmp(&mean_of(a, b)).then(b.rating_count.cmp(&a.rating_count)),
        Order::Newest => b.created_at.cmp(&a.created_at),
    }
}

/// The mean of `a`, times both counts, to be compared with that of `b`. Without ratings it is 0.
fn mean_of(a: &View<'_>, b: &View<'_>) -> i128 {
    if a.rating_count <= 0 { 0 } else { i128::from(a.rating_sum) * i128::from(b.rating_count.max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORDERS: [Order; 4] = [Order::PriceUp, Order::PriceDown, Order::Rating, Order::Newest];

    fn entry(
        words: &str,
        price_thousandths: i64,
        category: &str,
        (sum, count): (i64, i64),
        created_at: Millis,
    ) -> Entry {
        Entry {
            words: fold(words),
            price_thousandths,
            category: category.to_owned(),
            rating_sum: sum,
            rating_count: count,
            created_at,
        }
    }

    fn listing(entries: &[(&str, Entry)]) -> Listing {
        let mut listing = Listing::default();
        for (id, entry) in entries {
            listing.apply(ProductChange { id: (*id).to_owned(), changed_at: 1, entry: Some(entry.clone()) });
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
        let at = |changed_at, price| ProductChange { id: "a".to_owned(), changed_at, entry: price_of(price) };
        fn price_of(price: i64) -> Option<Entry> {
            (price > 0).then(|| entry("x", price, "c", (0, 0), 1))
        }
        let total = |changes: &[ProductChange]| {
            let mut listing = Listing::default();
            for change in changes {
                listing.apply(change.clone());
            }
            listing.page(&Filter { price: 2..=2, ..Filter::default() }, Order::Newest, 0, 1).total
        };
        assert_eq!(total(&[at(1, 1), at(2, 2)]), 1);
        assert_eq!(total(&[at(2, 2), at(1, 1), at(2, 2)]), 1);
        assert_eq!(total(&[at(2, 2), at(3, 0), at(2, 2)]), 0);
        assert_eq!(total(&[at(3, 0), at(2, 2)]), 0);
        assert_eq!(total(&[at(3, 0), at(4, 2)]), 1);
    }

    #[test]
    fn what_changed_is_news_once() {
        let at = |changed_at, offered: bool| ProductChange {
            id: "a".to_owned(),
            changed_at,
            entry: offered.then(|| entry("x", 1, "c", (0, 0), 1)),
        };
        let mut listing = Listing::default();
        assert!(listing.apply(at(5, true)));
        let mut listing = Listing::on(listing.to_base().unwrap());
        assert_eq!(
            [at(5, true), at(4, false), at(6, true), at(6, true)].map(|change| listing.apply(change)),
            [false, false, true, false]
        );
        listing.forget("a");
        assert!(!listing.apply(at(6, true)), "an index that lags tells it once more");
        assert_eq!(listing.page(&Filter::default(), Order::Newest, 0, 9).total, 0);
        assert!(listing.apply(at(7, true)));
        assert_eq!(listing.page(&Filter::default(), Order::Newest, 0, 9).total, 1);
    }

    #[test]
    fn a_base_that_does_not_add_up_is_none() {
        let row = |id_bytes, words_bytes, category| ListingRow {
            id_bytes,
            words_bytes,
            category,
            changed_at: 1,
            price_thousandths: 1,
            rating_sum: 0,
            rating_count: 0,
            created_at: 1,
        };
        let base = |texts: &str, rows: &[ListingRow]| {
            Base::new(texts.to_owned(), vec!["c".to_owned()], rows.to_vec()).is_some()
        };
        assert!(base("", &[]));
        assert!(base("aWORDSbX", &[row(1, 5, 0), row(1, 1, 0)]));
        let none: [(&str, &[ListingRow]); 8] = [
            ("a", &[]),
            ("aWORDSb", &[row(1, 5, 0)]),
            ("aWORDS", &[row(1, 6, 0)]),
            ("aWORDS", &[row(u32::MAX, u32::MAX, 0)]),
            ("aWORDS", &[row(1, 5, 1)]),
            ("WORDS", &[row(0, 5, 0)]),
            ("ba", &[row(1, 0, 0), row(1, 0, 0)]),
            ("ñx", &[row(1, 2, 0)]),
        ];
        for (texts, rows) in none {
            assert!(!base(texts, rows), "{texts} {rows:?}");
        }
        assert!(!base("aa", &[row(1, 0, 0), row(1, 0, 0)]), "twice the same");
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
        /// However much of it was written down in between, a list knows what it was told.
        #[test]
        fn what_was_written_down_in_between_makes_no_difference(
            changes in proptest::collection::vec(("[a-d]", 0i64..6, proptest::option::of(any_entry())), 0..24),
            cuts in proptest::collection::vec(0usize..24, 0..3),
            gone in proptest::option::of(("[a-d]", 0usize..24)),
        ) {
            let (mut plain, mut written) = (Listing::default(), Listing::default());
            for (at, (id, changed_at, entry)) in changes.into_iter().enumerate() {
                if cuts.contains(&at) {
                    // Marks of deleted products are not written down: what is older than they are is not told again then.
                    let deleted: Vec<ProductChange> = written.since.values().filter(|at| at.entry.is_none()).cloned().collect();
                    written = Listing::on(written.to_base().unwrap());
                    for change in deleted {
                        written.apply(change);
                    }
                }
                if let Some((id, _)) = gone.as_ref().filter(|(_, when)| *when == at) {
                    plain.forget(id);
                    written.forget(id);
                }
                let change = ProductChange { id, changed_at, entry };
                prop_assert_eq!(plain.apply(change.clone()), written.apply(change));
                let page = |listing: &Listing| listing.page(&Filter::default(), Order::PriceUp, 1, 9);
                prop_assert_eq!(page(&plain), page(&written));
            }
        }

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
                .filter(|(_, e)| from <= e.price_thousandths && e.price_thousandths <= to)
                .filter(|(_, e)| words.as_ref().is_none_or(|w| e.words.contains(w.as_str())))
                .collect();
            // Sorted stably by id first, and by floating-point means, which are exact enough for such small numbers.
            let mean = |e: &Entry| if e.rating_count == 0 { 0.0 } else { e.rating_sum as f64 / e.rating_count as f64 };
            expected.sort_by(|(_, a), (_, b)| match order {
                Order::PriceUp => a.price_thousandths.cmp(&b.price_thousandths),
                Order::PriceDown => b.price_thousandths.cmp(&a.price_thousandths),
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
