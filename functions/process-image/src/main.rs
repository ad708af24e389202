//! A picture was uploaded: check it, free it of metadata, keep it in the sizes of the page, show it.

use almacen_lambda_kit::{config::Env, log, start};
use lambda_runtime::Error;
use process_image::{Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let deps = Deps::from_env(&mut env);
    env.check()?;
    start::run(|event, _context| handle(&deps, event)).await
}
