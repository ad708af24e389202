//! Tells API Gateway who is calling.

use almacen_identity::keys::PublishedKeys;
use almacen_identity::token::Verifier;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::{log, start};
use authorize::{Config, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let Config { keys_url, pool, free_keys_prefix } = Config::read(Env::read())?;
    let verifier = Verifier::new(PublishedKeys::at(&keys_url), pool);
    start::run(|event, _| handle(&verifier, &free_keys_prefix, event)).await
}
