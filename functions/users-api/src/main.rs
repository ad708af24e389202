//! Users over HTTP: signing up, signing in, who one is.

use almacen_identity::user_pool::UserPool;
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use users_api::{Config, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let Config { pool_id, client_id, http } = Config::read(Env::read())?;
    let pool = UserPool::new(pool_id, client_id);
    start::run(|request, context| {
        let answer = http.answer(request, Deadline::of(&context), |request| handle(&pool, request));
        async { Ok(answer.await) }
    })
    .await
}
