//! The AWS SDK's share of a list of products: the same calls to the same services by the same clients, and nothing is made
//! of what they bring. What `products-api` takes more than this is its own. (Later it asks what changed since it knows, and is
//! told of nothing; here one change is told.)

use std::env;
use std::sync::OnceLock;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let calls = Calls {
        products: env::var("PRODUCTS_TABLE")?,
        catalogue: env::var("CATALOGUE_BUCKET")?,
        table: aws_sdk_dynamodb::Client::new(almacen_aws_client::sdk_config()),
        files: OnceLock::new(),
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| calls.make(event.payload))).await
}

struct Calls {
    products: String,
    catalogue: String,
    table: aws_sdk_dynamodb::Client,
    files: OnceLock<aws_sdk_s3::Client>,
}

impl Calls {
    /// What changed and, the first time, the snapshot; then the products that the event names.
    async fn make(&self, event: Value) -> Result<Value, Error> {
        let first = self.files.get().is_none();
        let changes = self
            .table
            .query()
            .table_name(&self.products)
            .index_name("catalogue")
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", AttributeValue::S("product".to_owned()))
            .scan_index_forward(false)
            .limit(if first { 10 } else { 1 })
            .send();
        let snapshot = async { if first { self.snapshot().await } else { Ok(0) } };
        let (changes, snapshot) = futures::join!(changes, snapshot);
        let ids = event["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let keys = ids.map(|id| [("id".to_owned(), AttributeValue::S(id.to_owned()))].into());
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).consistent_read(true).build()?;
        let products = self.table.batch_get_item().request_items(&self.products, keys).send().await?;
        let products = products.responses().and_then(|tables| tables.get(&self.products)).map_or(0, Vec::len);
        Ok(json!({"changes": changes?.count(), "snapshot": snapshot? > 0, "products": products}))
    }

    async fn snapshot(&self) -> Result<usize, Error> {
        let files = self.files.get_or_init(|| aws_sdk_s3::Client::new(almacen_aws_client::sdk_config()));
        let object = files.get_object().bucket(&self.catalogue).key("snapshot").send().await?;
        Ok(object.body.collect().await?.into_bytes().len())
    }
}
