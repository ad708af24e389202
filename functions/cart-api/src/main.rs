//! The caller's cart and its coupon over HTTP.

use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::start::Deadline;
use almacen_lambda_kit::{log, start};
use almacen_table::catalogue::products::Products;
use almacen_table::ordering::carts::Carts;
use almacen_table::ordering::coupons::Coupons;
use cart_api::{Api, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    log::init();
    let config = Config::read(Env::read())?;
    let tables = almacen_dynamo::client();
    let api = Api {
        carts: Carts::new(tables.clone(), config.carts, config.outbox),
        products: Products::new(tables.clone(), config.products),
        coupons: Coupons::new(tables, config.coupons),
        rules: config.rules,
        images_url: config.images_url,
    };
    start::run(|request, context| {
        let answer = config.http.answer(request, Deadline::of(&context), |request| api.handle(request));
        async { Ok(answer.await) }
    })
    .await
}
