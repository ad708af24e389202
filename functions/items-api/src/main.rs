//! Stock lines, stores and imports over HTTP.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use items_api::ItemsApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| ItemsApi::new(env, &Aws::from_env())).await
}
