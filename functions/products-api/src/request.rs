//! What a request asks for, read and checked whole: route, role, path, query and body. Nothing here talks to anybody.

use almacen_contract::error::{ApiError, Code, Text};
use almacen_contract::money::amount_refused;
use almacen_contract::products::{self, NewProduct, versions};
use almacen_domain::Millis;
use almacen_domain::catalogue::listing::{Filter, Order, Words};
use almacen_domain::catalogue::{CATEGORY_CHARS_MAX, Category, Draft, Review};
use almacen_domain::identity::role::Role;
use almacen_domain::kernel::money::Decimal;
use almacen_domain::kernel::precondition::Precondition;
use almacen_domain::kernel::search::NEEDLE_CHARS_MAX;
use almacen_lambda_kit::http::HttpRequest;
use almacen_lambda_kit::query::Query;

/// The most that a page may hold.
pub const LIMIT_MAX: usize = 100;
/// What a page holds where nothing is said.
pub const LIMIT_DEFAULT: usize = 20;
/// The last page that may be asked for.
pub const PAGE_MAX: usize = 1_000_000;
/// Reviews are read from the newest on, those before the page too; so far back and no farther.
pub const REVIEWS_REACHED_MAX: usize = 2_000;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetPage {
    /// Counted from 1.
    pub page: usize,
    /// Things on a page.
    pub limit: usize,
}

impl OffsetPage {
    /// Things on the pages before.
    #[must_use]
    pub fn skip(self) -> usize {
        (self.page - 1) * self.limit
    }
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `GET /productos`.
    Products {
        /// Which products.
        filter: Filter,
        /// In which order.
        order: Order,
        /// Which page.
        slice: OffsetPage,
    },
    /// `GET /productos/{id}`.
    Product(String),
    /// `POST /productos`.
    NewProduct {
        /// What is said of it.
        new: NewProduct,
        /// Which user.
        by: String,
    },
    /// `PUT /productos/{id}`.
    Change {
        /// Which product.
        id: String,
        /// What is said of it.
        draft: Draft,
        /// `If-Match`.
        expected: Precondition,
    },
    /// `DELETE /productos/{id}`.
    Delete {
        /// Which product.
        id: String,
        /// `If-Match`.
        expected: Precondition,
    },
    /// `GET /productos/{id}/relacionados`.
    Related {
        /// To which product.
        id: String,
        /// How many at most.
        limit: usize,
    },
    /// `GET /productos/{id}/resenas`.
    Reviews {
        /// Of which product.
        id: String,
        /// Which page.
        slice: OffsetPage,
    },
    /// `POST /productos/{id}/resenas`.
    NewReview(Review),
    /// `GET /categorias`.
    Categories,
    /// `POST /categorias`.
    NewCategory(Category),
}

impl Request {
    /// Reads a request. Whoever has no token may look at the shop, and do nothing else.
    ///
    /// # Errors
    /// 400 naming everything that is wrong, 401 or 403 without the right, 404 for a product that cannot be there or a route
    /// that is none.
    pub fn read(request: &HttpRequest, now: Millis) -> Result<Self, ApiError> {
        match (request.method(), request.resource()) {
            ("GET", "/productos") => products(request),
            ("POST", "/productos") => {
                let caller = request.caller_at_least(Role::Admin)?;
                Ok(Self::NewProduct { new: products::new_product(&request.json()?)?, by: caller.user_id })
            }
            ("GET", "/productos/{id}") => product_id(request).map(Self::Product),
            ("PUT", "/productos/{id}") => {
                request.caller_at_least(Role::Admin)?;
                let id = product_id(request)?;
                let draft = request.json().and_then(|body| products::changed_product(&body));
                let (expected, draft) = ApiError::both(request.if_match(), draft)?;
                Ok(Self::Change { id, draft, expected: versions(expected) })
            }
            ("DELETE", "/productos/{id}") => {
                request.caller_at_least(Role::Admin)?;
                Ok(Self::Delete { id: product_id(request)?, expected: versions(request.if_match()?) })
            }
            ("GET", "/productos/{id}/relacionados") => {
                let id = product_id(request)?;
                let mut query = Query::of(request);
                let limit = query.whole("limite", 1..=LIMIT_MAX, LIMIT_DEFAULT);
                query.finish().map(|()| Self::Related { id, limit })
            }
            ("GET", "/productos/{id}/resenas") => {
                let id = product_id(request)?;
                let mut query = Query::of(request);
                let slice = slice(&mut query);
                if slice.page.saturating_mul(slice.limit) > REVIEWS_REACHED_MAX {
                    query.problem(
                        "pagina",
                        Text::made(
                            format!("Solo se muestran las {REVIEWS_REACHED_MAX} reseñas más recientes."),
                            format!("Only the newest {REVIEWS_REACHED_MAX} reviews are shown."),
                        ),
                    );
                }
                query.finish().map(|()| Self::Reviews { id, slice })
            }
            ("POST", "/productos/{id}/resenas") => {
                let caller = request.caller_at_least(Role::Customer)?;
                let id = product_id(request)?;
                products::review(&request.json()?, id, caller.user_id, now).map(Self::NewReview)
            }
            ("GET", "/categorias") => Ok(Self::Categories),
            ("POST", "/categorias") => {
                request.caller_at_least(Role::Admin)?;
                products::category(&request.json()?).map(Self::NewCategory)
            }
            _ => Err(ApiError::new(Code::NotFound)),
        }
    }
}

/// The product of the path. What cannot be an id of ours is not looked up.
fn product_id(request: &HttpRequest) -> Result<String, ApiError> {
    let id = request.path_parameter("id");
    let is_ours = id.strip_prefix("prod_").is_some_and(|rest| {
        rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    });
    if is_ours { Ok(id) } else { Err(ApiError::new(Code::NotFound)) }
}

fn products(request: &HttpRequest) -> Result<Request, ApiError> {
    let mut query = Query::of(request);
    let category = query.short_text("categoria", CATEGORY_CHARS_MAX).map(str::to_owned);
    let order = order(&mut query);
    // A text of nothing but blanks and accents asks for nothing.
    let words = query.short_text("q", NEEDLE_CHARS_MAX).and_then(Words::new);
    let from = amount(&mut query, "precioMin").unwrap_or(0);
    let to = amount(&mut query, "precioMax").unwrap_or(i64::MAX);
    if from > to {
        let text = Text::fixed("No puede ser mayor que precioMax.", "Must not be more than precioMax.");
        query.problem("precioMin", text);
    }
    let slice = slice(&mut query);
    query.finish()?;
    Ok(Request::Products { filter: Filter { category, words, price: from..=to, but: None }, order, slice })
}

fn order(query: &mut Query<'_>) -> Order {
    match query.text("orden") {
        None | Some("recientes") => Order::Newest,
        Some("precio_asc") => Order::PriceUp,
        Some("precio_desc") => Order::PriceDown,
        Some("calificacion_desc") => Order::Rating,
        Some(_) => {
            query.problem(
                "orden",
                Text::fixed(
                    "Debe ser precio_asc, precio_desc, calificacion_desc o recientes.",
                    "Must be precio_asc, precio_desc, calificacion_desc or recientes.",
                ),
            );
            Order::Newest
        }
    }
}

/// An amount in thousandths: a list holds products of any currency, and compares prices as numbers.
fn amount(query: &mut Query<'_>, parameter: &str) -> Option<i64> {
    let read = Decimal::parse(query.text(parameter)?).and_then(|number| number.thousandths());
    read.map_err(|error| query.problem(parameter, amount_refused(error, None))).ok()
}

fn slice(query: &mut Query<'_>) -> OffsetPage {
    OffsetPage {
        page: query.whole("pagina", 1..=PAGE_MAX, 1),
        limit: query.whole("limite", 1..=LIMIT_MAX, LIMIT_DEFAULT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_contract::error::Language;
    use almacen_domain::catalogue::{DraftPrice, SkuChange};
    use almacen_domain::kernel::money::{Currency, Money};
    use serde_json::{Value, json};

    const ID: &str = "prod_6f1c2b9d0e8a4f7c9b3d5e7f1a2c4b6d";
    const USER: &str = "7d8ca528-4931-4254-9273-ea5ee853f271";

    macro_rules! event {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../../../events/products-api/", $name, ".json")))
                .unwrap()
        };
    }

    fn read(event: Value) -> Result<Request, ApiError> {
        Request::read(&serde_json::from_value(event).unwrap(), 7)
    }

    fn told(event: Value) -> String {
        read(event).unwrap_err().body(Language::English, "r")
    }

    fn draft() -> Draft {
        Draft {
            name: "Echo Dot".to_owned(),
            description: "Altavoz con voz.".to_owned(),
            price: DraftPrice::Money(Money::new(9_999, Currency::USD)),
            category: "electronicos".to_owned(),
            sku: SkuChange::Sell(almacen_domain::kernel::name::Sku::parse("ECHO-DOT").unwrap()),
            tags: vec!["voz".to_owned(), "casa".to_owned()],
            specifications: [("peso".to_owned(), "300 g".to_owned())].into(),
        }
    }

    #[test]
    fn what_the_sample_events_ask_for() {
        let id = || ID.to_owned();
        let slice = OffsetPage { page: 1, limit: 20 };
        assert_eq!(
            read(event!("list")).unwrap(),
            Request::Products { filter: Filter::default(), order: Order::Newest, slice }
        );
        let filter = Filter {
            category: Some("electronicos".to_owned()),
            words: Words::new("cafe molido"),
            price: 4_500..=100_000,
            but: None,
        };
        assert_eq!(
            read(event!("search")).unwrap(),
            Request::Products { filter, order: Order::PriceUp, slice: OffsetPage { page: 2, limit: 10 } }
        );
        assert_eq!(read(event!("product")).unwrap(), Request::Product(id()));
        let new = NewProduct { draft: draft(), stock: Some(45) };
        assert_eq!(read(event!("new-product")).unwrap(), Request::NewProduct { new, by: USER.to_owned() });
        assert_eq!(
            read(event!("replace")).unwrap(),
            Request::Change { id: id(), draft: draft(), expected: Precondition::OneOf(vec![3]) }
        );
        assert_eq!(read(event!("delete")).unwrap(), Request::Delete { id: id(), expected: Precondition::Any });
        assert_eq!(read(event!("related")).unwrap(), Request::Related { id: id(), limit: 5 });
        assert_eq!(read(event!("reviews")).unwrap(), Request::Reviews { id: id(), slice });
        let review = Review {
            product: id(),
            user: USER.to_owned(),
            rating: 5,
            comment: "Suena muy bien.".to_owned(),
            created_at: 7,
        };
        assert_eq!(read(event!("new-review")).unwrap(), Request::NewReview(review));
        assert_eq!(read(event!("categories")).unwrap(), Request::Categories);
        let category = Category { id: "electronicos".to_owned(), name: "Electrónicos".to_owned() };
        assert_eq!(read(event!("new-category")).unwrap(), Request::NewCategory(category));
    }

    #[test]
    fn who_may() {
        let status = |mut event: Value, role: Option<&str>| {
            event["requestContext"]["authorizer"] =
                role.map_or(Value::Null, |role| json!({"usuarioId": USER, "rol": role}));
            read(event).err().map(|refusal| refusal.code().status())
        };
        for event in [event!("list"), event!("search"), event!("product"), event!("related"), event!("reviews")] {
            assert_eq!(status(event, None), None);
        }
        assert_eq!(status(event!("categories"), None), None);
        for event in [event!("new-product"), event!("replace"), event!("delete"), event!("new-category")] {
            assert_eq!(status(event.clone(), None), Some(401));
            assert_eq!(status(event.clone(), Some("cliente")), Some(403));
            assert_eq!(status(event.clone(), Some("operador")), Some(403));
            assert_eq!(status(event, Some("admin")), None);
        }
        assert_eq!(status(event!("new-review"), None), Some(401));
        assert_eq!(status(event!("new-review"), Some("cliente")), None);
        assert_eq!(status(event!("new-review"), Some("admin")), None);
    }

    #[test]
    fn everything_wrong_with_a_list_is_named_at_once() {
        let mut event = event!("list");
        event["queryStringParameters"] = json!({
            "pagina": "0", "limite": "101", "categoria": "x".repeat(61), "orden": "precio", "q": "x".repeat(101),
            "precioMin": "1.9999", "precioMax": "-1", "utm_source": "mail",
        });
        assert_eq!(
            told(event),
            r#"{"error":{"codigo":"ERROR_VALIDACION","mensaje":"The request is not valid.","detalles":[{"campo":"categoria","mensaje":"Has more than 60 characters."},{"campo":"orden","mensaje":"Must be precio_asc, precio_desc, calificacion_desc or recientes."},{"campo":"q","mensaje":"Has more than 100 characters."},{"campo":"precioMin","mensaje":"Has more than 3 decimals."},{"campo":"precioMax","mensaje":"Must be between 0 and 10000000000."},{"campo":"pagina","mensaje":"Must be a whole number from 1 to 1000000."},{"campo":"limite","mensaje":"Must be a whole number from 1 to 100."}],"solicitudId":"r"}}"#
        );
        for (name, value) in [
            ("limite", "+5"),
            ("limite", "1.5"),
            ("limite", "99999999999999999999999"),
            ("pagina", "-1"),
            ("pagina", "1e3"),
            ("precioMax", "x"),
        ] {
            let mut event = event!("list");
            event["queryStringParameters"] = json!({name: value});
            assert!(told(event).contains(name), "{name}={value}");
        }
        let mut event = event!("list");
        event["queryStringParameters"] = json!({"precioMin": "2", "precioMax": "1.99"});
        assert!(told(event).contains("precioMin"));
        let mut event = event!("list");
        event["queryStringParameters"] = json!({"precioMin": "", "q": " ", "categoria": "", "orden": "", "pagina": ""});
        assert_eq!(read(event).unwrap(), read(event!("list")).unwrap());
    }

    #[test]
    fn what_cannot_be_an_id_is_not_looked_up() {
        for id in ["", "x", "prod_", "sku#ECHO-DOT", "prod_6F1C2B9D0E8A4F7C9B3D5E7F1A2C4B6D", &format!("{ID}0"), "../x"]
        {
            for mut event in
                [event!("product"), event!("replace"), event!("delete"), event!("reviews"), event!("related")]
            {
                event["pathParameters"]["id"] = json!(id);
                event["path"] = json!(format!("/productos/{id}"));
                assert_eq!(read(event).unwrap_err().code().status(), 404, "{id}");
            }
        }
    }

    #[test]
    fn reviews_are_read_so_far_back_and_no_farther() {
        let reached = |page: usize| {
            let mut event = event!("reviews");
            event["queryStringParameters"] = json!({"pagina": page.to_string(), "limite": "100"});
            read(event).is_ok()
        };
        assert!(reached(REVIEWS_REACHED_MAX / 100));
        assert!(!reached(REVIEWS_REACHED_MAX / 100 + 1));
        assert!(!reached(PAGE_MAX));
    }
}
