//! The API's own description, for programs and for people.

use almacen_lambda_kit::start;
use docs_api::DocsApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    start::run(DocsApi::new).await
}
