//! Lists of products: filters, orders, pages, and what they cost to read.

use serde_json::{Value, json};

use crate::api::As;
use crate::cart::change;
use crate::products::{body, category, made};
use crate::stack::{segment, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::{now_ms, tag};

const ORDERS: [&str; 4] = ["precio_asc", "precio_desc", "calificacion_desc", "recientes"];

fn names(list: &Value) -> Vec<String> {
    list["datos"].as_array().unwrap().iter().map(|one| one["nombre"].as_str().unwrap().to_owned()).collect()
}

fn all(query: &str, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    for page in 1.. {
        let list = As::Nobody.read(&format!("/productos?{query}&pagina={page}&limite={limit}"));
        let total = list["paginacion"]["total"].as_u64().unwrap() as usize;
        assert_eq!(list["paginacion"]["totalPaginas"], json!(total.div_ceil(limit)));
        let names = names(&list);
        assert_eq!(names.len(), limit.min(total.saturating_sub((page - 1) * limit)), "{query} {page}");
        if names.is_empty() {
            assert_eq!(found.len(), total);
            break;
        }
        found.extend(names);
    }
    found
}

#[test]
fn every_order_and_filter_and_pages_neither_repeat_nor_leave_out() {
    let category = category();
    let mut products = Vec::new();
    for number in 0..23_i64 {
        // Prices and ratings tie on purpose.
        let (name, price) = (format!("Artículo {number:02}"), 10 + number % 4);
        let mut new = body(&category, &name, price as f64);
        new["etiquetas"] = json!([if number % 2 == 0 { "Rojo" } else { "Azúl" }]);
        let id = made(&new);
        if number % 3 == 0 {
            let rated = As::Cliente.call(
                "POST",
                &format!("/productos/{id}/resenas"),
                &[],
                &json!({"calificacion": number % 5 + 1}).to_string(),
            );
            assert_eq!(rated.status, 201, "{}", rated.text());
        }
        let rating = if number % 3 == 0 { number % 5 + 1 } else { 0 };
        products.push((name, price, rating, id));
    }
    let query = format!("categoria={category}");
    for order in ORDERS {
        let mut expected = products.clone();
        match order {
            "precio_asc" => expected.sort_by_key(|(_, price, _, id)| (*price, id.clone())),
            "precio_desc" => expected.sort_by_key(|(_, price, _, id)| (-price, id.clone())),
            "calificacion_desc" => {
                expected.sort_by_key(|(_, _, rating, id)| (-rating, i64::from(*rating == 0), id.clone()));
            }
            _ => expected.reverse(),
        }
        let expected: Vec<String> = expected.into_iter().map(|(name, ..)| name).collect();
        for limit in [5, 100] {
            assert_eq!(all(&format!("{query}&orden={order}"), limit), expected, "{order} {limit}");
        }
    }
    assert_eq!(all(&query, 7), all(&format!("{query}&orden=recientes"), 7));
    assert_eq!(all(&format!("{query}&q=AZUL"), 20).len(), 11);
    assert_eq!(all(&format!("{query}&q=articulo%2007"), 20), ["Artículo 07"]);
    assert_eq!(all(&format!("{query}&q=articulo%2007%20rojo"), 20), [] as [&str; 0]);
    assert_eq!(all(&format!("{query}&precioMin=11&precioMax=12.00"), 20).len(), 12);
    assert_eq!(all("categoria=ninguna-de-este-nombre", 20), [] as [&str; 0]);

    // Related: of the same category, without itself, the best rated first.
    let (.., id) = &products[0];
    let related = As::Nobody.read(&format!("/productos/{id}/relacionados?limite=100"));
    assert_eq!(related.as_object().unwrap().len(), 1);
    let found = names(&related);
    assert!(found.len() == 22 && !found.contains(&products[0].0));
    assert_eq!(related["datos"][0]["calificacion"], json!(5.0));
    assert_eq!(names(&As::Nobody.read(&format!("/productos/{id}/relacionados?limite=3"))), found[..3]);
    assert_eq!(As::Nobody.get(&format!("/productos/{id}/relacionados?limite=101")).status, 400);
}

/// Only somebody with the table's own tools can break a record; nobody's list may close for it.
#[test]
fn what_cannot_be_read_is_left_out() {
    let category = category();
    let whole = made(&body(&category, "Entero", 5.0));
    // The newest, and more of them than a page is tried again for products that vanish.
    let broken: Vec<(String, &str, Value)> = [
        ("price_cents", json!({"S": "cinco"})),
        ("price_cents", json!({"N": "-1"})),
        ("changed_at", json!({"N": "9223372036854775807"})),
        ("rating_sum", json!({"N": "9223372036854775807"})),
        ("version", json!({"N": "9223372036854775807"})),
        ("name", json!({"N": "5"})),
        ("name", json!({"N": "5"})),
        ("name", json!({"N": "5"})),
    ]
    .map(|(name, value)| (made(&body(&category, "Roto", 5.0)), name, value))
    .into();
    let table = stack().output("ProductsTable");
    for (id, name, value) in &broken {
        change(table, &json!({"id": {"S": id}}), name, value.clone());
    }
    let list = format!("/productos?categoria={category}&limite=1");
    let shown = [As::Nobody.read(&list), As::Nobody.read(&list)];
    for (id, ..) in &broken {
        stack().dynamodb("DeleteItem", &json!({"TableName": table, "Key": {"id": {"S": id}}}));
    }
    for shown in shown {
        assert_eq!((names(&shown), &shown["paginacion"]["total"]), (vec!["Entero".to_owned()], &json!(1)));
        assert_eq!(shown["datos"][0]["id"], json!(whole));
    }
}

/// Writes so many items, each made just before it is written.
fn write(items: usize, item: impl Fn(usize) -> Value) {
    let table = stack().output("ProductsTable");
    for first in (0..items).step_by(25) {
        let chunk: Vec<Value> =
            (first..items.min(first + 25)).map(|number| json!({"PutRequest": {"Item": item(number)}})).collect();
        let mut left = json!({table: chunk});
        while left.as_object().is_some_and(|tables| !tables.is_empty()) {
            left = stack().dynamodb("BatchWriteItem", &json!({"RequestItems": left}))["UnprocessedItems"].clone();
        }
    }
}

/// How many read units a list took, as its function logged it.
fn read_units(path: &str) -> (usize, f64) {
    let since = now_ms() - 5_000;
    let answer = As::Nobody.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = answer.json()["datos"].as_array().unwrap().len();
    let id = answer.header("x-request-id").to_owned();
    let line = logged_units(&id, since);
    assert_eq!(line["shown"], json!(shown));
    (shown, line["read_units"].as_f64().unwrap())
}

/// A page costs what it shows, in every order, with every filter, however deep. `cargo xtask bench` does the same with ten
/// thousand products.
#[test]
fn a_page_of_a_thousand_products_reads_little_more_than_itself() {
    const PRODUCTS: usize = 1_000;
    /// Units for one product shown, when nothing has changed of late but what other tests change.
    const CALM: f64 = 1.25;
    let tag = tag();
    // A change is written at about the time that it bears: lists look no farther back than a minute.
    let item = |tag: &str, number: usize, deleted: bool| {
        let now = now_ms();
        let mut item = json!({
            "id": {"S": format!("prod_{tag}{number:024x}")}, "kind": {"S": "product"}, "changed_at": {"N": now.to_string()},
            "version": {"N": "1"}, "created_at": {"N": (now - number as i64).to_string()}, "updated_at": {"N": now.to_string()},
            "name": {"S": format!("Masa {number}")}, "words": {"S": format!("masa {number} para probar cuanto cuesta una pagina")},
            "description": {"S": "Para probar cuánto cuesta una página. ".repeat(20)},
            "price_cents": {"N": (100 + number % 977).to_string()}, "currency": {"S": "USD"},
            "category": {"S": format!("masa-{}-{tag}", number % 4)},
            "rating_sum": {"N": (number % 5 * 7).to_string()}, "rating_count": {"N": "7"},
        });
        if deleted {
            item["deleted_at"] = json!({"N": now.to_string()});
            item["expires_at"] = json!({"N": (now / 1000 + 7 * 24 * 3600).to_string()});
        }
        item
    };
    // Also where this test fails, the other tests' lists are theirs again.
    struct Undo<F: Fn(usize) -> Value>(F);
    impl<F: Fn(usize) -> Value> Drop for Undo<F> {
        fn drop(&mut self) {
            write(PRODUCTS, &self.0);
        }
    }
    let _undo = Undo(|number| item(&tag, number, true));
    write(PRODUCTS, |number| item(&tag, number, false));
    let list = As::Nobody.read(&format!("/productos?q={tag}&categoria=masa-1-{tag}"));
    assert_eq!(list["paginacion"]["total"], 0, "no word of it");
    let list = As::Nobody.read(&format!("/productos?categoria=masa-1-{tag}"));
    assert_eq!(list["paginacion"]["total"], PRODUCTS / 4);

    // What was changed within the last minute is read again with every list; after that only what is new.
    let one = format!("/productos?categoria=masa-1-{tag}");
    eventually(PATIENCE, "the minute of the load to be over", || {
        let (shown, units) = read_units(&one);
        if units <= CALM * shown as f64 { Ok(()) } else { Err(format!("{units} for {shown}")) }
    });
    let mut told = Vec::new();
    for order in ORDERS {
        for filter in [
            format!("categoria=masa-2-{tag}"),
            format!("categoria=masa-3-{tag}&q=masa"),
            format!("categoria=masa-0-{tag}&precioMin=2&precioMax=9.5&q=probar%20cuanto"),
            format!("categoria=masa-0-{tag}&pagina=12"),
            format!("limite=100&pagina=10&q={}", segment("cuanto cuesta")),
        ] {
            // An instance that is asked for the first time, or after a long while, reads more once.
            let (shown, units) = eventually(PATIENCE, "an instance that knows the catalogue", || {
                let (shown, units) = read_units(&format!("/productos?orden={order}&{filter}"));
                assert!(shown == 20 || shown == 100, "{order} {filter}: {shown}");
                if units <= 3.0 * shown as f64 {
                    Ok((shown, units))
                } else {
                    Err(format!("{filter}: {units} for {shown}"))
                }
            });
            told.push(units / shown as f64);
        }
    }
    // As a rule it is one unit a product and one for the question what has changed.
    let mean = told.iter().sum::<f64>() / told.len() as f64;
    assert!(mean < 1.5, "{told:?}");

    // An instance that starts takes the snapshot.
    let category = format!("masa-1-{tag}");
    write_down();
    let known = listed_anew(&category).0;
    assert_eq!(known["paginacion"]["total"], PRODUCTS / 4);
    let quickly = |what: &str| {
        eventually(PATIENCE, what, || {
            let (list, units) = listed_anew(&category);
            assert_eq!(list, known);
            // Other tests change products meanwhile; without a snapshot it would take more than 60.
            if units <= 40.0 { Ok(()) } else { Err(format!("{units} for 20")) }
        });
    };
    quickly("a list with a snapshot");
    // What nobody can read is nothing worse than nothing, and is replaced.
    stack().put_object(stack().output("CatalogueBucket"), "snapshot", &[], b"almacen-catalogue\x04\xff");
    assert_eq!(listed_anew(&category).0, known);
    write_down();
    quickly("a list with the snapshot that replaced it");
    // Nor is one believed that lacks what there is.
    let zigzag = |time: i64| {
        let (mut rest, mut bytes) = (u64::try_from(time).unwrap() * 2, Vec::new());
        while rest > 0x7f {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    };
    let empty_of = |now: i64| {
        let mut empty = [b"almacen-catalogue\x04".to_vec(), zigzag(now), zigzag(now), vec![0, 0]].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&empty);
        empty.extend(sum.sum().to_le_bytes());
        empty
    };
    stack().put_object(stack().output("CatalogueBucket"), "snapshot", &[], &empty_of(now_ms()));
    assert_eq!(listed_anew(&category).0, known);
    write_down();
    // Nor is it handed on when something changes, although it says of itself that it is good. Whatever happens here, the next
    // minute replaces what the other tests' lists could get.
    struct Spoil;
    impl Drop for Spoil {
        fn drop(&mut self) {
            stack().put_object(stack().output("CatalogueBucket"), "snapshot", &[], b"");
        }
    }
    let _spoil = Spoil;
    let format = stack().object_header(stack().output("CatalogueBucket"), "snapshot", "x-amz-meta-format");
    assert_eq!(format, "4", "of what is put here");
    eventually(PATIENCE, "a snapshot that was begun anew", || {
        let now = now_ms();
        let time = now.to_string();
        let good = [("format", &*format), ("whole-at", &*time), ("known-until", &*time)];
        stack().put_object(stack().output("CatalogueBucket"), "snapshot", &good, &empty_of(now));
        write(1, |number| item(&tag, number, false));
        write_down();
        let (list, units) = listed_anew(&category);
        // Where other tests change ten products within these moments, nobody can see that something is missing.
        if list == known && units <= 40.0 { Ok(()) } else { Err(format!("{units} for {}", list["paginacion"])) }
    });
}

/// Runs what the schedule runs every minute.
fn write_down() {
    let tick = serde_json::from_str(include_str!("../../events/snapshot-catalogue/schedule.json")).unwrap();
    let (answer, failed) = stack().invoke("snapshot-catalogue", &tick);
    assert!(!failed, "{answer}");
}

/// The first twenty of a category by an instance that has just started, and the read units that it took.
fn listed_anew(category: &str) -> (Value, f64) {
    let since = now_ms() - 5_000;
    let id = format!("anew-{}", tag());
    let mut event: Value = serde_json::from_str(include_str!("../../events/products-api/list.json")).unwrap();
    event["requestContext"]["requestId"] = json!(id);
    event["queryStringParameters"] = json!({"categoria": category});
    let answer = stack().invoke_anew("products-api", &event);
    assert_eq!(answer["statusCode"], 200, "{answer}");
    (
        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap(),
        logged_units(&id, since)["read_units"].as_f64().unwrap(),
    )
}

/// What the function says of a list that it has answered.
fn logged_units(id: &str, since: i64) -> Value {
    eventually(PATIENCE, "the log of a list", || {
        let lines = stack().logged_about("products-api", id, since);
        lines.into_iter().find(|line| line["message"] == "listed").ok_or_else(|| id.to_owned())
    })
}
