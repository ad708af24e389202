//! The user pool asks before it takes somebody in.

use admit_user::{Config, handle};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::{log, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    start::run(|event, _| {
        let answer = handle(&config, event);
        async { answer }
    })
    .await
}
