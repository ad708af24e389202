//! Low stock opens a to-do, a refill completes it.

use almacen_lambda_kit::{config::Env, log, start};
use almacen_table::stock::tasks::Tasks;
use lambda_runtime::Error;
use open_tasks::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let mut env = Env::read();
    let table = env.required("TASKS_TABLE");
    env.check()?;
    let tasks = Tasks::new(almacen_dynamo::client(), table);
    start::run(|event, _context| handle(&tasks, event)).await
}
