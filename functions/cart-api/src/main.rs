//! The caller's cart and its coupon over HTTP.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use cart_api::CartApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| CartApi::new(env, &Aws::from_env())).await
}
