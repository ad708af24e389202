//! To-dos of the warehouse over HTTP.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use almacen_table::stock::tasks::Tasks;
use tasks_api::{Api, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    let api = Api { tasks: Tasks::new(almacen_dynamo::client(), config.tasks) };
    start::run(|request, context| {
        let answer = config.http.answer(request, Deadline::of(&context), |request| api.handle(request));
        async { Ok(answer.await) }
    })
    .await
}
