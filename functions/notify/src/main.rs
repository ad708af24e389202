//! Sends stock alerts to people.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use notify::Notify;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| Notify::new(env, &Aws::from_env())).await
}
