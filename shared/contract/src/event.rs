//! The event catalogue: the envelope, and what the warehouse's events say. Envelope and event names are Spanish, the
//! warehouse's own fields English, as in the HTTP contract.

use almacen_domain::Millis;
use almacen_domain::catalogue::Product;
use almacen_domain::kernel::event::OutboxEvent;
use almacen_domain::stock::StockNews;
use almacen_domain::stock::import::{Counters, Mode, State};
use serde::{Deserialize, Serialize};

use crate::error::Unserialisable;
use crate::money::Amount;
use crate::time::rfc3339;

/// The envelope's own version; it rises when a field changes its meaning or goes.
pub const ENVELOPE_VERSION: u32 = 1;

/// What every event is wrapped in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<D> {
    /// `evt_…`: the same cause has the same id, however often it is told.
    pub id: String,
    /// The event's name.
    pub evento: String,
    /// [`ENVELOPE_VERSION`].
    pub version: u32,
    /// When it happened.
    #[serde(rename = "marcaTiempo")]
    pub marca_tiempo: String,
    /// What all consequences of one request or file share.
    #[serde(rename = "correlacionId")]
    pub correlacion_id: String,
    /// What led to it directly.
    #[serde(rename = "causaId")]
    pub causa_id: String,
    /// What it is about.
    #[serde(rename = "agregadoId")]
    pub agregado_id: String,
    /// What it says.
    pub datos: D,
}

/// The names of the warehouse's events.
pub mod name {
    /// A line crossed its threshold downwards.
    pub const STOCK_LOW: &str = "StockBajo";
    /// Nothing of a line is left.
    pub const STOCK_OUT: &str = "StockAgotado";
    /// A line is above its threshold again.
    pub const STOCK_REFILLED: &str = "StockRepuesto";
    /// An import ended; some rows may be rejected.
    pub const IMPORT_COMPLETED: &str = "ImportacionCompletada";
    /// A file was refused whole.
    pub const IMPORT_REFUSED: &str = "ImportacionRechazada";
    /// A product is offered.
    pub const PRODUCT_CREATED: &str = "ProductoCreado";
    /// What is said or shown of a product is another.
    pub const PRODUCT_UPDATED: &str = "ProductoActualizado";
    /// A product is no longer offered.
    pub const PRODUCT_DELETED: &str = "ProductoEliminado";
    /// A customer's cart changed.
    pub const CART_UPDATED: &str = "CarritoActualizado";
}

/// The name of a piece of stock news.
#[must_use]
pub fn stock_news_name(news: StockNews) -> &'static str {
    match news {
        StockNews::Low => name::STOCK_LOW,
        StockNews::Out => name::STOCK_OUT,
        StockNews::Refilled => name::STOCK_REFILLED,
    }
}

/// What [`name::STOCK_LOW`], [`name::STOCK_OUT`] and [`name::STOCK_REFILLED`] say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockData {
    /// Which store.
    pub store: String,
    /// Which item.
    pub item: String,
    /// Units on the shelf.
    pub count: i64,
    /// Units that can be sold.
    pub available: i64,
    /// Units that open orders hold.
    pub reserved: i64,
    /// What it was measured against.
    pub threshold: i64,
    /// Since when it has been low; for a refill, until then.
    pub since: String,
    /// The version of the line that it happened with: of two events of one line, the one with the higher is the later.
    /// 0 in events of before they said so.
    #[serde(rename = "lineVersion", default)]
    pub line_version: i64,
}

/// What [`name::PRODUCT_CREATED`], [`name::PRODUCT_UPDATED`] and [`name::PRODUCT_DELETED`] say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductData {
    /// `prod_…`.
    pub producto_id: String,
    /// Its name.
    pub nombre: String,
    /// What one costs.
    pub precio: Amount,
    /// In which currency.
    pub moneda: String,
    /// The id of its category.
    pub categoria: String,
    /// The item that is sold under it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Keys of its pictures, without size and extension.
    pub imagenes: Vec<String>,
    /// One more with every event: of two about one product, the one with the higher is the later.
    pub version_producto: i64,
}

/// The event that `product`, as it is now, was made, changed or deleted.
#[must_use]
pub fn product_event(name: &str, product: &Product, correlation: &str, cause: &str) -> Envelope<ProductData> {
    let origin = Origin { at: product.updated_at, correlation, cause, aggregate: &product.id };
    let data = ProductData {
        producto_id: product.id.clone(),
        nombre: product.name.clone(),
        precio: Amount(product.price),
        moneda: product.price.currency.as_str().to_owned(),
        categoria: product.category.clone(),
        sku: product.sku.as_ref().map(|sku| sku.as_str().to_owned()),
        imagenes: product.images.clone(),
        version_producto: product.version,
    };
    Envelope::wrap(name, &[&product.id, &product.version.to_string()], origin, data)
}

/// What [`name::IMPORT_COMPLETED`] and [`name::IMPORT_REFUSED`] say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportData {
    /// `imp_…`.
    pub import_id: String,
    /// The name it was uploaded under.
    pub file_name: String,
    /// `set` or `adjust`.
    pub mode: String,
    /// `completed`, `completed_with_errors` or `failed`.
    pub status: String,
    /// What became of the rows.
    pub counters: CountersData,
    /// Why it was refused, where it was: a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of an import's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountersData {
    /// Rows read.
    pub rows: u64,
    /// Lines changed.
    pub changed: u64,
    /// Lines that already held what the row says.
    pub unchanged: u64,
    /// Lines made.
    pub created: u64,
    /// Rows that could not be taken.
    pub rejected: u64,
    /// Rows that came too late.
    pub stale: u64,
}

impl From<Counters> for CountersData {
    fn from(c: Counters) -> Self {
        Self {
            rows: c.rows,
            changed: c.changed,
            unchanged: c.unchanged,
            created: c.created,
            rejected: c.rejected,
            stale: c.stale,
        }
    }
}

impl ImportData {
    /// Of an import that ended.
    #[must_use]
    pub fn new(id: &str, file_name: &str, mode: Mode, state: State, counters: Counters, reason: Option<&str>) -> Self {
        Self {
            import_id: id.to_owned(),
            file_name: file_name.to_owned(),
            mode: mode.as_str().to_owned(),
            status: state.as_str().to_owned(),
            counters: counters.into(),
            reason: reason.map(str::to_owned),
        }
    }
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// When it happened.
    pub at: Millis,
    /// What all consequences of one request or file share.
    pub correlation: &'a str,
    /// What led to it directly.
    pub cause: &'a str,
    /// What it is about.
    pub aggregate: &'a str,
}

impl<D: Serialize> Envelope<D> {
    /// Wraps `data`. The id follows from the event's name and from `identity`, which tells this occurrence from every
    /// other: the line and its version, the import.
    #[must_use]
    pub fn wrap(name: &str, identity: &[&str], origin: Origin<'_>, data: D) -> Self {
        let parts: Vec<&str> = std::iter::once(name).chain(identity.iter().copied()).collect();
        Self {
            id: almacen_domain::kernel::id::derived("evt", &parts),
            evento: name.to_owned(),
            version: ENVELOPE_VERSION,
            marca_tiempo: rfc3339(origin.at),
            correlacion_id: origin.correlation.to_owned(),
            causa_id: origin.cause.to_owned(),
            agregado_id: origin.aggregate.to_owned(),
            datos: data,
        }
    }

    /// As it is kept in the Outbox and published.
    ///
    /// # Errors
    /// [`Unserialisable`].
    pub fn into_outbox(self) -> Result<OutboxEvent, Unserialisable> {
        let body = serde_json::to_string(&self).map_err(Unserialisable)?;
        Ok(OutboxEvent { body, id: self.id, name: self.evento })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_reads_as_published() {
        let origin =
            Origin { at: 1_705_834_800_000, correlation: "imp_1", cause: "imp_1", aggregate: "Berlin/Echo Dot" };
        let data = StockData {
            store: "Berlin".to_owned(),
            item: "Echo Dot".to_owned(),
            count: 3,
            available: 3,
            reserved: 0,
            threshold: 5,
            since: "2024-01-21T11:00:00Z".to_owned(),
            line_version: 7,
        };
        let event = Envelope::wrap(name::STOCK_LOW, &["Berlin", "Echo Dot", "7"], origin, data);
        assert_eq!(
            event.clone().into_outbox().unwrap().body,
            format!(
                r#"{{"id":"{}","evento":"StockBajo","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"imp_1","causaId":"imp_1","agregadoId":"Berlin/Echo Dot","datos":{{"store":"Berlin","item":"Echo Dot","count":3,"available":3,"reserved":0,"threshold":5,"since":"2024-01-21T11:00:00Z","lineVersion":7}}}}"#,
                event.id
            )
        );
        assert!(event.id.starts_with("evt_"));
    }

    #[test]
    fn an_import_reads_as_published() {
        let counters = Counters { rows: 3, created: 2, rejected: 1, ..Counters::default() };
        let data = ImportData::new("imp_1", "a.csv", Mode::Set, State::CompletedWithErrors, counters, None);
        assert_eq!(
            serde_json::to_string(&data).unwrap(),
            r#"{"importId":"imp_1","fileName":"a.csv","mode":"set","status":"completed_with_errors","counters":{"rows":3,"changed":0,"unchanged":0,"created":2,"rejected":1,"stale":0}}"#
        );
    }
}
