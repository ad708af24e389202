//! What a message says, and what a to-do says of it.

use almacen_contract::event::{Envelope, StockData, name};
use almacen_domain::kernel::name::{Sku, StoreId};
use almacen_domain::stock::StockNews;
use almacen_domain::stock::task::{Content, LineNews};

/// News of a line, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The event's id, for the log.
    pub id: String,
    /// Which store.
    pub store: StoreId,
    /// Which item.
    pub sku: Sku,
    news: StockNews,
    available: i64,
    reserved: i64,
    threshold: i64,
    since: String,
    line_version: i64,
}

impl News {
    /// Reads the envelope as it is published.
    ///
    /// # Errors
    /// Which part of it cannot be read.
    pub fn read(body: &str) -> Result<Self, &'static str> {
        let event: Envelope<StockData> = serde_json::from_str(body).map_err(|_| "envelope")?;
        let news = match event.evento.as_str() {
            name::STOCK_LOW => StockNews::Low,
            name::STOCK_OUT => StockNews::Out,
            name::STOCK_REFILLED => StockNews::Refilled,
            _ => return Err("evento"),
        };
        let StockData { store, item, available, reserved, threshold, since, line_version, .. } = event.datos;
        Ok(Self {
            id: event.id,
            store: StoreId::parse(&store).map_err(|_| "store")?,
            sku: Sku::parse(&item).map_err(|_| "item")?,
            news,
            available,
            reserved,
            threshold,
            since,
            // Without it nothing says which news are the newest.
            line_version: Some(line_version).filter(|version| *version > 0).ok_or("lineVersion")?,
        })
    }

    /// What the domain weighs.
    #[must_use]
    pub fn of_line(&self) -> LineNews<'_> {
        LineNews {
            store: self.store.as_str(),
            sku: self.sku.as_str(),
            news: self.news,
            line_version: self.line_version,
            since: &self.since,
        }
    }

    /// The to-do that people read, in the API's first language.
    #[must_use]
    pub fn content(&self) -> Content {
        let state = match self.news {
            StockNews::Low => format!("Stock bajo: quedan {} (umbral: {}).", self.available.max(0), self.threshold),
            StockNews::Out => format!("Agotado: no queda ninguna unidad a la venta (umbral: {}).", self.threshold),
            StockNews::Refilled => format!("Repuesto: hay {} (umbral: {}).", self.available, self.threshold),
        };
        let reserved =
            if self.reserved > 0 { format!("\nReservadas por pedidos: {}.", self.reserved) } else { String::new() };
        let since = self.since.replace('T', " ").replace('Z', " UTC");
        Content {
            title: format!("Reponer «{}» en {}", self.sku.as_str(), self.store.as_str()),
            description: format!("{state}{reserved}\nDesde: {since}."),
            completed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(change: impl FnOnce(&mut Value)) -> String {
        let mut body = json!({"id":"evt_1","evento":"StockBajo","version":1,"marcaTiempo":"2024-01-21T11:00:00Z",
            "correlacionId":"imp_1","causaId":"imp_1","agregadoId":"Berlin/Té","datos":{"store":"Berlin","item":"Té",
            "count":3,"available":3,"reserved":0,"threshold":5,"since":"2024-01-21T11:00:00Z","lineVersion":7}});
        change(&mut body);
        body.to_string()
    }

    #[test]
    fn what_is_no_news_is_named() {
        let check = |change: &dyn Fn(&mut Value), expected: Result<i64, &str>| {
            assert_eq!(News::read(&body(change)).map(|news| news.line_version), expected);
        };
        check(&|_| {}, Ok(7));
        check(&|body| body["evento"] = json!("ImportacionCompletada"), Err("evento"));
        check(&|body| body["datos"]["store"] = json!(" "), Err("store"));
        check(&|body| body["datos"]["item"] = json!("a\nb"), Err("item"));
        check(&|body| body["datos"]["lineVersion"] = json!(0), Err("lineVersion"));
        check(&|body| body["datos"]["lineVersion"] = json!(-3), Err("lineVersion"));
        check(&|body| body["datos"]["lineVersion"] = json!("7"), Err("envelope"));
        check(&|body| body["datos"] = Value::Null, Err("envelope"));
        let without = body(|body| drop(body["datos"].as_object_mut().unwrap().remove("lineVersion")));
        assert_eq!(News::read(&without), Err("lineVersion"));
        assert_eq!(News::read(""), Err("envelope"));
        assert_eq!(News::read("[]"), Err("envelope"));
    }

    #[test]
    fn below_nothing_reads_as_nothing() {
        let news = News::read(&body(|body| body["datos"]["available"] = json!(-2))).unwrap();
        assert_eq!(news.content().description, "Stock bajo: quedan 0 (umbral: 5).\nDesde: 2024-01-21 11:00:00 UTC.");
    }
}
