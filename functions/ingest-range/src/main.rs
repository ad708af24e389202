//! One part of a large CSV: compare it with the stores and write the differences.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use ingest_range::IngestRange;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| IngestRange::new(env, &Aws::from_env())).await
}
