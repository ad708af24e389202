//! Products, their reviews and categories over HTTP.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use products_api::{Api, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    let http = config.http.clone();
    let api = Api::new(config);
    start::run(|request, context| {
        let answer = http.answer(request, Deadline::of(&context), |request| api.handle(request));
        async { Ok(answer.await) }
    })
    .await
}
