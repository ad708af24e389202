//! Imports that nobody could work on are ended as failed, so that nobody waits for them.

use almacen_lambda_kit::{config::Env, log, start};
use close_imports::{Deps, handle};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|tick, context| handle(&deps, tick, context)).await
}
