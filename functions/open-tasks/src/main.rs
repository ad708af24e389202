//! Low stock opens a to-do, a refill completes it.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use open_tasks::OpenTasks;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| OpenTasks::new(env, &Aws::from_env())).await
}
