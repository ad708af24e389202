//! Coupons: applied to a cart, looked at again whenever it is read, and used by an order once.

use serde_json::{Value, json};

use crate::api::error_text;
use crate::cart::{Customer, change, product};
use crate::stack::{Answer, stack};
use crate::warehouse::{now_ms, tag};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A coupon of the format of docs/coupons.md. Its code.
fn coupon(attributes: Value) -> String {
    let code = format!("E2E-{}", tag().to_uppercase());
    let mut item = json!({"code": {"S": code}, "part": {"S": "coupon"}});
    item.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    stack().dynamodb("PutItem", &json!({"TableName": stack().output("CouponsTable"), "Item": item}));
    code
}

pub(crate) fn ten_percent(more: Value) -> String {
    let mut attributes = json!({"benefit": {"S": "percent"}, "basis_points": {"N": "1000"}});
    attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    coupon(attributes)
}

fn number(number: i64) -> Value {
    json!({"N": number.to_string()})
}

fn change_coupon(code: &str, name: &str, value: Value) {
    change(stack().output("CouponsTable"), &json!({"code": {"S": code}, "part": {"S": "coupon"}}), name, value);
}

/// A record of a coupon: `coupon`, `user#…`, `order#…`.
fn record(code: &str, part: &str) -> Value {
    let key = json!({"code": {"S": code}, "part": {"S": part}});
    let read = json!({"TableName": stack().output("CouponsTable"), "Key": key, "ConsistentRead": true});
    stack().dynamodb("GetItem", &read)["Item"].clone()
}

fn apply(customer: &Customer, code: &str) -> Answer {
    customer.call("POST", "/carrito/cupon", &json!({"codigo": code}).to_string())
}

/// Somebody with goods of 100.00 in the cart.
fn shopper() -> Customer {
    let customer = Customer::new();
    assert_eq!(customer.add(&product("Abrigo", 10_000, 10), 1).status, 200);
    customer
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, message: &str) {
    let expected =
        format!(r#"{{"error":{{"codigo":"{code}","mensaje":"{message}","detalles":[],"solicitudId":"ID"}}}}"#);
    assert_eq!((answer.status, error_text(answer)), (status, expected));
}

/// Discount, tax, shipping and total as they are written.
fn sums(cart: &Value) -> [f64; 4] {
    ["descuento", "impuesto", "envio", "total"].map(|name| cart[name].as_f64().unwrap())
}

#[test]
fn applied_counted_and_taken_off() {
    let customer = shopper();
    let code = ten_percent(json!({}));
    let answer = customer.call("POST", "/carrito/cupon", &format!(r#"{{"codigo":"{}"}}"#, code.to_lowercase()));
    let cart = &answer.json()["carrito"];
    assert_eq!(
        (answer.status, answer.text()),
        (
            200,
            format!(
                r#"{{"carrito":{{"usuarioId":"{}","items":[{{"productoId":{},"nombre":"Abrigo","precio":100.00,"cantidad":1,"urlImagen":null}}],"subtotal":100.00,"descuento":10.00,"impuesto":7.20,"envio":0.00,"total":97.20,"moneda":"USD","actualizadoEn":{},"cupon":{{"codigo":"{code}","aplicado":true}}}},"mensaje":"Cupón aplicado."}}"#,
                customer.id, cart["items"][0]["productoId"], cart["actualizadoEn"]
            )
        )
    );
    // Again changes nothing; another takes its place.
    assert_eq!(apply(&customer, &code).text(), answer.text());
    let five = coupon(json!({"benefit": {"S": "amount"}, "amount_cents": {"N": "500"}, "currency": {"S": "USD"}}));
    assert_eq!(sums(&apply(&customer, &five).json()["carrito"]), [5.0, 7.6, 0.0, 102.6]);
    let removed = customer.call("DELETE", "/carrito/cupon", "");
    assert_eq!((removed.status, removed.text().as_str()), (204, ""));
    let cart = customer.cart();
    assert_eq!((sums(&cart), cart.get("cupon")), ([0.0, 8.0, 0.0, 108.0], None));
    let again = customer.call("DELETE", "/carrito/cupon", "");
    refused(&again, 404, "NO_ENCONTRADO", "El carrito no tiene cupón.");
    // Nothing is used before there is an order.
    assert_eq!(
        (&record(&code, "coupon")["uses"], record(&code, &format!("user#{}", customer.id))),
        (&Value::Null, Value::Null)
    );
}

#[test]
fn one_that_does_not_count_says_why() {
    let customer = shopper();
    let now = now_ms();
    let (yesterday, tomorrow) = (number(now - DAY_MS), number(now / 1000 * 1000 + DAY_MS));
    let check = |code: &str, message: &str| refused(&apply(&customer, code), 409, "CONFLICTO", message);
    check(&ten_percent(json!({"ends_at": yesterday})), "Este cupón ya caducó.");
    check(&ten_percent(json!({"uses_max": number(5), "uses": number(5)})), "Este cupón ya se agotó.");
    let minimum = json!({"minimum_cents": number(10_001), "currency": {"S": "USD"}});
    check(&ten_percent(minimum), "Este cupón vale para compras desde 100.01.");
    check(&ten_percent(json!({"currency": {"S": "EUR"}})), "Este cupón es para otra moneda.");
    let once = ten_percent(json!({"uses_per_customer": number(1)}));
    let used = json!({"code": {"S": once}, "part": {"S": format!("user#{}", customer.id)}, "uses": number(1)});
    stack().dynamodb("PutItem", &json!({"TableName": stack().output("CouponsTable"), "Item": used}));
    check(&once, "Ya usó este cupón.");
    assert_eq!(apply(&shopper(), &once).status, 200);
    let later = apply(&customer, &ten_percent(json!({"starts_at": tomorrow})));
    assert!(later.status == 409 && later.text().contains("Este cupón vale a partir de "), "{}", later.text());
    refused(&apply(&customer, &format!("E2E-{}", tag())), 404, "NO_ENCONTRADO", "Este cupón no existe.");
    // A record that breaks the rules is no coupon, and no failure either.
    let broken = coupon(json!({"benefit": {"S": "everything"}}));
    refused(&apply(&customer, &broken), 404, "NO_ENCONTRADO", "Este cupón no existe.");
    for body in [
        "{}",
        "[]",
        r#"{"codigo":""}"#,
        r#"{"codigo":"ab"}"#,
        r#"{"codigo":"coupon#1"}"#,
        r#"{"codigo":7}"#,
        r#"{"code":"VERANO10"}"#,
    ] {
        assert_eq!(customer.call("POST", "/carrito/cupon", body).status, 400, "{body}");
    }
    assert_eq!(customer.cart().get("cupon"), None);
}

#[test]
fn it_is_looked_at_again_whenever_the_cart_is_read() {
    let customer = shopper();
    let minimum = json!({"minimum_cents": number(10_000), "currency": {"S": "USD"}});
    let code = ten_percent(minimum);
    assert_eq!(sums(&apply(&customer, &code).json()["carrito"]), [10.0, 7.2, 0.0, 97.2]);
    let full = customer.cart();
    let counts = |why: Option<&str>| {
        let cart = customer.cart();
        let expected = match why {
            None => json!({"codigo": code, "aplicado": true}),
            Some(why) => json!({"codigo": code, "aplicado": false, "aviso": why}),
        };
        assert_eq!(cart["cupon"], expected);
        assert_eq!(sums(&cart), if why.is_none() { [10.0, 7.2, 0.0, 97.2] } else { [0.0, 8.0, 0.0, 108.0] });
    };
    counts(None);
    change_coupon(&code, "uses_max", number(1));
    change_coupon(&code, "uses", number(1));
    counts(Some("Este cupón ya se agotó."));
    change_coupon(&code, "uses", number(0));
    counts(None);
    change_coupon(&code, "ends_at", number(now_ms() - 1));
    counts(Some("Este cupón ya caducó."));
    change_coupon(&code, "ends_at", number(now_ms() + DAY_MS));
    change_coupon(&code, "minimum_cents", number(10_001));
    counts(Some("Este cupón vale para compras desde 100.01."));
    change_coupon(&code, "basis_points", json!({"S": "x"}));
    counts(Some("Este cupón no existe."));
    // Reading changed nothing.
    assert_eq!(customer.cart()["actualizadoEn"], full["actualizadoEn"]);
}

mod at_order_time {
    //! No route uses a coupon until there are orders, so the adapter that will is called as it is: the one place of this
    //! package that links code of the functions.

    use std::sync::OnceLock;

    use almacen_domain::ordering::coupon::{Code, Why};
    use almacen_table::ordering::coupons::{Coupons, Redeemed};
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{Builder, Credentials, Region};
    use tokio::runtime::Runtime;

    use super::*;

    /// The adapter, as a function of its own has it.
    fn adapter() -> Coupons {
        let config = Builder::from(almacen_aws_client::Aws::from_env().config())
            .endpoint_url(stack().output("Endpoint"))
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "e2e"))
            .build();
        Coupons::new(Client::from_conf(config), stack().output("CouponsTable").to_owned())
    }

    /// One for all tests: the adapters share their connections, which end with the runtime that opened them.
    fn runtime() -> &'static Runtime {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
    }

    /// All of these uses (user, order) at the same moment; how each ended.
    fn redeem_all(code: &str, uses: &[(String, String)]) -> Vec<Redeemed> {
        let (code, now) = (Code::parse(code).unwrap(), now_ms());
        runtime().block_on(async {
            let adapters: Vec<Coupons> = uses.iter().map(|_| adapter()).collect();
            let calls =
                adapters.iter().zip(uses).map(|(coupons, (user, order))| coupons.redeem(&code, user, order, now));
            futures::future::join_all(calls).await.into_iter().map(|result| result.unwrap()).collect()
        })
    }

    fn used(redeemed: &[Redeemed]) -> usize {
        redeemed.iter().filter(|one| **one == Redeemed::Used).count()
    }

    fn orders(users: usize, orders: usize) -> Vec<(String, String)> {
        let users: Vec<String> = (0..users).map(|_| format!("user-{}", tag())).collect();
        (0..orders).map(|n| (users[n % users.len()].clone(), format!("ord_{}", tag()))).collect()
    }

    #[test]
    fn the_last_use_goes_to_one_of_ten_orders() {
        let code = ten_percent(json!({"uses_max": number(3), "uses": number(2)}));
        let orders = orders(10, 10);
        let ended = redeem_all(&code, &orders);
        assert_eq!(used(&ended), 1, "{ended:?}");
        assert!(ended.iter().all(|one| matches!(one, Redeemed::Used | Redeemed::Refused(Why::UsedUp))), "{ended:?}");
        assert_eq!(record(&code, "coupon")["uses"]["N"], "3");
        // It is written down for the one order and its customer, and for no other.
        for ((user, order), ended) in orders.iter().zip(&ended) {
            let (mark, by_user) = (record(&code, &format!("order#{order}")), record(&code, &format!("user#{user}")));
            if *ended == Redeemed::Used {
                assert_eq!((mark["used_by"]["S"].as_str(), by_user["uses"]["N"].as_str()), (Some(&**user), Some("1")));
            } else {
                assert_eq!((mark, by_user), (Value::Null, Value::Null));
            }
        }
        // And a customer's cart says so.
        refused(&apply(&shopper(), &code), 409, "CONFLICTO", "Este cupón ya se agotó.");
    }

    #[test]
    fn one_order_uses_it_once_however_often_it_is_asked() {
        let code = ten_percent(json!({"uses_max": number(3), "uses_per_customer": number(1)}));
        let same = vec![("user-a".to_owned(), "ord_1".to_owned()); 10];
        assert_eq!(used(&redeem_all(&code, &same)), 10);
        assert_eq!(record(&code, "coupon")["uses"]["N"], "1");
        // Asked again when the coupon is used up and over, it still is used for that order.
        change_coupon(&code, "uses_max", number(1));
        change_coupon(&code, "ends_at", number(1));
        assert_eq!(redeem_all(&code, &same[..1]), [Redeemed::Used]);
        assert_eq!(redeem_all(&code, &orders(1, 1)), [Redeemed::Refused(Why::Ended)]);
    }

    #[test]
    fn a_customers_uses_are_counted_apart() {
        let code = ten_percent(json!({"uses_per_customer": number(2)}));
        let ended = redeem_all(&code, &orders(2, 10));
        assert_eq!(used(&ended), 4, "{ended:?}");
        assert!(
            ended.iter().all(|one| matches!(one, Redeemed::Used | Redeemed::Refused(Why::UsedByCustomer))),
            "{ended:?}"
        );
        assert_eq!(record(&code, "coupon")["uses"]["N"], "4");
        assert_eq!(redeem_all("E2E-NO-SUCH-CODE", &orders(1, 1)), [Redeemed::Refused(Why::Unknown)]);
        let later = ten_percent(json!({"starts_at": number(now_ms() + DAY_MS)}));
        assert!(matches!(redeem_all(&later, &orders(1, 1))[..], [Redeemed::Refused(Why::NotYet { .. })]));
    }
}
