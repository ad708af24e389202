//! What a request asks for, read and checked whole: route, caller, path and body. Nothing here talks to anybody.

use almacen_contract::cart;
use almacen_contract::error::{ApiError, Code};
use almacen_domain::ordering::cart::CartChange;
use almacen_lambda_kit::http::HttpRequest;

/// What a request asks for. There is no cart but the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `GET /carrito`.
    Show,
    /// Everything else.
    Change(CartChange),
}

impl Request {
    /// Reads a request: whose cart, and what.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 without a caller, 404 for a route that is none.
    pub fn read(request: &HttpRequest) -> Result<(String, Self), ApiError> {
        let user = request.caller()?.user_id;
        let product = || cart::product_id(&request.path_parameter("productoId"));
        let ask = match (request.method(), request.resource()) {
            ("GET", "/carrito") => Self::Show,
            ("POST", "/carrito/items") => Self::Change(cart::addition(&request.json()?)?),
            ("PUT", "/carrito/items/{productoId}") => {
                let quantity = request.json().and_then(|body| cart::quantity(&body));
                let (product, quantity) = ApiError::both(product(), quantity)?;
                Self::Change(CartChange::Set { product, quantity })
            }
            ("DELETE", "/carrito/items/{productoId}") => Self::Change(CartChange::Remove { product: product()? }),
            ("POST", "/carrito/cupon") => Self::Change(CartChange::Apply(cart::coupon(&request.json()?)?)),
            ("DELETE", "/carrito/cupon") => Self::Change(CartChange::RemoveCoupon),
            _ => return Err(ApiError::new(Code::NotFound)),
        };
        Ok((user, ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::ordering::coupon;
    use serde_json::{Value, json};

    macro_rules! event {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../../../events/cart-api/", $name, ".json"))).unwrap()
        };
    }

    fn read(event: Value) -> Result<(String, Request), ApiError> {
        Request::read(&serde_json::from_value(event).unwrap())
    }

    const USER: &str = "7d8ca528-4931-4254-9273-ea5ee853f271";
    const PRODUCT: &str = "prod_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d";

    fn events() -> [(Value, Request); 6] {
        let product = || PRODUCT.to_owned();
        [
            (event!("show"), Request::Show),
            (event!("add"), Request::Change(CartChange::Add { product: product(), quantity: 2 })),
            (event!("set"), Request::Change(CartChange::Set { product: product(), quantity: 5 })),
            (event!("remove"), Request::Change(CartChange::Remove { product: product() })),
            (event!("apply-coupon"), Request::Change(CartChange::Apply(coupon::Code::parse("VERANO10").unwrap()))),
            (event!("remove-coupon"), Request::Change(CartChange::RemoveCoupon)),
        ]
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        for (event, ask) in events() {
            assert_eq!(read(event).unwrap(), (USER.to_owned(), ask));
        }
    }

    #[test]
    fn everybody_who_is_signed_in_has_a_cart_and_nobody_else() {
        for (event, _) in events() {
            for role in ["cliente", "operador", "admin"] {
                let mut event = event.clone();
                event["requestContext"]["authorizer"]["rol"] = json!(role);
                assert!(read(event).is_ok(), "{role}");
            }
            let mut nobody = event.clone();
            nobody["requestContext"]["authorizer"] = Value::Null;
            assert_eq!(read(nobody).unwrap_err().code().status(), 401);
        }
        // Whose cart it is, nothing in the request can say.
        let mut event = event!("add");
        event["queryStringParameters"] = json!({"usuarioId": "other"});
        event["headers"]["usuarioId"] = json!("other");
        assert_eq!(read(event.clone()).unwrap().0, USER);
        event["body"] = json!(format!(r#"{{"productoId":"{PRODUCT}","cantidad":1,"usuarioId":"other"}}"#));
        assert_eq!(read(event).unwrap_err().code().status(), 400);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut set = event!("set");
        set["pathParameters"]["productoId"] = json!("..%2F");
        assert_eq!(
            read(set.clone()).unwrap_err().body(Language::Spanish, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"productoId","mensaje":"No es el identificador de un producto."}],"solicitudId":"r"}}"#
        );
        set["body"] = json!(r#"{"cantidad":0,"color":"rojo"}"#);
        assert_eq!(
            read(set).unwrap_err().body(Language::Spanish, "r"),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"productoId","mensaje":"No es el identificador de un producto."},{"campo":"cantidad","mensaje":"Debe ser un número entero de 1 a 999."},{"campo":"color","mensaje":"No se conoce este campo."}],"solicitudId":"r"}}"#
        );
        let mut text = event!("add");
        text["headers"]["Content-Type"] = json!("text/plain");
        assert_eq!(read(text).unwrap_err().code().status(), 415);
        let mut other = event!("show");
        other["httpMethod"] = json!("PATCH");
        assert_eq!(read(other).unwrap_err().code().status(), 404);
    }
}
