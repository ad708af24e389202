//! Stock lines, stores and imports over HTTP: reads what is asked, asks the tables, answers.

use std::collections::BTreeMap;

use almacen_contract::error::{ApiError, Code, RequestError};
use almacen_contract::imports::{CreatedBody, ImportBody, ImportsBody, Links, NewImport, UploadBody};
use almacen_contract::items::{LineBody, LinesBody, StoreBody, StoresBody, patch_refused};
use almacen_contract::time::rfc3339;
use almacen_domain::kernel::id;
use almacen_domain::kernel::name::StoreId;
use almacen_domain::kernel::search::Needle;
use almacen_domain::stock::StockLine;
use almacen_domain::stock::import::{Counters, Import, State};
use almacen_dynamo::page::Page;
use almacen_files::presign::{self, LINK_LASTS};
use almacen_lambda_kit::config::{ConfigError, Env};
use almacen_lambda_kit::http::{Http, Reply, Request, etag};
use almacen_lambda_kit::query::PageRequest;
use almacen_lambda_kit::start::now_ms;
use almacen_table::stock::imports_view::ImportsView;
use almacen_table::stock::inventory::{Filter, Items};

pub mod ask;

use ask::{Ask, after_import, after_line, after_store, after_store_line};

/// What the environment says.
#[derive(Debug)]
pub struct Config {
    /// Table of stock lines.
    pub inventory: String,
    /// Table of stores.
    pub stores: String,
    /// Table of imports.
    pub imports: String,
    /// Table of stock alerts.
    pub stock_alerts: String,
    /// The buckets.
    pub buckets: Buckets,
    /// At how many a line without a threshold of its own is low.
    pub default_threshold: i64,
    /// How HTTP is answered.
    pub http: Http,
}

/// Where files are.
#[derive(Debug, Clone)]
pub struct Buckets {
    /// For uploads.
    pub uploads: String,
    /// For reports.
    pub reports: String,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// Names everything that is missing or wrong.
    pub fn read(mut env: Env) -> Result<Self, ConfigError> {
        let config = Self {
            inventory: env.required("INVENTORY_TABLE"),
            stores: env.required("STORES_TABLE"),
            imports: env.required("IMPORTS_TABLE"),
            stock_alerts: env.required("STOCK_ALERTS_TABLE"),
            buckets: Buckets { uploads: env.required("UPLOAD_BUCKET"), reports: env.required("REPORTS_BUCKET") },
            default_threshold: env.number("DEFAULT_THRESHOLD"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        };
        env.check()?;
        Ok(config)
    }
}

/// The function and what it talks to.
#[derive(Debug)]
pub struct Api {
    /// Lines and stores.
    pub items: Items,
    /// Imports.
    pub imports: ImportsView,
    /// Where files are.
    pub buckets: Buckets,
    /// At how many a line without a threshold of its own is low.
    pub default_threshold: i64,
}

impl Api {
    /// Answers one request.
    ///
    /// # Errors
    /// What the caller sees, and the cause.
    pub async fn handle(&self, request: Request) -> Result<Reply, RequestError> {
        match Ask::read(&request)? {
            Ask::AllLines(page) => self.all_lines(page).await,
            Ask::StoreLines { store, needle, low, page } => self.store_lines(store, needle, low, page).await,
            Ask::Line(store, sku) => {
                let line = self.items.line(&store, &sku).await?;
                let line = line.ok_or_else(|| ApiError::new(Code::NotFound))?;
                // After an order the tag is the same, and the stock is not.
                if !line.moved && request.has_already(line.edit_version) {
                    return Ok(Reply::empty(304).with("etag", etag(line.edit_version)));
                }
                self.one_line(line)
            }
            Ask::PatchLine { store, sku, patch, expected, by } => {
                let changed = self.items.patch(&store, &sku, &patch, &expected, &by, now_ms()).await?;
                let line = changed.map_err(|refusal| patch_refused(sku.as_str(), refusal))?;
                tracing::info!(store = store.as_str(), version = line.edit_version, by, "line changed");
                self.one_line(line)
            }
            Ask::Stores(page) => self.stores(page).await,
            Ask::NewImport { new, by } => self.new_import(new, &by).await,
            Ask::Imports(PageRequest { limit, after }) => {
                let page = self.imports.recent(limit, after).await?;
                let mut imports = Vec::with_capacity(page.found.len());
                for import in page.found {
                    imports.push(self.shown(import)?);
                }
                Reply::json(200, &ImportsBody { imports, next: page.next.as_ref().map(after_import) })
            }
            Ask::Import(id) => {
                let import = self.imports.get(&id).await?;
                let import = import.ok_or_else(|| ApiError::new(Code::NotFound))?;
                Reply::json(200, &self.shown(import)?)
            }
        }
    }

    fn one_line(&self, line: StockLine) -> Result<Reply, RequestError> {
        let tag = etag(line.edit_version);
        Ok(Reply::json(200, &LineBody::of(line, self.default_threshold))?.with("etag", tag))
    }

    fn lines<K>(&self, page: Page<StockLine, K>, next: impl Fn(&K) -> String) -> Result<Reply, RequestError> {
        let items = page.found.into_iter().map(|line| LineBody::of(line, self.default_threshold)).collect();
        Reply::json(200, &LinesBody { items, next: page.next.as_ref().map(next) })
    }

    async fn all_lines(&self, wanted: PageRequest<(String, String)>) -> Result<Reply, RequestError> {
        let page = self.items.all(wanted.limit, wanted.after).await?;
        self.lines(page, after_line)
    }

    async fn store_lines(
        &self,
        store: StoreId,
        needle: Option<Needle>,
        low: bool,
        wanted: PageRequest<String>,
    ) -> Result<Reply, RequestError> {
        let first = wanted.after.is_none();
        let filter = Filter { needle, low_against: low.then_some(self.default_threshold) };
        let page = self.items.of_store(&store, &filter, wanted.limit, wanted.after).await?;
        if first && !page.examined && !self.items.knows(&store).await? {
            return Err(ApiError::new(Code::NotFound).into());
        }
        self.lines(page, |sku| after_store_line(&store, low, sku))
    }

    async fn stores(&self, wanted: PageRequest<String>) -> Result<Reply, RequestError> {
        let page = self.items.stores(wanted.limit, wanted.after).await?;
        let stores = page.found.into_iter().map(|s| StoreBody { store: s.store, lines: s.lines, low: s.low }).collect();
        Reply::json(200, &StoresBody { stores, next: page.next.as_deref().map(after_store) })
    }

    async fn new_import(&self, new: NewImport, by: &str) -> Result<Reply, RequestError> {
        let now = now_ms();
        let import = Import {
            id: id::random("imp"),
            file_name: new.file_name,
            mode: new.mode,
            dry_run: new.dry_run,
            state: State::Pending,
            counters: Counters::default(),
            rows_total: None,
            created_at: now,
            finished_at: None,
            failure: None,
            report_key: None,
            rejected_key: None,
        };
        let key = format!("imports/{}/{}", import.id, import.file_name);
        let link = presign::put(&self.buckets.uploads, &key)?;
        self.imports.announce(&import, by).await?;
        tracing::info!(import = import.id, by, "import announced");
        let lasts = i64::try_from(LINK_LASTS.as_millis()).unwrap_or(0);
        let body = CreatedBody {
            import_id: import.id,
            upload: UploadBody { url: link, method: "PUT", headers: BTreeMap::new() },
            expires_at: rfc3339(now + lasts),
        };
        Reply::json(201, &body)
    }

    /// An import with links to what it left behind.
    fn shown(&self, import: Import) -> Result<ImportBody, RequestError> {
        let mut links = Links::default();
        if let Some(key) = &import.report_key {
            links.report = Some(self.download(key, None)?);
        }
        if let Some(key) = &import.rejected_key {
            links.rejected = Some(self.download(key, Some(&rejected_name(&import.file_name)))?);
        }
        Ok(ImportBody::of(import, links))
    }

    fn download(&self, key: &str, save_as: Option<&str>) -> Result<String, RequestError> {
        Ok(presign::get(&self.buckets.reports, key, save_as)?)
    }
}

/// What a browser saves the rejected rows as: `stores/Berlin/stock.csv.gz` → `stock-rejected.csv`.
fn rejected_name(file_name: &str) -> String {
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{stem}-rejected.csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_rows_are_named_after_their_file() {
        assert_eq!(rejected_name("stores/Berlin/stock.csv.gz"), "stock-rejected.csv");
        assert_eq!(rejected_name("Inventario 2024.txt"), "Inventario 2024-rejected.csv");
        assert_eq!(rejected_name("stock"), "stock-rejected.csv");
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let told = Config::read(Env::of([("DEFAULT_THRESHOLD", "five")])).unwrap_err().to_string();
        assert_eq!(
            told,
            "environment: INVENTORY_TABLE is missing; STORES_TABLE is missing; IMPORTS_TABLE is missing; \
             STOCK_ALERTS_TABLE is missing; UPLOAD_BUCKET is missing; REPORTS_BUCKET is missing; \
             DEFAULT_THRESHOLD is not a number in range; ALLOWED_ORIGIN is missing"
        );
    }
}
