//! Lines changed: tell when one crosses its threshold, once; and tell products what there is of their items.

use almacen_lambda_kit::{config::Env, log, start};
use lambda_runtime::Error;
use watch_stock::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|event, _context| handle(&deps, event)).await
}
