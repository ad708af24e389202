//! What a shopkeeper reads.

use almacen_contract::event::{Envelope, StockData, name};

/// A message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Spanish, then English.
    pub text: String,
    /// Name of the event, by which subscribers of the alerts topic may filter.
    pub event: String,
    /// Id of the event.
    pub id: String,
}

/// The message of an alert, and the event it tells of; `None` where the event is none, or its body none of ours. A refill is
/// good news, and nobody is woken for it.
#[must_use]
pub fn message(body: &str) -> Option<Message> {
    let event: Envelope<StockData> = serde_json::from_str(body).ok()?;
    let StockData { store, item, available, reserved, threshold, since, .. } = event.datos;
    let since = since.replace('T', " ").replace('Z', " UTC");
    let left = available.max(0);
    let (held_es, held_en) = if reserved > 0 {
        (format!("\nReservadas por pedidos: {reserved}."), format!("\nReserved by orders: {reserved}."))
    } else {
        (String::new(), String::new())
    };
    let (subject, es, en) = match event.evento.as_str() {
        name::STOCK_LOW => (
            format!("Stock bajo: {item}, {store} (quedan {left})"),
            format!("Stock bajo: «{item}» en {store}.\nQuedan {left} (umbral: {threshold})."),
            format!("Low stock: \"{item}\" in {store}.\nLeft: {left} (threshold: {threshold})."),
        ),
        name::STOCK_OUT => (
            format!("Agotado: {item}, {store}"),
            format!("Agotado: «{item}» en {store}.\nNo queda ninguna unidad a la venta (umbral: {threshold})."),
            format!("Out of stock: \"{item}\" in {store}.\nNothing is left to sell (threshold: {threshold})."),
        ),
        _ => return None,
    };
    let text = format!("{es}{held_es}\nDesde: {since}\n\n{en}{held_en}\nSince: {since}\n");
    Some(Message { subject, text, event: event.evento, id: event.id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(event: &str, available: i64, reserved: i64) -> String {
        format!(
            r#"{{"id":"evt_1","evento":"{event}","version":1,"marcaTiempo":"2024-01-21T11:00:00Z","correlacionId":"imp_1","causaId":"imp_1","agregadoId":"Berlin/Echo Dot","datos":{{"store":"Berlin","item":"Echo Dot","count":{},"available":{available},"reserved":{reserved},"threshold":5,"since":"2024-01-21T11:00:00Z"}}}}"#,
            available + reserved
        )
    }

    #[test]
    fn which_store_which_item_how_many_since_when() {
        let low = message(&body("StockBajo", 3, 0)).unwrap();
        assert_eq!(low.subject, "Stock bajo: Echo Dot, Berlin (quedan 3)");
        assert_eq!(
            low.text,
            "Stock bajo: «Echo Dot» en Berlin.\nQuedan 3 (umbral: 5).\nDesde: 2024-01-21 11:00:00 UTC\n\n\
             Low stock: \"Echo Dot\" in Berlin.\nLeft: 3 (threshold: 5).\nSince: 2024-01-21 11:00:00 UTC\n"
        );
        let out = message(&body("StockAgotado", -1, 4)).unwrap();
        assert_eq!(out.subject, "Agotado: Echo Dot, Berlin");
        assert!(out.text.contains("Reservadas por pedidos: 4."), "{}", out.text);
    }

    #[test]
    fn other_events_and_other_texts_are_no_alert() {
        assert_eq!(message(&body("StockRepuesto", 9, 0)), None);
        assert_eq!(message("{}"), None);
    }
}
