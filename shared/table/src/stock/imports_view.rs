//! Imports as operators announce and watch them. How they are worked on is in `imports`.

use aws_sdk_dynamodb::Client;

use almacen_domain::Millis;
use almacen_domain::stock::import::{Import, Mode, State};

use crate::keys;
use crate::stock::imports::counters;
use almacen_dynamo::DynamoError;
use almacen_dynamo::attr::{Item, b, count, item, n, number, required_number, required_text, s, text, truth};
use almacen_dynamo::page::{Page, limit_for};

/// An announced import whose file never comes is forgotten after this: seven days, in seconds.
pub const PENDING_KEPT_SECONDS: i64 = 7 * 24 * 3600;

/// Everything an import shows; not its plan, which can be long.
const SHOWN: &str = "id, created_at, #state, #mode, dry_run, file_name, #rows, rows_total, changed, unchanged, created, \
                     rejected, stale, failure, report_key, rejected_key, finished_at";

/// The Imports table, to be looked at.
#[derive(Debug, Clone)]
pub struct ImportsView {
    client: Client,
    table: String,
}

impl ImportsView {
    /// Over this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Keeps an import that waits for its file, announced by the user `by`.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn announce(&self, import: &Import, by: &str) -> Result<(), DynamoError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(announced(import, by)))
            .send()
            .await
            .map_err(DynamoError::from_sdk("announce import"))?;
        Ok(())
    }

    /// One import, as it is now.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn get(&self, id: &str) -> Result<Option<Import>, DynamoError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(keys::ID, s(id))
            .key(keys::PART, s(keys::IMPORT))
            .consistent_read(true)
            .projection_expression(SHOWN)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#mode", "mode")
            .expression_attribute_names("#rows", "rows")
            .send()
            .await
            .map_err(DynamoError::from_sdk("read import"))?;
        answer.item().map(decode).transpose()
    }

    /// A page of imports, newest first.
    ///
    /// # Errors
    /// [`DynamoError`].
    pub async fn recent(
        &self,
        limit: usize,
        after: Option<(Millis, String)>,
    ) -> Result<Page<Import, (Millis, String)>, DynamoError> {
        let start = after.map(|(created_at, id)| {
            [
                ("kind".to_owned(), s("import")),
                ("created_at".to_owned(), n(created_at)),
                (keys::ID.to_owned(), s(id)),
                (keys::PART.to_owned(), s(keys::IMPORT)),
            ]
            .into()
        });
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::RECENT_INDEX)
            .key_condition_expression("kind = :import")
            .expression_attribute_values(":import", s("import"))
            .projection_expression(SHOWN)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#mode", "mode")
            .expression_attribute_names("#rows", "rows")
            .scan_index_forward(false)
            .limit(limit_for(limit))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(DynamoError::from_sdk("query imports"))?;
        let found: Vec<Import> = answer.items().iter().map(decode).collect::<Result<_, _>>()?;
        let key = |import: &Import| (import.created_at, import.id.clone());
        Ok(Page::cut(found, limit, answer.last_evaluated_key.is_some(), key))
    }
}

fn announced(import: &Import, by: &str) -> Item {
    item([
        (keys::ID, s(&import.id)),
        (keys::PART, s(keys::IMPORT)),
        ("kind", s("import")),
        ("created_at", n(import.created_at)),
        ("state", s(import.state.as_str())),
        ("mode", s(import.mode.as_str())),
        ("dry_run", b(import.dry_run)),
        ("file_name", s(&import.file_name)),
        ("uploaded_by", s(by)),
        ("expires_at", n(import.created_at / 1000 + PENDING_KEPT_SECONDS)),
    ])
}

fn decode(item: &Item) -> Result<Import, DynamoError> {
    let (mode, state) = (required_text(item, "mode")?, required_text(item, "state")?);
    Ok(Import {
        id: required_text(item, keys::ID)?,
        file_name: required_text(item, "file_name")?,
        mode: Mode::parse(&mode).ok_or(DynamoError::Malformed { attribute: "mode" })?,
        dry_run: truth(item, "dry_run")?,
        state: State::parse(&state).ok_or(DynamoError::Malformed { attribute: "state" })?,
        counters: counters(item)?,
        rows_total: count(item, "rows_total")?,
        created_at: required_number(item, "created_at")?,
        finished_at: number(item, "finished_at")?,
        failure: text(item, "failure")?,
        report_key: text(item, "report_key")?,
        rejected_key: text(item, "rejected_key")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_domain::stock::import::Counters;

    #[test]
    fn an_announced_import_is_read_back_as_it_was() {
        let import = Import {
            id: "imp_1".to_owned(),
            file_name: "stores/Berlin/a.csv".to_owned(),
            mode: Mode::Adjust,
            dry_run: true,
            state: State::Pending,
            counters: Counters::default(),
            rows_total: None,
            created_at: 1_705_834_800_123,
            finished_at: None,
            failure: None,
            report_key: None,
            rejected_key: None,
        };
        let item = announced(&import, "u1");
        assert_eq!(number(&item, "expires_at").unwrap(), Some(1_705_834_800 + 604_800));
        assert_eq!(decode(&item).unwrap(), import);
        assert!(decode(&Item::new()).is_err());
    }
}
