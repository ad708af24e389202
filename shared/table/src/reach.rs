//! Does a table answer? The cheapest question there is: for a record that is not there.

use std::sync::LazyLock;

use aws_sdk_dynamodb::Client;

use crate::TableError;
use crate::attr::s;

/// No record has this key, and it would not matter if one had: only its key would be read.
const NOBODY: &str = "health#check";

/// Asks tables. Its client is made with the first question.
#[derive(Debug)]
pub struct Reach(LazyLock<Client>);

impl Default for Reach {
    fn default() -> Self {
        Self(LazyLock::new(crate::client))
    }
}

impl Reach {
    /// Asks `table`, whose key is made of these attributes, all of them texts.
    ///
    /// # Errors
    /// [`TableError`] where it does not answer as a table does.
    pub async fn table(&self, table: &str, key: &[&str]) -> Result<(), TableError> {
        let mut get = self.0.get_item().table_name(table).projection_expression("#key");
        for name in key {
            // The last name is the one that is read; any of them would do.
            get = get.key(*name, s(NOBODY)).expression_attribute_names("#key", *name);
        }
        get.send().await.map_err(TableError::from_sdk("reach table")).map(drop)
    }
}
