//! Writes down what the catalogue's lists need, so that an instance that starts does not read all of it.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use snapshot_catalogue::SnapshotCatalogue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| SnapshotCatalogue::new(env, &Aws::from_env())).await
}
