//! Events leave the Outbox: to the events topic, and the alerts among them to people.

use almacen_lambda_kit::{config::Env, log, start};
use lambda_runtime::Error;
use relay_events::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|event, context| handle(&deps, event, context)).await
}
