//! Files and people of the warehouse.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::api::{As, Request};
use crate::shop::{Known, Shop};

/// Items that every store has.
pub(crate) const SKUS: [&str; 10] = ["Té", "Mate", "Chai", "Cacao", "Café", "Miel", "Sal", "Arroz", "Trigo", "Maíz"];
/// Below which a line is low, in the stores that are counted.
const THRESHOLD: i64 = 5;
/// What the store that is adjusted begins with: more than is ever taken.
pub(crate) const BEGINS_WITH: i64 = 500;

/// What a store must have at the end.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) name: &'static str,
    pub(crate) counts: RefCell<BTreeMap<&'static str, i64>>,
}

impl Shelf {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, counts: RefCell::default() }
    }

    fn file(&self, rows: &[(&'static str, i64)], threshold: i64) -> String {
        let mut text = "store,sku,count,threshold\n".to_owned();
        for (sku, count) in rows {
            let _ = writeln!(text, "{},{sku},{count},{threshold}", self.name);
        }
        text
    }
}

/// What became of files: how many imports there must be of each kind.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// By key: must it be refused?
    pub(crate) uploaded: RefCell<BTreeMap<String, bool>>,
}

impl Files {
    /// Uploads a file, announced or not. `false`: it could not be announced, and was not uploaded.
    async fn upload(
        &self,
        shop: &Shop<'_>,
        rng: &mut fastrand::Rng,
        text: &str,
        metadata: &[(&str, &str)],
        bad: bool,
    ) -> bool {
        let name = format!("file-{}.csv", shop.number());
        let mut key = name.clone();
        if rng.u8(..4) == 0 {
            let find = |wanted: &str| metadata.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
            let body = json!({
                "fileName": name,
                "mode": find("mode").unwrap_or("set"),
                "dryRun": find("dry-run").is_some(),
            });
            let request = Request::new(As::Operator, "POST", "/imports", &[]).body(&body);
            // Where the answer is lost nothing is uploaded under that id, and it waits for ever.
            let Some(reply) = shop.insist(&request).await else { return false };
            if !shop.expect("POST /imports", &reply, &[201]) {
                return false;
            }
            key = format!("imports/{}/{name}", reply.body["importId"].as_str().unwrap_or_default());
        }
        let announced = key != name;
        if let Err(error) = shop.world.put_object("UploadBucket", &key, text, if announced { &[] } else { metadata }) {
            shop.wrong(format!("{key}: {error:#}"));
        }
        self.uploaded.borrow_mut().insert(key, bad);
        // Two files of the same millisecond have no order.
        sleep(Duration::from_millis(2)).await;
        true
    }
}

fn some_rows(rng: &mut fastrand::Rng, value: impl Fn(&mut fastrand::Rng) -> i64) -> Vec<(&'static str, i64)> {
    let mut skus = SKUS;
    rng.shuffle(&mut skus);
    let taken = rng.usize(1..=SKUS.len());
    skus[..taken].iter().map(|sku| (*sku, value(rng))).collect()
}

/// Counts a store, again and again.
pub(crate) async fn stocktaker(shop: &Shop<'_>, name: &str, shelf: &Shelf, files: &Files) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let rows = some_rows(&mut rng, |rng| rng.i64(0..30));
        let text = shelf.file(&rows, THRESHOLD);
        match rng.u8(..10) {
            0 => drop(files.upload(shop, &mut rng, &text, &[("dry-run", "true")], false).await),
            1 => drop(files.upload(shop, &mut rng, "roses,are,red\nviolets,are,blue\n", &[], true).await),
            2..=4 => {
                // A mistake, and at once the file that puts it right.
                let before = shelf.counts.borrow().clone();
                if files.upload(shop, &mut rng, &text, &[], false).await {
                    shelf.counts.borrow_mut().extend(rows.iter().copied());
                }
                let right: Vec<(&'static str, i64)> =
                    rows.iter().map(|(sku, count)| (*sku, before.get(sku).copied().unwrap_or(*count))).collect();
                sleep(Duration::from_millis(rng.u64(..40))).await;
                if files.upload(shop, &mut rng, &shelf.file(&right, THRESHOLD), &[], false).await {
                    shelf.counts.borrow_mut().extend(right);
                }
            }
            other => {
                let bad = if other == 5 {
                    format!("{},Té,many,5\n{},,3,5\n", shelf.name, shelf.name)
                } else {
                    String::new()
                };
                if files.upload(shop, &mut rng, &(text + &bad), &[], false).await {
                    shelf.counts.borrow_mut().extend(rows);
                }
            }
        }
    }
}

/// Uploads what came in and went out.
pub(crate) async fn adjuster(shop: &Shop<'_>, name: &str, shelf: &Shelf, files: &Files) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let rows = some_rows(&mut rng, |rng| if rng.bool() { rng.i64(1..=10) } else { -rng.i64(1..=10) });
        let text = shelf.file(&rows, BEGINS_WITH - 5);
        if !files.upload(shop, &mut rng, &text, &[("mode", "adjust")], false).await {
            continue;
        }
        let mut counts = shelf.counts.borrow_mut();
        for (sku, by) in rows {
            *counts.entry(sku).or_default() += by;
        }
    }
}

/// Changes lines of a store by hand, where nobody else does.
pub(crate) async fn operator(
    shop: &Shop<'_>,
    name: &str,
    store: &str,
    lines: &RefCell<BTreeMap<&'static str, Known<i64>>>,
) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let sku = SKUS[rng.usize(..4)];
        let line = "/items/{store}/{item+}";
        let Some(reply) = shop.insist(&Request::new(As::Operator, "GET", line, &[store, sku])).await else { continue };
        if !shop.expect("GET a line", &reply, &[200]) {
            continue;
        }
        let Some((count, tag)) = reply.body["count"].as_i64().zip(reply.headers["etag"].as_str()) else {
            shop.wrong(format!("a line without count or tag: {}", reply.body));
            continue;
        };
        let mut known = lines.borrow().get(sku).cloned().unwrap_or_else(|| Known::is(count));
        if !known.seen(count) {
            shop.wrong(format!("{store}/{sku} has {count}, which it cannot"));
        }
        let (change, to) = match rng.u8(..3) {
            0 => (json!({"threshold": rng.i64(0..10)}), count),
            1 => {
                let to = rng.i64(0..20);
                (json!({"count": to}), to)
            }
            _ => {
                let by = rng.i64(-count.min(5)..=6);
                (json!({"adjust": by}), count + by)
            }
        };
        if change == json!({"adjust": 0}) {
            lines.borrow_mut().insert(sku, known);
            continue;
        }
        let patch = Request::new(As::Operator, "PATCH", line, &[store, sku]).body(&change).header("if-match", tag);
        match shop.insist(&patch).await {
            // The tag of before: an earlier try of this request came through.
            Some(reply) if reply.status == 412 => known.perhaps(|_| to),
            Some(reply) if shop.expect("PATCH", &reply, &[200]) => {
                known.changed(|_| to);
                if reply.body["count"] != to {
                    shop.wrong(format!("{store}/{sku} was answered {} instead of {to}", reply.body["count"]));
                }
            }
            Some(_) => {}
            None => known.perhaps(|_| to),
        }
        lines.borrow_mut().insert(sku, known);
    }
}

/// The line that several people adjust at the same moments.
pub(crate) const SHARED: &str = SKUS[5];

/// One of several people who take from and add to a line at the same moments.
pub(crate) async fn hand(shop: &Shop<'_>, name: &str, store: &str, known: &RefCell<Known<i64>>) {
    for when in shop.times("hands") {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        sleep(Duration::from_millis(rng.u64(..30))).await;
        let by = rng.i64(1..=9);
        let patch = Request::new(As::Operator, "PATCH", "/items/{store}/{item+}", &[store, SHARED]);
        // Adding twice adds twice: nobody asks again.
        match shop.once(&patch.body(&json!({"adjust": by}))).await {
            Some(reply) if shop.expect("PATCH", &reply, &[200]) => known.borrow_mut().changed(|count| count + by),
            Some(_) => {}
            None => known.borrow_mut().perhaps(|count| count + by),
        }
    }
}

/// Notes what is to be done.
pub(crate) async fn task_keeper(shop: &Shop<'_>, name: &str, tasks: &RefCell<BTreeMap<String, Known<Option<bool>>>>) {
    for when in shop.times(name) {
        let Some(mut rng) = shop.step(name, when).await else { continue };
        let title = format!("Contar {}", shop.number());
        let content = |completed: bool| json!({"title": title, "description": "", "completed": completed});
        let made = shop.once(&Request::new(As::Operator, "POST", "/tasks", &[]).body(&content(false))).await;
        let Some(reply) = made else {
            tasks.borrow_mut().insert(title.clone(), Known::is(None));
            if let Some(known) = tasks.borrow_mut().get_mut(&title) {
                known.perhaps(|_| Some(false));
            }
            continue;
        };
        if !shop.expect("POST /tasks", &reply, &[201]) {
            continue;
        }
        let id = reply.body["id"].as_str().unwrap_or_default().to_owned();
        let mut known = Known::is(Some(false));
        sleep(Duration::from_secs(rng.u64(..30))).await;
        if rng.bool() {
            let put = Request::new(As::Operator, "PUT", "/tasks/{id}", &[&id]).body(&content(true));
            match shop.insist(&put).await {
                Some(reply) if shop.expect("PUT a to-do", &reply, &[200]) => known.changed(|_| Some(true)),
                Some(_) => {}
                None => known.perhaps(|_| Some(true)),
            }
        }
        if rng.u8(..3) == 0 {
            match shop.insist(&Request::new(As::Operator, "DELETE", "/tasks/{id}", &[&id])).await {
                Some(reply) if shop.expect("DELETE a to-do", &reply, &[204, 404]) => known.changed(|_| None),
                Some(_) => {}
                None => known.perhaps(|_| None),
            }
        }
        tasks.borrow_mut().insert(title, known);
    }
}
