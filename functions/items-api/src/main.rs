//! Stock lines, stores and imports over HTTP.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use almacen_table::stock::imports_view::ImportsView;
use almacen_table::stock::inventory::Items;
use items_api::{Api, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    let tables = almacen_dynamo::client();
    let api = Api {
        items: Items::new(tables.clone(), config.inventory, config.stores, config.stock_alerts),
        imports: ImportsView::new(tables, config.imports),
        buckets: config.buckets,
        default_threshold: config.default_threshold,
    };
    start::run(|request, context| {
        let answer = config.http.answer(request, Deadline::of(&context), |request| api.handle(request));
        async { Ok(answer.await) }
    })
    .await
}
