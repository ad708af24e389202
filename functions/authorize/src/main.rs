//! Tells API Gateway who is calling.

use almacen_aws_client::Aws;
use almacen_identity::keys::PublishedKeys;
use almacen_lambda_kit::start;
use authorize::Authorize;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| Authorize::new(env, |url| PublishedKeys::at(&Aws::from_env(), url))).await
}
