//! The API's own description, for programs and for people.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use docs_api::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    start::run(|request, context| {
        let answer = config.http.answer(request, Deadline::of(&context), async |request| config.docs.handle(&request));
        async { Ok(answer.await) }
    })
    .await
}
