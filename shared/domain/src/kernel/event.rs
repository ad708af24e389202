//! An event on its way from the change that it tells of to whoever subscribed.

/// An event as the Outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// `evt_…`, derived from its cause, so that a repeated cause writes it once.
    pub id: String,
    /// `StockBajo` and so on.
    pub name: String,
    /// The envelope as it is published.
    pub body: String,
}
