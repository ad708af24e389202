//! Stock lines and stores as people read and change them through the API. How imports do is in [`super::imported`].

use almacen_clock::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure};

use almacen_domain::Millis;
use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::kernel::search::Needle;
use almacen_domain::stock::patch::{CountChange, Patch, PatchRefusal, ThresholdChange, why_refused};
use almacen_domain::stock::{COUNT_MAX, Level, StockLine};

use super::record::{API_SOURCE, EDIT_VERSION, MOVED_BY, edit_version, line, line_key};
use crate::keys;
use crate::stock::stamps;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{count, n, natural, number, required_number, required_text, s};
use almacen_dynamo::calls::{BATCH_GET_MAX, Pause, get_many, retries};
use almacen_dynamo::error::was_not_made;
use almacen_dynamo::page::{Page, limit_for, limit_of};
use almacen_dynamo::version::{VersionCondition, Versioned as _};

/// Lines that one search looks at before it answers with what it found: 2,000 lines are about half a megabyte, 60 read
/// units and a tenth of a second. A search that is not through says where it stopped.
pub const EXAMINED_MAX: usize = 2_000;
/// Lines read at once while searching.
const SEARCH_PAGE: usize = 500;
/// Pages of the Stores table that one answer may take: it holds stores without lines too.
const STORE_PAGES_MAX: usize = 20;
/// Tries of a change that others keep coming before.
const PATCH_TRIES: u32 = 20;
/// Everything a line shows.
const LINE: &str = "#store, sku, on_hand, reserved, available, threshold, version, edit_version, moved_by, updated_at";

/// Which lines of a store are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whose name contains this.
    pub needle: Option<Needle>,
    /// That are low, against this default threshold.
    pub low_against: Option<i64>,
}

impl Filter {
    fn takes(&self, line: &StockLine) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.is_in(line.sku.as_str()))
            && self.low_against.is_none_or(|default| line.level(default) != Level::Enough)
    }
}

/// One store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSummary {
    /// Its name.
    pub store: String,
    /// How many lines it has.
    pub lines: u64,
    /// How many of them are low.
    pub low: u64,
}

/// The tables that lines and stores are in.
#[derive(Debug, Clone)]
pub struct Items {
    client: Client,
    inventory: String,
    stores: String,
    alerts: String,
}

impl Items {
    /// Over these tables: Inventory, Stores, StockAlerts.
    #[must_use]
    pub fn new(client: Client, inventory: String, stores: String, alerts: String) -> Self {
        Self { client, inventory, stores, alerts }
    }

    /// One line, as it is now.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn line(&self, store: &StoreId, sku: &Sku) -> Result<Option<StockLine>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.inventory)
            .set_key(Some(line_key(store.as_str(), sku.as_str())))
            .consistent_read(true)
            .send()
            .await
            .map_err(DynamoError::from_sdk("read line"))?;
        answer.item().map(line).transpose()
    }

    /// A page of every line there is, in no order that means anything. Its cost is that of the page.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn all(
        &self,
        limit: usize,
        after: Option<(String, String)>,
    ) -> Result<Page<StockLine, (String, String)>, DynamoError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.inventory)
            .projection_expression(LINE)
            .expression_attribute_names("#store", keys::STORE)
            .limit(limit_for(limit))
            .set_exclusive_start_key(after.map(|(store, sku)| line_key(&store, &sku)))
            .send()
            .await
            .map_err(DynamoError::from_sdk("scan lines"))?;
        let found: Vec<StockLine> = answer.items().iter().map(line).collect::<Result<_, _>>()?;
        let key = |line: &StockLine| (line.store.as_str().to_owned(), line.sku.as_str().to_owned());
        Ok(Page::cut(found, limit, answer.last_evaluated_key.is_some(), key))
    }

    /// A page of a store's lines that pass `filter`, in order of sku. It looks at [`EXAMINED_MAX`] lines at most; a
    /// page may therefore be short, or empty, and still not be the last.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn of_store(
        &self,
        store: &StoreId,
        filter: &Filter,
        limit: usize,
        after: Option<String>,
    ) -> Result<Page<StockLine, String>, DynamoError> {
        let searching = filter.needle.is_some();
        let mut gathered = Gathered { found: Vec::new(), examined: 0, last: after };
        loop {
            let want = if searching { SEARCH_PAGE } else { limit - gathered.found.len() + 1 };
            let want = want.min(EXAMINED_MAX - gathered.examined);
            let (lines, end) = if filter.low_against.is_some() {
                self.low_page(store, want.min(BATCH_GET_MAX), gathered.last.clone()).await?
            } else {
                self.line_page(store, want, gathered.last.clone()).await?
            };
            let exhausted = end.is_none();
            let took_all = gathered.take(lines, filter, limit);
            if took_all && let Some(end) = end {
                gathered.last = Some(end);
            }
            let through = exhausted && took_all;
            if through || !took_all || gathered.examined >= EXAMINED_MAX {
                let next = if through { None } else { gathered.last };
                return Ok(Page { found: gathered.found, next, examined: gathered.examined > 0 });
            }
        }
    }

    /// Lines in order of sku, and the last sku looked at where there may be more.
    async fn line_page(
        &self,
        store: &StoreId,
        want: usize,
        after: Option<String>,
    ) -> Result<(Vec<(String, Option<StockLine>)>, Option<String>), DynamoError> {
        let answer = self
            .client
            .query()
            .table_name(&self.inventory)
            .key_condition_expression("#store = :store")
            .projection_expression(LINE)
            .expression_attribute_names("#store", keys::STORE)
            .expression_attribute_values(":store", s(store.as_str()))
            .limit(limit_of(want))
            .set_exclusive_start_key(after.map(|sku| line_key(store.as_str(), &sku)))
            .send()
            .await
            .map_err(DynamoError::from_sdk("query lines"))?;
        let end = answer.last_evaluated_key().map(|key| required_text(key, keys::SKU)).transpose()?;
        let lines = answer
            .items()
            .iter()
            .map(|item| line(item).map(|line| (line.sku.as_str().to_owned(), Some(line))))
            .collect::<Result<_, _>>()?;
        Ok((lines, end))
    }

    /// Lines with an open alert, as they are now, in order of sku; `None` for one that is gone.
    async fn low_page(
        &self,
        store: &StoreId,
        want: usize,
        after: Option<String>,
    ) -> Result<(Vec<(String, Option<StockLine>)>, Option<String>), DynamoError> {
        let start = after.map(|sku| {
            let mut key = line_key(store.as_str(), &sku);
            key.insert("open_store".to_owned(), s(store.as_str()));
            key
        });
        let answer = self
            .client
            .query()
            .table_name(&self.alerts)
            .index_name(keys::OPEN_INDEX)
            .key_condition_expression("open_store = :store")
            .expression_attribute_values(":store", s(store.as_str()))
            .limit(limit_of(want))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(DynamoError::from_sdk("query open alerts"))?;
        let end = answer.last_evaluated_key().map(|key| required_text(key, keys::SKU)).transpose()?;
        let skus: Vec<String> =
            answer.items().iter().map(|item| required_text(item, keys::SKU)).collect::<Result<_, _>>()?;
        let mut lines = self.lines_of(store, &skus).await?;
        let lines = skus
            .into_iter()
            .map(|sku| {
                let at = lines.iter().position(|line| line.sku.as_str() == sku);
                let line = at.map(|at| lines.swap_remove(at));
                (sku, line)
            })
            .collect();
        Ok((lines, end))
    }

    /// These lines, at most [`BATCH_GET_MAX`], in no order.
    async fn lines_of(&self, store: &StoreId, skus: &[String]) -> Result<Vec<StockLine>, DynamoError> {
        let wanted = skus.iter().map(|sku| line_key(store.as_str(), sku)).collect();
        let how =
            KeysAndAttributes::builder().projection_expression(LINE).expression_attribute_names("#store", keys::STORE);
        let lines = get_many(&self.client, &self.inventory, "read lines", wanted, how).await?;
        lines.iter().map(line).collect()
    }

    /// Did the store ever have a line?
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn store_exists(&self, store: &StoreId) -> Result<bool, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.stores)
            .key(keys::STORE, s(store.as_str()))
            .projection_expression("#lines")
            .expression_attribute_names("#lines", "lines")
            .send()
            .await
            .map_err(DynamoError::from_sdk("read store"))?;
        Ok(answer.item().map(|item| natural(item, "lines")).transpose()?.is_some_and(|lines| lines > 0))
    }

    /// A page of the stores that have lines, by name within the page.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn stores(&self, limit: usize, after: Option<String>) -> Result<Page<StoreSummary, String>, DynamoError> {
        let mut found: Vec<StoreSummary> = Vec::new();
        let mut last = after;
        let mut next = None;
        'pages: for _ in 0..STORE_PAGES_MAX {
            let answer = self
                .client
                .scan()
                .table_name(&self.stores)
                .projection_expression("#store, #lines, low")
                .expression_attribute_names("#store", keys::STORE)
                .expression_attribute_names("#lines", "lines")
                .limit(limit_for(limit))
                .set_exclusive_start_key(last.map(|store| [(keys::STORE.to_owned(), s(store))].into()))
                .send()
                .await
                .map_err(DynamoError::from_sdk("scan stores"))?;
            for item in answer.items() {
                let Some(lines) = count(item, "lines")?.filter(|lines| *lines > 0) else { continue };
                if found.len() == limit {
                    next = found.last().map(|store| store.store.clone());
                    break 'pages;
                }
                let low = count(item, "low").unwrap_or_else(|error| {
                    tracing::error!(%error, "low lines of a store cannot be read");
                    None
                });
                let low = low.unwrap_or(0);
                found.push(StoreSummary { store: required_text(item, keys::STORE)?, lines, low });
            }
            last = answer.last_evaluated_key().map(|key| required_text(key, keys::STORE)).transpose()?;
            next = last.clone();
            if last.is_none() {
                break;
            }
        }
        found.sort_by(|a, b| a.store.cmp(&b.store));
        Ok(Page { examined: !found.is_empty(), found, next })
    }

    /// Changes one line in one conditional write, and answers it as it is then. `by` is the user; `now` becomes the
    /// count's time, unless the line was counted later than that by a clock ahead of ours, which then is kept: a count
    /// never looks older than the one it replaces. Where it must not be made, it answers why.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn patch(
        &self,
        store: &StoreId,
        sku: &Sku,
        patch: &Patch,
        expected: &Precondition,
        by: &str,
        now: Millis,
    ) -> Result<Result<StockLine, PatchRefusal>, DynamoError> {
        // The SDK repeats a write whose answer was lost. That is harmless where the second write makes the same line
        // again; otherwise it would add twice, or find its own first write and report a version that does not match.
        let repeatable = patch.is_repeatable() && *expected == Precondition::Any;
        let started = Instant::now();
        let mut counted_at = now;
        let mut pause = Pause::new();
        for _ in 0..PATCH_TRIES {
            let write = Write { patch, expected, by, now, counted_at };
            let update = write.put_on(
                self.client
                    .update_item()
                    .table_name(&self.inventory)
                    .set_key(Some(line_key(store.as_str(), sku.as_str()))),
            );
            let error = match update.customize().config_override(retries(repeatable)).send().await {
                Ok(answer) => {
                    return answer
                        .attributes()
                        .map(line)
                        .unwrap_or(Err(DynamoError::Malformed { attribute: keys::SKU }))
                        .map(Ok);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let held = failed.item();
                    let state = held
                        .map(|item| Ok::<_, DynamoError>((edit_version(item)?, required_number(item, "on_hand")?)))
                        .transpose()?;
                    if let Some(reason) = why_refused(state, patch, expected) {
                        return Ok(Err(reason));
                    }
                    let held_at = held.map(|item| number(item, "counted_at")).transpose()?;
                    let held_at = held_at.flatten().unwrap_or(counted_at);
                    // Others go on while we try: the time of the first try would lose to each of them again.
                    let passed = i64::try_from(started.elapsed().as_millis()).unwrap_or(0);
                    counted_at = held_at.max(now.saturating_add(passed));
                }
                // Certainly not made.
                Some(_) if was_not_made(&error) => {
                    pause.wait("change line").await?;
                }
                _ if repeatable => return Err(DynamoError::from_sdk("change line")(error)),
                _ => return Err(DynamoError::from_write("change line")(error)),
            }
        }
        Err(DynamoError::contended("change line"))
    }
}

/// What a page of candidates leaves behind.
struct Gathered {
    found: Vec<StockLine>,
    examined: usize,
    /// The last sku looked at.
    last: Option<String>,
}

impl Gathered {
    /// Takes the lines that pass, up to `limit`. `false`: there was one more than fits, and it waits for the next page.
    fn take(&mut self, lines: Vec<(String, Option<StockLine>)>, filter: &Filter, limit: usize) -> bool {
        for (sku, line) in lines {
            let passing = line.filter(|line| filter.takes(line));
            if passing.is_some() && self.found.len() == limit {
                return false;
            }
            self.examined += 1;
            self.last = Some(sku);
            self.found.extend(passing);
        }
        true
    }
}

/// One try of a patch.
struct Write<'a> {
    patch: &'a Patch,
    expected: &'a Precondition,
    by: &'a str,
    now: Millis,
    counted_at: Millis,
}

impl Write<'_> {
    fn put_on(&self, update: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let mut set = vec![
            "version = version + :one",
            "edit_version = if_not_exists(edit_version, version) + :one",
            "updated_at = :now",
            "changed_by = :by",
        ];
        let mut remove = vec![MOVED_BY];
        let mut condition = VersionCondition::expected_or_older(EDIT_VERSION, "version", self.expected);
        let mut update = update
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(self.now))
            .expression_attribute_values(":by", s(self.by))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match &self.patch.reason {
            Some(reason) => {
                set.push("#reason = :reason");
                update = update.expression_attribute_values(":reason", s(reason));
            }
            // A reason belongs to the change it was given for.
            None => remove.push("#reason"),
        }
        update = update.expression_attribute_names("#reason", "reason");
        match self.patch.threshold {
            Some(ThresholdChange::Own(threshold)) => {
                set.push("threshold = :threshold");
                update = update.expression_attribute_values(":threshold", n(threshold));
            }
            Some(ThresholdChange::Default) => remove.push("threshold"),
            None => {}
        }
        match self.patch.count {
            Some(CountChange::Set(count)) => {
                set.extend(["on_hand = :count", "available = :count - reserved"]);
                update = update.expression_attribute_values(":count", n(count));
            }
            Some(CountChange::Adjust(by)) => {
                set.extend(["on_hand = on_hand + :change", "available = available + :change"]);
                condition = condition.and("on_hand BETWEEN :least AND :most");
                update = update
                    .expression_attribute_values(":change", n(by))
                    .expression_attribute_values(":least", n((-by).max(0)))
                    .expression_attribute_values(":most", n((COUNT_MAX - by).min(COUNT_MAX)));
            }
            None => {}
        }
        if self.patch.count.is_some() {
            set.extend(["counted_at = :counted", "#source = :api", "s3_order = :none"]);
            remove.push(stamps::LEFT_PADDED);
            condition = condition.and("counted_at <= :counted");
            update = update
                .expression_attribute_names("#source", "source")
                .expression_attribute_values(":counted", n(self.counted_at))
                .expression_attribute_values(":api", s(API_SOURCE))
                .expression_attribute_values(":none", s(""));
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        update.update_expression(expression).only_if(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::Config;

    fn stock(sku: &str, available: i64) -> StockLine {
        StockLine {
            store: StoreId::parse("Berlin").unwrap(),
            sku: Sku::parse(sku).unwrap(),
            on_hand: available,
            reserved: 0,
            available,
            threshold: None,
            edit_version: 1,
            moved: false,
            updated_at: 0,
        }
    }

    fn page(skus: &[(&str, i64)]) -> Vec<(String, Option<StockLine>)> {
        skus.iter().map(|(sku, available)| ((*sku).to_owned(), Some(stock(sku, *available)))).collect()
    }

    #[test]
    fn a_full_page_stops_before_the_line_that_does_not_fit() {
        let all = Filter::default();
        let mut gathered = Gathered { found: Vec::new(), examined: 0, last: None };
        assert!(gathered.take(page(&[("a", 1), ("b", 1)]), &all, 2));
        assert_eq!((gathered.found.len(), gathered.last.as_deref()), (2, Some("b")));
        assert!(!gathered.take(page(&[("c", 1)]), &all, 2));
        assert_eq!((gathered.found.len(), gathered.last.as_deref()), (2, Some("b")));

        // What does not pass the filter is passed by, also after the page is full.
        let low = Filter { needle: Needle::new("té"), low_against: Some(5) };
        let mut gathered = Gathered { found: Vec::new(), examined: 0, last: None };
        let lines = page(&[("Té", 5), ("Té verde", 6), ("Café", 1), ("te negro", 0), ("Mate", 9)]);
        assert!(gathered.take(lines, &low, 2));
        let names: Vec<&str> = gathered.found.iter().map(|line| line.sku.as_str()).collect();
        assert_eq!((names, gathered.examined, gathered.last.as_deref()), (vec!["Té", "te negro"], 5, Some("Mate")));
        assert!(gathered.take(vec![("gone".to_owned(), None)], &low, 2));
    }

    fn expressions(
        count: Option<CountChange>,
        threshold: Option<ThresholdChange>,
        expected: &Precondition,
    ) -> (String, String) {
        let client = Client::from_conf(Config::builder().behavior_version_latest().build());
        let patch = Patch { count, threshold, reason: None };
        let write = Write { patch: &patch, expected, by: "u1", now: 7, counted_at: 9 };
        let update = write.put_on(client.update_item());
        (update.get_update_expression().clone().unwrap(), update.get_condition_expression().clone().unwrap())
    }

    #[test]
    fn one_write_carries_all_its_conditions() {
        let check = |count, threshold, expected: Precondition, set: &str, condition: &str| {
            assert_eq!(expressions(count, threshold, &expected), (set.to_owned(), condition.to_owned()));
        };
        check(
            None,
            Some(ThresholdChange::Default),
            Precondition::Any,
            "SET version = version + :one, edit_version = if_not_exists(edit_version, version) + :one, updated_at = :now, changed_by = :by REMOVE moved_by, #reason, threshold",
            "attribute_exists(version)",
        );
        check(
            Some(CountChange::Set(3)),
            Some(ThresholdChange::Own(2)),
            Precondition::OneOf(vec![4, 5]),
            "SET version = version + :one, edit_version = if_not_exists(edit_version, version) + :one, updated_at = :now, changed_by = :by, threshold = :threshold, \
             on_hand = :count, available = :count - reserved, counted_at = :counted, #source = :api, s3_order = :none \
             REMOVE moved_by, #reason, sequencer",
            "attribute_exists(version) AND (edit_version IN (:version0, :version1) OR (attribute_not_exists(edit_version) AND version IN (:version0, :version1))) AND counted_at <= :counted",
        );
        check(
            Some(CountChange::Adjust(-3)),
            None,
            Precondition::OneOf(Vec::new()),
            "SET version = version + :one, edit_version = if_not_exists(edit_version, version) + :one, updated_at = :now, changed_by = :by, on_hand = on_hand + :change, \
             available = available + :change, counted_at = :counted, #source = :api, s3_order = :none \
             REMOVE moved_by, #reason, sequencer",
            "attribute_exists(version) AND attribute_not_exists(version) AND on_hand BETWEEN :least AND :most \
             AND counted_at <= :counted",
        );
    }
}
