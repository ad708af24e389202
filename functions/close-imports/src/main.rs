//! Imports that nobody could work on are ended as failed, so that nobody waits for them.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use close_imports::CloseImports;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| CloseImports::new(env, &Aws::from_env())).await
}
