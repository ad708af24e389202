//! Users over HTTP: signing up, signing in, who one is.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use users_api::UsersApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| UsersApi::new(env, &Aws::from_env())).await
}
