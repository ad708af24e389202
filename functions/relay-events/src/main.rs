//! Events leave the Outbox for the events topic.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use relay_events::RelayEvents;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| RelayEvents::new(env, &Aws::from_env())).await
}
