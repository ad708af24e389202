//! A picture was uploaded: check it, free it of metadata, keep it in the sizes of the page, show it.

use almacen_aws_client::Aws;
use almacen_lambda_kit::start;
use process_image::ProcessImage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(|env| ProcessImage::new(env, &Aws::from_env())).await
}
