//! One part of a large CSV: compare it with the stores and write the differences.

use almacen_lambda_kit::{config::Env, log, start};
use almacen_stock_import::Importer;
use ingest_range::handle;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let importer = Importer::from_env(&mut env);
    env.check()?;
    start::run(|event, context| handle(&importer, event, context)).await
}
