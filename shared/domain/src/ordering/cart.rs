//! Carts: what a customer means to buy, how it may change, and what it looks like beside the catalogue of now.
//!
//! A cart keeps products and quantities. What they cost, and whether they can be had, is asked of the catalogue every
//! time; the price and the name that a line was added with are kept only to say what has changed.

use std::collections::HashMap;

use crate::Millis;
use crate::catalogue::Product;
use crate::kernel::money::{Currency, Money};
use crate::ordering::coupon::{Code, CouponUsage, Goods, Why, check};
use crate::ordering::pricing::{Rules, Totals, line_total, totals};
use crate::ordering::shipping::Shipping;

/// Lines of one cart; as many as one order takes.
pub const LINES_MAX: usize = 40;
/// Pieces of one line.
pub const QUANTITY_MAX: i64 = 999;
/// A cart lives so long after its last change: thirty days, in milliseconds.
pub const KEPT_MS: Millis = 30 * 24 * 3600 * 1000;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product's id.
    pub product: String,
    /// What it was called when it was added.
    pub name: String,
    /// How many pieces.
    pub quantity: i64,
    /// What one cost when it was added.
    pub price: Money,
    /// When it was first added.
    pub added_at: Millis,
}

/// A customer's cart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cart {
    /// Its lines, in the order in which they were added.
    pub lines: Vec<Line>,
    /// The coupon that was last applied.
    pub coupon: Option<Code>,
    /// Grows with every change; 0 for a cart that is not stored.
    pub version: i64,
    /// When it was last changed; `None` for one that never was.
    pub updated_at: Option<Millis>,
}

/// What is to happen to a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartChange {
    /// So many pieces more of a product.
    Add {
        /// Which.
        product: String,
        /// How many more.
        quantity: i64,
    },
    /// A line has so many pieces from now on.
    Set {
        /// Which.
        product: String,
        /// How many.
        quantity: i64,
    },
    /// A line goes.
    Remove {
        /// Which.
        product: String,
    },
    /// A coupon, in the place of any other.
    Apply(Code),
    /// The coupon goes.
    RemoveCoupon,
}

/// Why a cart was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartRefusal {
    /// The product is not there, or no longer.
    NoSuchProduct,
    /// The cart has no such line.
    NoSuchLine,
    /// There are as many lines as there may be, [`LINES_MAX`].
    TooManyLines,
    /// The line would have more than [`QUANTITY_MAX`] pieces.
    TooManyPieces {
        /// How many it has.
        held: i64,
    },
    /// There are not so many.
    NotEnough {
        /// What the product is called.
        name: String,
        /// How many there are.
        stock: i64,
    },
    /// The cart's lines are in another currency.
    OtherCurrency {
        /// The cart's.
        cart: Currency,
        /// The product's.
        product: Currency,
    },
    /// Nothing that is sold in the product's currency is shipped.
    NotShipped {
        /// The product's.
        product: Currency,
    },
    /// The cart has no coupon.
    NoCoupon,
    /// The coupon does not count.
    Coupon(Why),
}

/// What the catalogue has said of the products that it was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// By their id; `None` for one that is not offered.
    answers: HashMap<String, Option<Product>>,
}

impl Catalogue {
    /// Remembers that these were asked about, and what was found of them.
    pub fn learn(&mut self, asked: &[String], mut found: HashMap<String, Product>) {
        self.answers.extend(asked.iter().map(|id| (id.clone(), found.remove(id))));
    }

    /// A product; `None` where it is not offered, or was not asked about.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Product> {
        self.answers.get(id)?.as_ref()
    }

    fn unknown(&self, id: &str) -> bool {
        !self.answers.contains_key(id)
    }
}

impl Cart {
    /// The products of a cart that the catalogue was not asked about yet.
    #[must_use]
    pub fn unknown(&self, catalogue: &Catalogue) -> Vec<String> {
        let lines = self.lines.iter().map(|line| &line.product);
        lines.filter(|id| catalogue.unknown(id)).cloned().collect()
    }

    /// Is everything known up to the first line that decides the currency?
    fn known_currency(&self, catalogue: &Catalogue, shipping: &Shipping) -> bool {
        let mut answers = self.lines.iter().map(|line| catalogue.answers.get(&line.product));
        let decides = |answer: &Option<&Option<Product>>| match answer {
            Some(Some(product)) => shipping.serves(product.price.currency),
            Some(None) => false,
            None => true,
        };
        answers.find(decides).is_none_or(|answer| answer.is_some())
    }

    /// Those that have to be asked about before a change of it can be decided, each once. A cart's currency is that of its
    /// first line still offered and shipped: what comes after that line decides nothing when a product is added.
    #[must_use]
    pub fn undecided(&self, change: &CartChange, catalogue: &Catalogue, shipping: &Shipping) -> Vec<String> {
        let product = match change {
            // Neither is decided by what anything costs.
            CartChange::Remove { .. } | CartChange::RemoveCoupon => return Vec::new(),
            // A coupon's minimum is measured over all of it.
            CartChange::Apply(_) => return self.unknown(catalogue),
            CartChange::Add { product, .. } | CartChange::Set { product, .. } => product,
        };
        // As soon as one is asked about, the others may be too: the answer shows them all.
        let mut ids = if self.known_currency(catalogue, shipping) { Vec::new() } else { self.unknown(catalogue) };
        if catalogue.unknown(product) && !ids.contains(product) {
            ids.push(product.clone());
        }
        ids
    }

    /// The currency that the cart is in: that of its first line that is still offered, and is shipped.
    #[must_use]
    pub fn currency(&self, catalogue: &Catalogue, shipping: &Shipping) -> Option<Currency> {
        let offered = self.lines.iter().filter_map(|line| catalogue.get(&line.product));
        offered.map(|product| product.price.currency).find(|currency| shipping.serves(*currency))
    }

    /// The goods that are counted: what is offered, in the cart's currency.
    fn goods(&self, catalogue: &Catalogue, shipping: &Shipping) -> Goods {
        let currency = self.currency(catalogue, shipping);
        let counted = self.lines.iter().filter_map(|line| {
            let product = catalogue.get(&line.product)?;
            (Some(product.price.currency) == currency).then(|| line_total(product.price.minor, line.quantity))
        });
        Goods { minor: counted.fold(0, i64::saturating_add), currency }
    }

    /// The cart after a change. `coupon` is what is known of the coupon to be applied. `None` where nothing changes, so
    /// that a repeated request writes nothing.
    ///
    /// # Errors
    /// [`CartRefusal`].
    pub fn changed(
        &self,
        change: &CartChange,
        catalogue: &Catalogue,
        coupon: Option<&CouponUsage>,
        shipping: &Shipping,
        now: Millis,
    ) -> Result<Option<Self>, CartRefusal> {
        let mut next = self.clone();
        match change {
            CartChange::Add { product, quantity } => next.add(product, *quantity, (catalogue, shipping), now)?,
            CartChange::Set { product, quantity } => next.set(product, *quantity, (catalogue, shipping))?,
            CartChange::Remove { product } => {
                let at = next.position(product).ok_or(CartRefusal::NoSuchLine)?;
                next.lines.remove(at);
            }
            CartChange::Apply(code) => {
                check(coupon, self.goods(catalogue, shipping), now).map_err(CartRefusal::Coupon)?;
                next.coupon = Some(code.clone());
            }
            CartChange::RemoveCoupon => {
                next.coupon.take().ok_or(CartRefusal::NoCoupon)?;
            }
        }
        if next == *self {
            return Ok(None);
        }
        next.version = self.version.saturating_add(1);
        next.updated_at = Some(now);
        Ok(Some(next))
    }

    fn position(&self, product: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.product == product)
    }

    fn add(
        &mut self,
        id: &str,
        quantity: i64,
        (catalogue, shipping): (&Catalogue, &Shipping),
        now: Millis,
    ) -> Result<(), CartRefusal> {
        let product = catalogue.get(id).ok_or(CartRefusal::NoSuchProduct)?;
        let at = self.position(id);
        let held = at.and_then(|at| self.lines.get(at)).map_or(0, |line| line.quantity);
        shipped(product, shipping)?;
        if self.lines.iter().any(|line| line.product != id) {
            self.same_currency(product, catalogue, shipping)?;
        }
        if at.is_none() && self.lines.len() >= LINES_MAX {
            return Err(CartRefusal::TooManyLines);
        }
        let wanted = held.saturating_add(quantity);
        if wanted > QUANTITY_MAX {
            return Err(CartRefusal::TooManyPieces { held });
        }
        enough(product, wanted)?;
        // Whoever adds more of it has seen what it costs and is called now.
        let (name, price) = (product.name.clone(), product.price);
        match at.and_then(|at| self.lines.get_mut(at)) {
            Some(line) => (line.quantity, line.name, line.price) = (wanted, name, price),
            None => self.lines.push(Line { product: id.to_owned(), name, quantity: wanted, price, added_at: now }),
        }
        Ok(())
    }

    fn set(
        &mut self,
        id: &str,
        quantity: i64,
        (catalogue, shipping): (&Catalogue, &Shipping),
    ) -> Result<(), CartRefusal> {
        let at = self.position(id).ok_or(CartRefusal::NoSuchLine)?;
        let product = catalogue.get(id).ok_or(CartRefusal::NoSuchProduct)?;
        // A cart that holds more than there is, or what does not count, may always hold less.
        if self.lines.get(at).is_some_and(|line| quantity > line.quantity) {
            shipped(product, shipping)?;
            self.same_currency(product, catalogue, shipping)?;
            enough(product, quantity)?;
        }
        if let Some(line) = self.lines.get_mut(at) {
            line.quantity = quantity;
        }
        Ok(())
    }

    fn same_currency(&self, product: &Product, catalogue: &Catalogue, shipping: &Shipping) -> Result<(), CartRefusal> {
        match self.currency(catalogue, shipping).filter(|cart| *cart != product.price.currency) {
            Some(cart) => Err(CartRefusal::OtherCurrency { cart, product: product.price.currency }),
            None => Ok(()),
        }
    }
}

fn shipped(product: &Product, shipping: &Shipping) -> Result<(), CartRefusal> {
    let currency = product.price.currency;
    if shipping.serves(currency) { Ok(()) } else { Err(CartRefusal::NotShipped { product: currency }) }
}

fn enough(product: &Product, wanted: i64) -> Result<(), CartRefusal> {
    if wanted > product.stock {
        return Err(CartRefusal::NotEnough { name: product.name.clone(), stock: product.stock.max(0) });
    }
    Ok(())
}

/// Can a line be had?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// Yes.
    Enough,
    /// There are fewer than the line has: it counts, but an order would be refused.
    Short {
        /// How many there are.
        stock: i64,
    },
    /// The product is no longer offered: the line does not count.
    Gone,
    /// It is now sold in another currency than the cart: the line does not count.
    OtherCurrency,
    /// Nothing that is sold in its currency is shipped: the line does not count.
    NotShipped,
}

/// A line as the catalogue has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLine {
    /// The product's id.
    pub product: String,
    /// Its name now; for one that is gone, what it was called.
    pub name: String,
    /// What one costs now; for one that is gone, what it cost.
    pub price: Money,
    /// What one cost when it was added, where that differs.
    pub previous: Option<Money>,
    /// How many pieces.
    pub quantity: i64,
    /// The key of its first image.
    pub image: Option<String>,
    /// Whether it can be had.
    pub supply: Supply,
}

/// A cart as its customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCart {
    /// Its lines.
    pub lines: Vec<ShownLine>,
    /// The coupon, and why it does not count where it does not.
    pub coupon: Option<(Code, Result<(), Why>)>,
    /// What it costs.
    pub totals: Totals,
    /// In which currency; `None` where nothing is in it.
    pub currency: Option<Currency>,
    /// When it was last changed.
    pub updated_at: Option<Millis>,
}

/// The cart as it is now: prices and stock from the catalogue, the coupon looked at again.
#[must_use]
pub fn shown(
    cart: &Cart,
    catalogue: &Catalogue,
    coupon: Option<&CouponUsage>,
    rules: &Rules,
    now: Millis,
) -> ShownCart {
    let goods = cart.goods(catalogue, &rules.shipping);
    let checked = cart.coupon.clone().map(|code| (code, check(coupon, goods, now)));
    let benefit = checked.as_ref().and_then(|(_, checked)| checked.ok());
    let line = |line: &Line| shown_line(line, catalogue.get(&line.product), goods.currency, &rules.shipping);
    ShownCart {
        lines: cart.lines.iter().map(line).collect(),
        coupon: checked.map(|(code, checked)| (code, checked.map(drop))),
        totals: totals(goods, benefit, rules),
        currency: goods.currency,
        updated_at: cart.updated_at,
    }
}

fn shown_line(line: &Line, product: Option<&Product>, currency: Option<Currency>, shipping: &Shipping) -> ShownLine {
    let Some(product) = product else {
        return ShownLine {
            product: line.product.clone(),
            name: line.name.clone(),
            price: line.price,
            previous: None,
            quantity: line.quantity,
            image: None,
            supply: Supply::Gone,
        };
    };
    let comparable = product.price.currency == line.price.currency;
    let supply = if !shipping.serves(product.price.currency) {
        Supply::NotShipped
    } else if Some(product.price.currency) != currency {
        Supply::OtherCurrency
    } else if product.stock < line.quantity {
        Supply::Short { stock: product.stock.max(0) }
    } else {
        Supply::Enough
    };
    ShownLine {
        product: line.product.clone(),
        name: product.name.clone(),
        price: product.price,
        previous: (comparable && product.price != line.price).then_some(line.price),
        quantity: line.quantity,
        image: product.images.first().cloned(),
        supply,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ordering::coupon::{Benefit, Coupon};
    use proptest::prelude::*;

    const NOW: Millis = 1_705_834_800_000;

    /// 8 % of tax, and shipping by these rates.
    fn rules(rates: &str) -> Rules {
        Rules { tax_basis_points: 800, shipping: Shipping::parse(rates, "").unwrap() }
    }

    /// What becomes of a cart where shipping is free in every currency.
    fn changed(
        cart: &Cart,
        change: &CartChange,
        catalogue: &Catalogue,
        coupon: Option<&CouponUsage>,
        now: Millis,
    ) -> Result<Option<Cart>, CartRefusal> {
        cart.changed(change, catalogue, coupon, &Shipping::default(), now)
    }

    fn product(id: &str, minor: i64, stock: i64) -> Product {
        Product {
            id: id.to_owned(),
            name: format!("Name of {id}"),
            description: String::new(),
            price: Money::new(minor, Currency::USD),
            category: "c".to_owned(),
            sku: None,
            tags: Vec::new(),
            specifications: BTreeMap::new(),
            images: vec![format!("{id}/1")],
            stock,
            rating_sum: 0,
            rating_count: 0,
            version: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn in_euros(id: &str) -> Product {
        let euro = Currency::parse("EUR").unwrap();
        Product { price: Money::new(100, euro), ..product(id, 100, 10) }
    }

    fn catalogue(products: impl IntoIterator<Item = Product>) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for product in products {
            catalogue.answers.insert(product.id.clone(), Some(product));
        }
        catalogue
    }

    /// Asks `shop` about these.
    fn ask(catalogue: &mut Catalogue, ids: &[String], shop: &Catalogue) {
        let found = ids.iter().filter_map(|id| shop.get(id)).map(|product| (product.id.clone(), product.clone()));
        catalogue.learn(ids, found.collect());
    }

    fn add(product: &str, quantity: i64) -> CartChange {
        CartChange::Add { product: product.to_owned(), quantity }
    }

    fn set(product: &str, quantity: i64) -> CartChange {
        CartChange::Set { product: product.to_owned(), quantity }
    }

    fn with(lines: &[(&str, i64)], catalogue: &Catalogue) -> Cart {
        lines.iter().fold(Cart::default(), |cart, (id, quantity)| {
            changed(&cart, &add(id, *quantity), catalogue, None, NOW).unwrap().unwrap()
        })
    }

    fn held(cart: &Cart) -> Vec<(&str, i64)> {
        cart.lines.iter().map(|line| (line.product.as_str(), line.quantity)).collect()
    }

    fn standing(benefit: Benefit) -> CouponUsage {
        let coupon = Coupon {
            code: Code::parse("VERANO10").unwrap(),
            benefit,
            currency: None,
            minimum: 0,
            starts_at: None,
            ends_at: Some(NOW + 1),
            uses_max: None,
            uses_per_customer: None,
            uses: 0,
        };
        CouponUsage { coupon, used_by_customer: 0 }
    }

    #[test]
    fn what_becomes_of_a_cart() {
        let catalogue = catalogue([product("a", 9_999, 1_000_000), product("b", 1, 5), in_euros("e")]);
        let cart = with(&[("a", 2), ("b", 3)], &catalogue);
        let check = |change: CartChange, expected: Result<Option<Vec<(&str, i64)>>, CartRefusal>| {
            let found = changed(&cart, &change, &catalogue, None, NOW + 1);
            let found = found.map(|next| {
                next.inspect(|next| assert_eq!((next.version, next.updated_at), (3, Some(NOW + 1)), "{change:?}"))
            });
            let found = found.as_ref().map(|next| next.as_ref().map(held)).map_err(Clone::clone);
            assert_eq!(found, expected, "{change:?}");
        };
        let short = || Err(CartRefusal::NotEnough { name: "Name of b".to_owned(), stock: 5 });
        check(add("a", 1), Ok(Some(vec![("a", 3), ("b", 3)])));
        check(add("a", 997), Ok(Some(vec![("a", 999), ("b", 3)])));
        check(add("a", 998), Err(CartRefusal::TooManyPieces { held: 2 }));
        check(add("a", i64::MAX), Err(CartRefusal::TooManyPieces { held: 2 }));
        check(add("b", 2), Ok(Some(vec![("a", 2), ("b", 5)])));
        check(add("b", 3), short());
        check(add("x", 1), Err(CartRefusal::NoSuchProduct));
        let euro = Currency::parse("EUR").unwrap();
        check(add("e", 1), Err(CartRefusal::OtherCurrency { cart: Currency::USD, product: euro }));
        check(set("a", 999), Ok(Some(vec![("a", 999), ("b", 3)])));
        check(set("a", 2), Ok(None));
        check(set("b", 6), short());
        check(set("b", 1), Ok(Some(vec![("a", 2), ("b", 1)])));
        check(set("e", 1), Err(CartRefusal::NoSuchLine));
        check(set("x", 1), Err(CartRefusal::NoSuchLine));
        check(CartChange::Remove { product: "a".to_owned() }, Ok(Some(vec![("b", 3)])));
        check(CartChange::Remove { product: "x".to_owned() }, Err(CartRefusal::NoSuchLine));
        check(CartChange::RemoveCoupon, Err(CartRefusal::NoCoupon));
        check(CartChange::Apply(Code::parse("NADA").unwrap()), Err(CartRefusal::Coupon(Why::Unknown)));
    }

    #[test]
    fn forty_lines_and_not_one_more() {
        let catalogue = catalogue((0..=LINES_MAX).map(|n| product(&format!("p{n:02}"), 100, 10)));
        let ids: Vec<String> = (0..=LINES_MAX).map(|n| format!("p{n:02}")).collect();
        let lines: Vec<(&str, i64)> = ids.iter().take(LINES_MAX).map(|id| (id.as_str(), 1)).collect();
        let cart = with(&lines, &catalogue);
        assert_eq!(changed(&cart, &add("p40", 1), &catalogue, None, NOW), Err(CartRefusal::TooManyLines));
        let more = changed(&cart, &add("p39", 1), &catalogue, None, NOW).unwrap().unwrap();
        assert_eq!((more.lines.len(), held(&more)[39]), (LINES_MAX, ("p39", 2)));
    }

    #[test]
    fn a_cart_that_holds_more_than_there_is_may_hold_less() {
        let before = catalogue([product("a", 100, 10)]);
        let cart = with(&[("a", 10)], &before);
        let after = catalogue([product("a", 100, 3)]);
        let less = changed(&cart, &set("a", 5), &after, None, NOW).unwrap().unwrap();
        assert_eq!(held(&less), [("a", 5)]);
        assert!(matches!(
            changed(&cart, &add("a", 1), &after, None, NOW),
            Err(CartRefusal::NotEnough { stock: 3, .. })
        ));
        let shown = shown(&less, &after, None, &rules(""), NOW);
        assert_eq!((shown.lines[0].supply, shown.totals.subtotal), (Supply::Short { stock: 3 }, 500));
    }

    #[test]
    fn prices_are_those_of_the_catalogue_and_moves_are_told() {
        let before = catalogue([product("a", 9_999, 10), product("b", 500, 10)]);
        let cart = with(&[("a", 2), ("b", 1)], &before);
        let first = shown(&cart, &before, None, &rules(""), NOW);
        assert_eq!(first.totals, Totals { subtotal: 20_498, discount: 0, tax: 1_640, shipping: 0, total: 22_138 });
        assert!(first.lines.iter().all(|line| line.previous.is_none() && line.supply == Supply::Enough));

        let after = catalogue([product("a", 8_999, 10)]);
        let second = shown(&cart, &after, None, &rules(""), NOW);
        assert_eq!(second.totals.subtotal, 17_998);
        let [a, b] = second.lines.as_slice() else { panic!("two lines") };
        assert_eq!((a.price.minor, a.previous), (8_999, Some(Money::new(9_999, Currency::USD))));
        assert_eq!((b.name.as_str(), b.price.minor, b.supply), ("Name of b", 500, Supply::Gone));
        // Adding more of it is agreeing to its price.
        let more = changed(&cart, &add("a", 1), &after, None, NOW).unwrap().unwrap();
        assert_eq!(shown(&more, &after, None, &rules(""), NOW).lines[0].previous, None);
        let other = changed(&cart, &set("a", 1), &after, None, NOW).unwrap().unwrap();
        assert_eq!(shown(&other, &after, None, &rules(""), NOW).lines[0].previous.unwrap().minor, 9_999);
        // Of what is gone a line can only be removed.
        assert_eq!(changed(&cart, &set("b", 2), &after, None, NOW), Err(CartRefusal::NoSuchProduct));
        assert_eq!(changed(&cart, &add("b", 1), &after, None, NOW), Err(CartRefusal::NoSuchProduct));
        let gone = changed(&cart, &CartChange::Remove { product: "b".to_owned() }, &after, None, NOW).unwrap().unwrap();
        assert_eq!(held(&gone), [("a", 2)]);
    }

    #[test]
    fn a_line_that_changed_its_currency_does_not_count() {
        let before = catalogue([product("a", 100, 10), product("e", 200, 10)]);
        let cart = with(&[("a", 1), ("e", 1)], &before);
        let after = catalogue([product("a", 100, 10), in_euros("e")]);
        let seen = shown(&cart, &after, None, &rules(""), NOW);
        assert_eq!((seen.totals.subtotal, seen.currency), (100, Some(Currency::USD)));
        assert_eq!((seen.lines[1].supply, seen.lines[1].previous), (Supply::OtherCurrency, None));
        // Once the first line is gone, the cart is in the other's currency.
        let alone =
            changed(&cart, &CartChange::Remove { product: "a".to_owned() }, &after, None, NOW).unwrap().unwrap();
        let seen = shown(&alone, &after, None, &rules(""), NOW);
        assert_eq!((seen.totals.subtotal, seen.lines[0].supply), (100, Supply::Enough));
    }

    #[test]
    fn what_is_not_shipped_is_not_added_and_does_not_count() {
        let shop = catalogue([in_euros("e"), product("a", 100, 10), product("b", 200, 10)]);
        let rules = rules("USD:4.99");
        let change = |cart: &Cart, change: &CartChange| cart.changed(change, &shop, None, &rules.shipping, NOW);
        let euro = Currency::parse("EUR").unwrap();
        assert_eq!(change(&Cart::default(), &add("e", 1)), Err(CartRefusal::NotShipped { product: euro }));

        // It was added before there were rates, and before the others.
        let cart = with(&[("e", 2)], &shop);
        let seen = shown(&cart, &shop, None, &rules, NOW);
        assert_eq!((seen.lines[0].supply, seen.totals, seen.currency), (Supply::NotShipped, Totals::default(), None));
        assert_eq!(change(&cart, &set("e", 3)), Err(CartRefusal::NotShipped { product: euro }));
        assert_eq!(held(&change(&cart, &set("e", 1)).unwrap().unwrap()), [("e", 1)]);

        // It does not decide the cart's currency.
        let more = change(&cart, &add("a", 1)).unwrap().unwrap();
        let seen = shown(&more, &shop, None, &rules, NOW);
        assert_eq!(seen.lines.iter().map(|line| line.supply).collect::<Vec<_>>(), [Supply::NotShipped, Supply::Enough]);
        assert_eq!(seen.totals, Totals { subtotal: 100, discount: 0, tax: 8, shipping: 499, total: 607 });
        assert_eq!(seen.currency, Some(Currency::USD));
        assert!(change(&more, &add("b", 1)).is_ok());
    }

    #[test]
    fn a_coupon_is_looked_at_again_whenever_the_cart_is() {
        let catalogue = catalogue([product("a", 10_000, 10)]);
        let cart = with(&[("a", 1)], &catalogue);
        let ten = standing(Benefit::Percent(1_000));
        let apply = CartChange::Apply(ten.coupon.code.clone());
        let applied = changed(&cart, &apply, &catalogue, Some(&ten), NOW).unwrap().unwrap();
        assert_eq!(changed(&applied, &apply, &catalogue, Some(&ten), NOW), Ok(None));
        let seen = shown(&applied, &catalogue, Some(&ten), &rules(""), NOW);
        assert_eq!((seen.totals.discount, seen.totals.total), (1_000, 9_720));
        assert_eq!(seen.coupon, Some((ten.coupon.code.clone(), Ok(()))));
        for (now, known, why) in [(NOW + 1, Some(&ten), Why::Ended), (NOW, None, Why::Unknown)] {
            let seen = shown(&applied, &catalogue, known, &rules(""), now);
            assert_eq!((seen.totals.discount, seen.totals.total), (0, 10_800));
            assert_eq!(seen.coupon, Some((ten.coupon.code.clone(), Err(why))));
        }
        assert_eq!(changed(&cart, &apply, &catalogue, Some(&ten), NOW + 1), Err(CartRefusal::Coupon(Why::Ended)));
        let removed = changed(&applied, &CartChange::RemoveCoupon, &catalogue, None, NOW).unwrap().unwrap();
        assert_eq!((removed.coupon, removed.version), (None, 3));
    }

    fn changes() -> impl Strategy<Value = CartChange> {
        let id = || (0..60_u32).prop_map(|n| format!("p{n}"));
        prop_oneof![
            4 => (id(), 1..=QUANTITY_MAX).prop_map(|(product, quantity)| CartChange::Add { product, quantity }),
            1 => (id(), 1..=QUANTITY_MAX).prop_map(|(product, quantity)| CartChange::Set { product, quantity }),
            1 => id().prop_map(|product| CartChange::Remove { product }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_done_a_cart_stays_within_its_bounds(changes in proptest::collection::vec(changes(), 0..150)) {
            let catalogue = catalogue((0..55).map(|n| product(&format!("p{n}"), i64::from(n), 700)));
            let mut cart = Cart::default();
            for change in changes {
                if let Ok(Some(next)) = changed(&cart, &change, &catalogue, None, NOW) {
                    prop_assert_eq!(next.version, cart.version + 1);
                    cart = next;
                }
            }
            prop_assert!(cart.lines.len() <= LINES_MAX);
            prop_assert!(cart.lines.iter().all(|line| (1..=700).contains(&line.quantity)));
            let mut ids: Vec<&str> = cart.lines.iter().map(|line| line.product.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), cart.lines.len());
            let seen = shown(&cart, &catalogue, None, &rules(""), NOW);
            let sum: i64 = seen.lines.iter().map(|line| line.price.minor * line.quantity).sum();
            prop_assert_eq!(seen.totals.subtotal, sum);
        }

        #[test]
        fn what_is_not_asked_about_decides_nothing(
            before in proptest::collection::vec((0..20_usize, any::<bool>()), 0..8),
            known in proptest::collection::vec(any::<bool>(), 20),
            offered in proptest::collection::vec(any::<bool>(), 20),
            change in prop_oneof![
                3 => (0..20_usize, 1..1_000_i64).prop_map(|(n, quantity)| add(&format!("p{n}"), quantity)),
                1 => (0..20_usize, 1..1_000_i64).prop_map(|(n, quantity)| set(&format!("p{n}"), quantity)),
                1 => (0..20_usize).prop_map(|n| CartChange::Remove { product: format!("p{n}") }),
                1 => Just(CartChange::Apply(Code::parse("VERANO10").unwrap())),
            ],
            rates in proptest::sample::select(&["", "USD:1", "EUR:1", "USD:1,EUR:1", "CLP:1"][..]),
        ) {
            let rules = rules(rates);
            let shipping = &rules.shipping;
            let id = |n: usize| format!("p{n}");
            let of = |n: usize, euros| if euros { in_euros(&id(n)) } else { product(&id(n), 1, 700) };
            // Its lines may be of two currencies, as they are after products have changed theirs.
            let cart = before.iter().fold(Cart::default(), |mut cart, (n, _)| {
                let line = with(&[(&id(*n), 1)], &catalogue([of(*n, false)])).lines.remove(0);
                if cart.position(&line.product).is_none() {
                    cart.lines.push(line);
                }
                cart
            });
            let euros = |n: usize| before.iter().any(|(line, euros)| *line == n && *euros);
            let shop = catalogue((0..20).filter(|n| offered[*n]).map(|n| of(n, euros(n))));
            let (mut all, mut some) = (Catalogue::default(), Catalogue::default());
            ask(&mut all, &(0..20).map(id).collect::<Vec<_>>(), &shop);
            ask(&mut some, &(0..20).filter(|n| known[*n]).map(id).collect::<Vec<_>>(), &shop);

            let missing = cart.undecided(&change, &some, shipping);
            prop_assert!(missing.iter().enumerate().all(|(at, id)| some.unknown(id) && !missing[..at].contains(id)));
            ask(&mut some, &missing, &shop);
            prop_assert!(cart.undecided(&change, &some, shipping).is_empty());
            let coupon = standing(Benefit::FreeShipping);
            let decided = |catalogue: &Catalogue| cart.changed(&change, catalogue, Some(&coupon), shipping, NOW);
            prop_assert_eq!(decided(&some), decided(&all));
            let rest = cart.unknown(&some);
            ask(&mut some, &rest, &shop);
            let seen = |catalogue: &Catalogue| shown(&cart, catalogue, None, &rules, NOW);
            prop_assert_eq!(seen(&some), seen(&all));
        }
    }
}
