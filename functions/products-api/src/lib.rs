//! Products, their reviews and categories over HTTP: parse the request, call the tables, answer. Lists come from
//! memory: `catalogue.rs`.

use std::time::Duration;

use almacen_aws_client::Aws;
use almacen_catalogue::snapshot::Snapshots;
use almacen_clock::{now_ms, random};
use almacen_contract::error::{ApiError, Code, RequestError, Unserialisable};
use almacen_contract::event::{name, product_event};
use almacen_contract::products::{
    CategoryBody, CreatedBody, ListBody, NewProduct, OneProductBody, PageBody, Pagination, ProductBody, ReviewBody,
    category_taken, no_category, price_refused, reviewed_before, sku_taken, tag,
};
use almacen_contract::time::rfc3339;
use almacen_domain::catalogue::listing::{Filter, Order};
use almacen_domain::catalogue::{Category, Draft, Product, Review};
use almacen_domain::kernel::event::OutboxEvent;
use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::kernel::search::fold;
use almacen_dynamo::DynamoError;
use almacen_files::{Files, presign};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply, etag};
use almacen_lambda_kit::log::error_chain;
use almacen_table::catalogue::categories::Categories;
use almacen_table::catalogue::index::CatalogueIndex;
use almacen_table::catalogue::product_stock::{ProductStock, StockTotal};
use almacen_table::catalogue::products::{InitialStock, ProductChanges, ProductWrite, Products, ProductsPage, Tables};
use almacen_table::catalogue::reviews::{Reviews, Written};

mod catalogue;
pub mod request;

use catalogue::Catalogue;
use request::{OffsetPage, Request};

/// Tries of a change that others keep coming before: reviews and pictures move a product too.
const TRIES: u32 = 10;
/// The longest that an answer waits for a new product's stock to be counted.
const STOCK_WITHIN: Duration = Duration::from_secs(3);
/// A page is read again where products of it turned out to be gone.
const PAGE_TRIES: u32 = 3;
/// How often at most, where there were some that cannot be read either.
const PASSES_MAX: u32 = 12;

/// The function and what it talks to.
#[derive(Debug)]
pub struct ProductsApi {
    catalogue: Catalogue,
    products: Products,
    changes: ProductChanges,
    stock: ProductStock,
    reviews: Reviews,
    categories: Categories,
    files: Files,
    /// Bucket that originals of pictures are put into.
    uploads: String,
    /// Where pictures are shown from, without a slash at the end.
    images_url: String,
    /// Where the stock of a new product is.
    default_store: String,
    http: Http,
}

impl ProductsApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env, aws: &Aws) -> Self {
        let (client, files) = (almacen_dynamo::client(aws), Files::new(aws));
        let tables = Tables {
            products: env.required("PRODUCTS_TABLE"),
            categories: env.required("CATEGORIES_TABLE"),
            outbox: env.required("OUTBOX_TABLE"),
            inventory: env.required("INVENTORY_TABLE"),
            stores: env.required("STORES_TABLE"),
        };
        let products = tables.products.clone();
        Self {
            catalogue: Catalogue::new(
                CatalogueIndex::new(client.clone(), products.clone()),
                Snapshots::new(files.clone(), env.required("CATALOGUE_BUCKET")),
            ),
            products: Products::new(client.clone(), products.clone()),
            stock: ProductStock::new(client.clone(), products.clone(), tables.inventory.clone(), tables.stores.clone()),
            reviews: Reviews::new(client.clone(), env.required("REVIEWS_TABLE"), products),
            categories: Categories::new(client.clone(), tables.categories.clone()),
            changes: ProductChanges::new(client, tables),
            files,
            uploads: env.required("ORIGINALS_BUCKET"),
            images_url: env.required("IMAGES_URL"),
            default_store: env.required("DEFAULT_STORE"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }
}

impl HttpFunction for ProductsApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        match Request::read(&request, now_ms())? {
            Request::Products { filter, order, slice } => {
                let (datos, total) = self.listed(&filter, order, slice, request.id()).await?;
                let paginacion = Pagination::new(slice.page, slice.limit, total);
                Reply::json(200, &PageBody { datos, paginacion })
            }
            Request::Product(id) => {
                let product = self.product(&id).await?;
                if request.has_already(tag(&product)) {
                    return Ok(Reply::empty(304).with("etag", etag(tag(&product))));
                }
                self.one(&product)
            }
            Request::NewProduct { new, by } => self.create(new, by, request.id()).await,
            Request::Change { id, draft, expected } => self.change(&id, &draft, &expected, request.id()).await,
            Request::Delete { id, expected } => self.delete(&id, &expected, request.id()).await,
            Request::Related { id, limit } => {
                let category = self.product(&id).await?.category;
                let filter = Filter { category: Some(category), but: Some(id), ..Filter::default() };
                let slice = OffsetPage { page: 1, limit };
                let (datos, _) = self.listed(&filter, Order::Rating, slice, request.id()).await?;
                Reply::json(200, &ListBody { datos })
            }
            Request::Reviews { id, slice } => self.reviews(&id, slice).await,
            Request::NewReview(review) => self.review(review).await,
            Request::Categories => {
                let mut all = self.categories.all().await?;
                all.sort_by_cached_key(|category| (fold(&category.name), category.id.clone()));
                Reply::json(200, &ListBody { datos: all.into_iter().map(CategoryBody::of).collect() })
            }
            Request::NewCategory(category) => self.new_category(category).await,
        }
    }
}

impl ProductsApi {
    /// A page of the products that `filter` takes, and how many those are.
    async fn listed(
        &self,
        filter: &Filter,
        order: Order,
        slice: OffsetPage,
        request_id: &str,
    ) -> Result<(Vec<ProductBody>, usize), RequestError> {
        let mut read_units = 0.0;
        let (mut turn, mut passes) = (1, 0);
        loop {
            let window = (slice.skip(), slice.limit);
            let (page, units) = self.catalogue.page(filter, order, window, now_ms()).await?;
            let ids: Vec<&str> = page.ids.iter().map(String::as_str).collect();
            let ProductsPage { found, unreadable, units: more } = self.products.get_many_measured(&ids).await?;
            read_units += units + more;
            let missing: Vec<&str> = ids.iter().copied().filter(|id| !found.contains_key(*id)).collect();
            let gone: Vec<&str> =
                missing.iter().copied().filter(|id| !unreadable.iter().any(|one| one == id)).collect();
            // What is there and cannot be read is not waited for: whoever mends it makes it new to the list.
            if !unreadable.is_empty() {
                self.catalogue.forget(&unreadable).await;
            }
            passes += 1;
            if missing.is_empty() || turn > PAGE_TRIES || passes >= PASSES_MAX {
                // Where products vanish faster than they can be read, a short page is better than none.
                let total = page.total.saturating_sub(missing.len());
                tracing::info!(api_request_id = request_id, shown = found.len(), total, read_units, "listed");
                let products = ids.iter().filter_map(|id| found.get(*id));
                let shown = products.map(|product| ProductBody::of(product, &self.images_url)).collect();
                return Ok((shown, total));
            }
            if gone.is_empty() {
                continue;
            }
            // Deleted a moment ago: the index has not heard of it. Where that goes on, it is read anew.
            if turn == PAGE_TRIES {
                self.catalogue.reload().await
            } else {
                self.catalogue.forget(&gone).await
            }
            turn += 1;
        }
    }

    async fn product(&self, id: &str) -> Result<Product, RequestError> {
        let product = self.products.get(id).await?;
        Ok(product.ok_or_else(|| ApiError::new(Code::NotFound))?)
    }

    fn one(&self, product: &Product) -> Result<Reply, RequestError> {
        let body = OneProductBody::of(product, &self.images_url);
        Ok(Reply::json(200, &body)?.with("etag", etag(tag(product))))
    }

    async fn create(&self, new: NewProduct, by: String, request_id: &str) -> Result<Reply, RequestError> {
        let NewProduct { draft, stock } = new;
        let mut product = draft.made(random::id("prod"), now_ms()).map_err(price_refused)?;
        let opening = match stock {
            Some(units) => {
                // What has stock can be sold: without a sku of its own it is sold under its id.
                if product.sku.is_none() {
                    product.sku = Sku::parse(&product.id).ok();
                }
                let store = StoreId::parse(&self.default_store).map_err(|error| {
                    tracing::error!(%error, "DEFAULT_STORE is no name of a store");
                    ApiError::new(Code::Internal)
                })?;
                Some(InitialStock { store, units, by: by.clone() })
            }
            None => None,
        };
        let shelf = self.shelf(&product).await?;
        let upload = random::id("up");
        let link = presign::put_image(&self.files, &self.uploads, &product.id, &upload)?;
        let event = event(name::PRODUCT_CREATED, &product, request_id)?;
        let made = self.changes.create(&product, shelf, opening.as_ref(), &event).await?;
        refusal_of(made)?;
        tracing::info!(product = product.id, by, "product made");
        self.update_stock(&product).await;
        let body = CreatedBody {
            id: product.id,
            nombre: product.name,
            url_carga_imagen: link,
            creado_en: rfc3339(product.created_at),
        };
        // Beside the collection that was posted to, whatever stage or path the API stands under.
        let location = format!("productos/{}", body.id);
        Ok(Reply::json(201, &body)?.with("location", location))
    }

    async fn change(
        &self,
        id: &str,
        draft: &Draft,
        expected: &Precondition,
        request_id: &str,
    ) -> Result<Reply, RequestError> {
        for _ in 0..TRIES {
            let (before, changed_at) = self.expected(id, expected).await?;
            let after = draft.clone().in_place_of(&before, now_ms()).map_err(price_refused)?;
            let shelf = if before.sku == after.sku { None } else { Some(self.shelf(&after).await?) };
            let event = event(name::PRODUCT_UPDATED, &after, request_id)?;
            let made = self.changes.replace((&before, changed_at), &after, shelf, &event).await?;
            if made == ProductWrite::Moved {
                // It is read again: with If-Match the caller is told, without it the change goes on top.
                continue;
            }
            refusal_of(made)?;
            tracing::info!(product = id, version = after.version, "product changed");
            if shelf.is_some() {
                self.update_stock(&after).await;
            }
            return self.one(&self.product(id).await.map_err(RequestError::after_the_change)?);
        }
        Err(ApiError::new(Code::Conflict).into())
    }

    async fn delete(&self, id: &str, expected: &Precondition, request_id: &str) -> Result<Reply, RequestError> {
        for _ in 0..TRIES {
            let (before, changed_at) = self.expected(id, expected).await?;
            let now = now_ms();
            let last = Product { version: before.version + 1, updated_at: now, ..before.clone() };
            let event = event(name::PRODUCT_DELETED, &last, request_id)?;
            let made = self.changes.delete((&before, changed_at), now, &event).await?;
            if made == ProductWrite::Made {
                tracing::info!(product = id, "product deleted");
                return Ok(Reply::empty(204));
            }
        }
        Err(ApiError::new(Code::Conflict).into())
    }

    /// The product as it is now, if that is a version that the caller is content with.
    async fn expected(&self, id: &str, expected: &Precondition) -> Result<(Product, i64), RequestError> {
        let found = self.products.with_change_time(id).await?;
        let (product, changed_at) = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
        if expected.allows(product.version) {
            Ok((product, changed_at))
        } else {
            Err(ApiError::new(Code::PreconditionFailed).into())
        }
    }

    /// What the stores hold of the product's item.
    async fn shelf(&self, product: &Product) -> Result<StockTotal, DynamoError> {
        match &product.sku {
            Some(sku) => self.stock.count(sku.as_str(), &self.stock.stores().await?).await,
            None => Ok(StockTotal::default()),
        }
    }

    /// Counts once more, now that `watch-stock` knows who sells the item: what changed between the first count and then,
    /// it let pass. A failure is no failure of the request; the next change of stock heals it.
    async fn update_stock(&self, product: &Product) {
        let Some(sku) = &product.sku else { return };
        let told = async { self.stock.set(&product.id, sku.as_str(), self.shelf(product).await?).await };
        // The product is made: whoever made it should hear so, whether this is quick or not. The next change of the stock tells.
        match tokio::time::timeout(STOCK_WITHIN, told).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(product = product.id, error = error_chain(&error), "stock could not be told")
            }
            Err(_) => tracing::error!(product = product.id, "stock could not be told in time"),
        }
    }

    async fn reviews(&self, id: &str, slice: OffsetPage) -> Result<Reply, RequestError> {
        let total = usize::try_from(self.product(id).await?.rating_count).unwrap_or(0);
        let found = if slice.skip() < total {
            self.reviews.list_recent(id, slice.skip(), slice.limit).await?
        } else {
            Vec::new()
        };
        let datos = found.into_iter().map(ReviewBody::of).collect();
        Reply::json(200, &PageBody { datos, paginacion: Pagination::new(slice.page, slice.limit, total) })
    }

    async fn review(&self, review: Review) -> Result<Reply, RequestError> {
        match self.reviews.write(&review).await? {
            Written::Yes => {
                tracing::info!(product = review.product, rating = review.rating, "review written");
                Reply::json(201, &ReviewBody::of(review))
            }
            Written::NoProduct => Err(ApiError::new(Code::NotFound).into()),
            Written::Before => Err(reviewed_before().into()),
        }
    }

    async fn new_category(&self, category: Category) -> Result<Reply, RequestError> {
        if !self.categories.create(&category, now_ms()).await? {
            return Err(category_taken(&category.id).into());
        }
        tracing::info!(category = category.id, "category made");
        Reply::json(201, &CategoryBody::of(category))
    }
}

fn event(name: &str, product: &Product, request_id: &str) -> Result<OutboxEvent, Unserialisable> {
    let envelope = product_event(name, product, request_id, request_id);
    envelope.into_outbox()
}

/// `Ok` for a change that was made.
fn refusal_of(outcome: ProductWrite) -> Result<(), ApiError> {
    match outcome {
        ProductWrite::Made => Ok(()),
        ProductWrite::NoCategory => Err(no_category()),
        ProductWrite::SkuTaken => Err(sku_taken()),
        ProductWrite::Moved => Err(ApiError::new(Code::Conflict)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refused_change_is_called() {
        let status = |one| refusal_of(one).err().map(|error| error.code().status());
        assert_eq!(status(ProductWrite::Made), None);
        assert_eq!(status(ProductWrite::NoCategory), Some(400));
        assert_eq!(status(ProductWrite::SkuTaken), Some(409));
        assert_eq!(status(ProductWrite::Moved), Some(409));
    }
}
