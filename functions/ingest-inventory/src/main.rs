//! A CSV arrived: survey it, and import it or hand its parts to `ingest-range`.

use almacen_lambda_kit::{config::Env, log, start};
use ingest_inventory::{Deps, handle};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|event, context| handle(&deps, event, context)).await
}
