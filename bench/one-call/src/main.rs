//! What one call of the SDK costs: `lambda_runtime`, and one GetItem for each event.

use almacen_aws_client::Aws;
use almacen_dynamo::attr::s;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = almacen_dynamo::client(&Aws::from_env());
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let call = client.get_item().table_name("Inventory").key("store", s("Berlin")).key("sku", s("SKU-00003"));
        async move {
            // On the heap, as functions have it: an SDK call's future is large.
            let answer = Box::pin(call.consistent_read(true).send()).await?;
            answer.item.ok_or("no such item")?;
            Ok::<_, Error>(event.payload)
        }
    }))
    .await
}
