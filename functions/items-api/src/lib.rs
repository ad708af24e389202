//! Stock lines, stores and imports over HTTP: parse the request, call the tables, answer.

use std::collections::BTreeMap;

use almacen_aws_client::Aws;
use almacen_clock::{now_ms, random};
use almacen_contract::error::{ApiError, Code, RequestError};
use almacen_contract::imports::{CreatedBody, ImportBody, ImportsBody, Links, NewImport, UploadBody};
use almacen_contract::items::{LineBody, LinesBody, StoreBody, StoresBody, patch_refused};
use almacen_contract::time::rfc3339;
use almacen_domain::kernel::name::StoreId;
use almacen_domain::kernel::search::Needle;
use almacen_domain::stock::StockLine;
use almacen_domain::stock::import::{Counters, Import, State};
use almacen_dynamo::page::Page;
use almacen_files::Files;
use almacen_files::presign::{self, LINK_LASTS};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply, etag};
use almacen_lambda_kit::query::PageRequest;
use almacen_table::stock::imports_view::ImportsView;
use almacen_table::stock::inventory::{Filter, Items};

pub mod request;

use request::{Request, after_import, after_line, after_store, after_store_line};

/// The function and what it talks to.
#[derive(Debug)]
pub struct ItemsApi {
    items: Items,
    imports: ImportsView,
    files: Files,
    buckets: Buckets,
    /// At how many a line without a threshold of its own is low.
    default_threshold: i64,
    http: Http,
}

/// Where files are.
#[derive(Debug)]
struct Buckets {
    uploads: String,
    reports: String,
}

impl ItemsApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        let tables = almacen_dynamo::client(aws);
        let (inventory, stores) = (env.required("INVENTORY_TABLE"), env.required("STORES_TABLE"));
        Self {
            items: Items::new(tables.clone(), inventory, stores, env.required("STOCK_ALERTS_TABLE")),
            imports: ImportsView::new(tables, env.required("IMPORTS_TABLE")),
            files: Files::new(aws),
            buckets: Buckets { uploads: env.required("UPLOAD_BUCKET"), reports: env.required("REPORTS_BUCKET") },
            default_threshold: env.number("DEFAULT_THRESHOLD"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }
}

impl HttpFunction for ItemsApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        match Request::read(&request)? {
            Request::AllLines(page) => self.all_lines(page).await,
            Request::StoreLines { store, needle, low, page } => self.store_lines(store, needle, low, page).await,
            Request::Line(store, sku) => {
                let line = self.items.line(&store, &sku).await?;
                let line = line.ok_or_else(|| ApiError::new(Code::NotFound))?;
                // After an order the tag is the same, and the stock is not.
                if !line.moved && request.has_already(line.edit_version) {
                    return Ok(Reply::empty(304).with("etag", etag(line.edit_version)));
                }
                self.one_line(line)
            }
            Request::PatchLine { store, sku, patch, expected, by } => {
                let changed = self.items.patch(&store, &sku, &patch, &expected, &by, now_ms()).await?;
                let line = changed.map_err(|refusal| patch_refused(sku.as_str(), refusal))?;
                tracing::info!(store = store.as_str(), version = line.edit_version, by, "line changed");
                self.one_line(line)
            }
            Request::Stores(page) => self.stores(page).await,
            Request::NewImport { new, by } => self.new_import(new, &by).await,
            Request::Imports(PageRequest { limit, after }) => {
                let page = self.imports.recent(limit, after).await?;
                let mut imports = Vec::with_capacity(page.found.len());
                for import in page.found {
                    imports.push(self.shown(import)?);
                }
                Reply::json(200, &ImportsBody { imports, next: page.next.as_ref().map(after_import) })
            }
            Request::Import(id) => {
                let import = self.imports.get(&id).await?;
                let import = import.ok_or_else(|| ApiError::new(Code::NotFound))?;
                Reply::json(200, &self.shown(import)?)
            }
        }
    }
}

impl ItemsApi {
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
        if first && !page.examined && !self.items.store_exists(&store).await? {
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
            id: random::id("imp"),
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
        let link = presign::put(&self.files, &self.buckets.uploads, &key)?;
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
        Ok(presign::get(&self.files, &self.buckets.reports, key, save_as)?)
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
}
