//! Does a table answer? By the cheapest call there is: a read of a key that need not exist.

use aws_sdk_dynamodb::Client;

use crate::DynamoError;
use crate::attr::s;

/// Probe key; need not exist.
const PROBE: &str = "health#check";

/// Reads the probe key of `table`, whose key is made of these attributes, all of them strings.
///
/// # Errors
/// [`DynamoError`] where the table does not answer.
pub async fn ping(client: &Client, table: &str, key: &[&str]) -> Result<(), DynamoError> {
    let mut get = client.get_item().table_name(table).projection_expression("#key");
    for name in key {
        // The last name is the one that is read; any of them would do.
        get = get.key(*name, s(PROBE)).expression_attribute_names("#key", *name);
    }
    get.send().await.map_err(DynamoError::from_sdk("ping table")).map(drop)
}
