//! To-dos of the warehouse over HTTP.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use tasks_api::TasksApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| TasksApi::new(env, &Aws::from_env())).await
}
