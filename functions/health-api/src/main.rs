//! Says whether the system and what it depends on are well.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use health_api::{Api, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    let api = Api::new(config.dependencies);
    start::run(|request, context| {
        let answer = config.http.answer(request, Deadline::of(&context), |request| api.handle(request));
        async { Ok(answer.await) }
    })
    .await
}
