//! A CSV arrived: survey it, and import it or hand its parts to `ingest-range`.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use ingest_inventory::IngestInventory;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| IngestInventory::new(env, &Aws::from_env())).await
}
