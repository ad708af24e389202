//! Writes down what the catalogue's lists need, so that an instance that starts does not read all of it.

use almacen_lambda_kit::{config::Env, log, start};
use lambda_runtime::Error;
use snapshot_catalogue::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|tick, _context| handle(&deps, tick)).await
}
