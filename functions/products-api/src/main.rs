//! Products, their reviews and categories over HTTP.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use products_api::ProductsApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| ProductsApi::new(env, &Aws::from_env())).await
}
