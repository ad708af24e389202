//! Says whether the system and what it depends on are well.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use health_api::HealthApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| HealthApi::new(env, &Aws::from_env())).await
}
