//! Signing in over HTTP.

use almacen_identity::sign_in::SignIn;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use users_api::{Config, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let Config { client_id, http } = Config::read(Env::read())?;
    let sign_in = SignIn::new(client_id);
    start::run(|request, context| {
        let answer = http.answer(request, Deadline::of(&context), |request| handle(&sign_in, request));
        async { Ok(answer.await) }
    })
    .await
}
