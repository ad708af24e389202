//! Lines changed: tell when one crosses its threshold, once; and tell products what there is of their items.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use watch_stock::WatchStock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| WatchStock::new(env, &Aws::from_env())).await
}
