//! The contract's example requests for users, shop, to-dos, health and documents: sent as they stand here, and answered,
//! status, headers and body, as it stands here.
//!
//! What changes from run to run has a name in braces, as in a route. In a request it is filled in. In an answer it is
//! found out where it stands first, and is the same wherever it stands again: `{task}`. Two names mean nothing:
//! `{_}` is any one value, `{…}` any stretch of a list that other tests add to.

use std::collections::BTreeMap;
use std::thread;

use serde_json::json;

use crate::api::As;
use crate::cart::change;
use crate::coupons::ten_percent;
use crate::images::{png, send, with_pictures};
use crate::products::{body, category, made};
use crate::reviews::review_as;
use crate::stack::{Answer, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::tag;

/// Another one in every answer.
const REQUEST: &str = "request";
/// Headers that the two ends of a connection have for themselves; the gateway's own begin with [`GATEWAY`]. All others are
/// held against the text.
const TRANSPORT: [&str; 5] = ["connection", "content-length", "date", "server", "transfer-encoding"];
const GATEWAY: &str = "x-amz";

/// What the names stand for.
#[derive(Debug, Clone, Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn new() -> Self {
        let mut names = Self::default();
        names.set("tag", tag());
        names.set("images", stack().output("ImagesUrl"));
        for (name, caller) in [("cliente", As::Cliente), ("operador", As::Operador), ("admin", As::Admin)] {
            names.set(name, caller.token().unwrap());
        }
        names
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("nothing was called {{{name}}}"))
    }

    fn filled(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&braced(name), value))
    }

    /// Sends a request and holds the answer against what it should be.
    #[track_caller]
    fn example(&mut self, request: &str, expected: &str) {
        let answer = whole(&self.send(request));
        if let Err(difference) = self.learn(&unindented(expected), &answer) {
            panic!("{request}\nis answered\n\n{answer}\n\n{difference}");
        }
    }

    /// Sends a request as its text has it; again where the gateway or a store that others keep busy says so.
    fn send(&self, request: &str) -> Answer {
        let request = self.filled(&unindented(request));
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("method and path");
        let headers: Vec<(&str, &str)> =
            lines.map(|line| line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"))).collect();
        eventually(PATIENCE, "its turn", || {
            let answer = As::Nobody.call(method, path, &headers, body);
            if matches!(answer.status, 429 | 503) { Err(answer.text()) } else { Ok(answer) }
        })
    }

    /// Is `found` what `expected` says? Names that are new stand for what was found.
    fn learn(&mut self, expected: &str, found: &str) -> Result<(), String> {
        self.0.remove(REQUEST);
        let (mut expected, mut rest) = (self.filled(expected), found);
        loop {
            let Some((before, name, after)) = first_name(&expected) else {
                return if rest == expected { Ok(()) } else { Err(difference(&expected, rest)) };
            };
            let Some(from) = rest.strip_prefix(before) else { return Err(difference(before, rest)) };
            let until = first_name(after).map_or(after, |(before, ..)| before);
            let end = if until.is_empty() { Some(from.len()) } else { from.find(until) };
            let Some(end) = end else {
                let value = from.find(['"', '\n']).unwrap_or_default();
                return Err(difference(until, &from[value..]));
            };
            let value;
            (value, rest) = from.split_at(end);
            if name != "…" && (value.is_empty() || value.contains(['"', '\n'])) {
                return Err(format!("which for {{{name}}} has {value:?}"));
            }
            let name = name.to_owned();
            expected = after.to_owned();
            if !matches!(name.as_str(), "…" | "_") {
                expected = expected.replace(&braced(&name), value);
                self.set(&name, value);
            }
        }
    }
}

fn braced(name: &str) -> String {
    format!("{{{name}}}")
}

/// What stands before the first name in braces, the name, and what stands after it.
fn first_name(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('}')?;
        let good = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '…'));
        good.then_some((&text[..at], name, after))
    })
}

/// What follows where `found` is not as expected any more.
fn difference(expected: &str, found: &str) -> String {
    const SHOWN: usize = 120;
    let same = expected.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let from = |text: &str| text.chars().skip(same).take(SHOWN).collect::<String>();
    format!("which is not as expected from {:?} on; that is {:?}", from(found), from(expected))
}

/// A text without the empty lines around it, its lines as far to the left as the first of them.
fn unindented(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text).trim_end();
    let indent = text.len() - text.trim_start().len();
    let line = |line: &str| line.get(indent..).unwrap_or_default().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// An answer's status, headers in the order of their names, and body, without the newline that a page ends with.
fn whole(answer: &Answer) -> String {
    let ours = |name: &str| !TRANSPORT.contains(&name) && !name.starts_with(GATEWAY);
    let headers = answer.headers.iter().filter(|(name, _)| ours(name.as_str()));
    let mut lines: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("not readable"))).collect();
    lines.sort_unstable();
    let head = format!("{}\n{}", answer.status, lines.join("\n"));
    let body = answer.text();
    let body = body.strip_suffix('\n').unwrap_or(&body);
    if body.is_empty() { head } else { format!("{head}\n\n{body}") }
}

#[test]
fn what_is_answered_otherwise_is_noticed() {
    let check = |expected: &str, found: &str, good: bool| {
        let mut names = Names::default();
        names.set("known", "k");
        assert_eq!(names.learn(expected, found).is_ok(), good, "{expected} {found}");
    };
    check(r#"{"id":"{task}","at":"{at}","by":"{at}"}"#, r#"{"id":"t","at":"1","by":"1"}"#, true);
    check(r#"{"id":"{task}","at":"{at}","by":"{at}"}"#, r#"{"id":"t","at":"1","by":"2"}"#, false);
    check(r#"{"id":"{task}"}"#, r#"{"id":""}"#, false);
    check(r#"{"id":"{task}"}"#, r#"{"id":"t","more":"x"}"#, false);
    check(r#"{"id":"{task}"}"#, r#"{"id":"t"} "#, false);
    check(r#"{"id":"{known}"}"#, r#"{"id":"k"}"#, true);
    check(r#"{"id":"{known}"}"#, r#"{"id":"other"}"#, false);
    check(r#"{"ms":{_},"then":{_}}"#, r#"{"ms":1,"then":22}"#, true);
    check(r#"[{…}{"id":"{known}"}{…}]"#, r#"[{"id":"a"},{"id":"k"}]"#, true);
    check(r#"[{…}{"id":"{known}"}{…}]"#, r#"[{"id":"a"},{"id":"b"}]"#, false);
    check(r#"{}{"a":{}}"#, r#"{}{"a":{}}"#, true);
}

#[test]
fn to_dos() {
    let mut names = Names::new();
    names.example(
        r#"
        POST /tasks
        authorization: Bearer {operador}
        content-type: application/json

        {"title":"Contar el almacén","description":"Pasillos 3 y 4."}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        etag: "1"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{task}","title":"Contar el almacén","description":"Pasillos 3 y 4.","completed":false,"createdAt":"{at}","updatedAt":"{at}"}
        "#,
    );
    names.example(
        r#"
        GET /tasks/{task}
        authorization: Bearer {operador}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        etag: "1"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{task}","title":"Contar el almacén","description":"Pasillos 3 y 4.","completed":false,"createdAt":"{at}","updatedAt":"{at}"}
        "#,
    );
    names.example(
        r#"
        GET /tasks/{task}
        authorization: Bearer {operador}
        if-none-match: "1"
        "#,
        r#"
        304
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        etag: "1"
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
    names.example(
        r#"
        PUT /tasks/{task}
        authorization: Bearer {operador}
        content-type: application/json
        if-match: "1"

        {"title":"Contar el almacén","description":"Pasillos 3 y 4.","completed":true}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        etag: "2"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{task}","title":"Contar el almacén","description":"Pasillos 3 y 4.","completed":true,"createdAt":"{at}","updatedAt":"{later}"}
        "#,
    );
    names.example(
        r#"
        PUT /tasks/{task}
        authorization: Bearer {operador}
        content-type: application/json
        if-match: "1"

        {"title":"Contar el almacén","completed":false}
        "#,
        r#"
        412
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"PRECONDICION_FALLIDA","mensaje":"La versión indicada en If-Match ya no es la actual.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        DELETE /tasks/{task}
        authorization: Bearer {operador}
        if-match: "2"
        "#,
        r#"
        204
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
}

#[test]
fn the_list_of_to_dos() {
    let names = Names::new();
    // The newest is somebody else's where another test adds one in between.
    eventually(PATIENCE, "the newest to-do to be this test's", || {
        let mut names = names.clone();
        names.example(
            r#"
            POST /tasks
            authorization: Bearer {operador}
            content-type: application/json

            {"title":"Pedir té","completed":true}
            "#,
            r#"
            201
            access-control-allow-origin: *
            access-control-expose-headers: etag,location,retry-after,x-request-id
            cache-control: no-store
            content-type: application/json; charset=utf-8
            etag: "1"
            x-content-type-options: nosniff
            x-request-id: {request}

            {"id":"{task}","title":"Pedir té","description":"","completed":true,"createdAt":"{at}","updatedAt":"{at}"}
            "#,
        );
        let request = r#"
            GET /tasks?limit=1
            authorization: Bearer {operador}
        "#;
        let expected = r#"
            200
            access-control-allow-origin: *
            access-control-expose-headers: etag,location,retry-after,x-request-id
            cache-control: no-store
            content-type: application/json; charset=utf-8
            x-content-type-options: nosniff
            x-request-id: {request}

            {"tasks":[{"id":"{task}","title":"Pedir té","description":"","completed":true,"createdAt":"{at}","updatedAt":"{at}"}],"next":"{cursor}"}
        "#;
        names.learn(&unindented(expected), &whole(&names.send(request)))
    });
}

#[test]
fn the_catalogue() {
    let mut names = Names::new();
    names.example(
        r#"
        POST /categorias
        authorization: Bearer {admin}
        content-type: application/json

        {"nombre":"Electrónicos {tag}"}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"electronicos-{tag}","nombre":"Electrónicos {tag}"}
        "#,
    );
    names.example(
        r#"
        POST /categorias
        authorization: Bearer {admin}
        content-type: application/json

        {"nombre":"Ñandúes {tag}"}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"nandues-{tag}","nombre":"Ñandúes {tag}"}
        "#,
    );
    names.example(
        "GET /categorias",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{…}{"id":"electronicos-{tag}","nombre":"Electrónicos {tag}"},{…}{"id":"nandues-{tag}","nombre":"Ñandúes {tag}"}{…}]}
        "#,
    );
    names.example(
        r#"
        POST /productos
        authorization: Bearer {admin}
        content-type: application/json

        {"nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":99.99,"moneda":"USD","categoriaId":"electronicos-{tag}","stock":45,"sku":"ECHO-{tag}","etiquetas":["voz","hogar"],"especificaciones":{"peso":"300 g","altavoz":"44 mm"}}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        location: productos/{product}
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{product}","nombre":"Echo Dot","urlCargaImagen":"{upload}","creadoEn":"{made}"}
        "#,
    );
    send(names.get("upload"), &png(1200, 900, [200, 30, 30]));
    with_pictures(names.get("product"), 1);

    names.example(
        r#"
        POST /productos/{product}/resenas
        authorization: Bearer {cliente}
        content-type: application/json

        {"calificacion":5,"comentario":"Suena muy bien."}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{review}","productoId":"{product}","calificacion":5,"comentario":"Suena muy bien.","creadoEn":"{reviewed}"}
        "#,
    );
    names.example(
        "GET /productos/{product}/resenas",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{review}","productoId":"{product}","calificacion":5,"comentario":"Suena muy bien.","creadoEn":"{reviewed}"}],"paginacion":{"pagina":1,"limite":20,"total":1,"totalPaginas":1}}
        "#,
    );
    names.example(
        r#"
        POST /productos/{product}/resenas
        authorization: Bearer {operador}
        content-type: application/json

        {"calificacion":4}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{_}","productoId":"{product}","calificacion":4,"comentario":"","creadoEn":"{_}"}
        "#,
    );
    // 126 more, half of them with 4 and half with 5: 4.5 of 128.
    in_turns(126, |number| {
        let (status, body) = review_as(&format!("r{number}"), names.get("product"), 4 + number % 2);
        assert_eq!(status, 201, "{body}");
    });
    names.example(
        "GET /productos/{product}",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        etag: "{etag}"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{product}","nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":99.99,"moneda":"USD","categoria":"electronicos-{tag}","urlImagen":"{images}/p/{product}/{picture}-800.jpg","stock":45,"calificacion":4.5,"cantidadResenas":128,"imagenes":["{images}/p/{product}/{picture}-1600.jpg"],"especificaciones":{"altavoz":"44 mm","peso":"300 g"},"sku":"ECHO-{tag}","etiquetas":["voz","hogar"],"creadoEn":"{made}","actualizadoEn":"{pictured}"}
        "#,
    );
    names.example(
        r#"
        GET /productos/{product}
        if-none-match: "{etag}"
        "#,
        r#"
        304
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        etag: "{etag}"
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );

    // The contract's list: 156 products, the one above the cheapest.
    let category = format!("electronicos-{}", names.get("tag"));
    let mut others =
        in_turns(155, |number| (number, made(&body(&category, &format!("Artículo {number}"), 100.0 + number as f64))));
    others.sort_unstable();
    let shown = others.iter().take(19).map(|(number, id)| {
        format!(
            r#",{{"id":"{id}","nombre":"Artículo {number}","descripcion":"Para probar.","precio":{}.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":0.0,"cantidadResenas":0}}"#,
            100 + number
        )
    });
    names.set("nineteen", shown.collect::<String>());
    names.example(
        "GET /productos?pagina=1&limite=20&categoria=electronicos-{tag}&orden=precio_asc",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{product}","nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":99.99,"moneda":"USD","categoria":"electronicos-{tag}","urlImagen":"{images}/p/{product}/{picture}-800.jpg","stock":45,"calificacion":4.5,"cantidadResenas":128}{nineteen}],"paginacion":{"pagina":1,"limite":20,"total":156,"totalPaginas":8}}
        "#,
    );
    names.example(
        "GET /productos?categoria=electronicos-{tag}&q=altavoz&precioMin=99.99&precioMax=100",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{product}","nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":99.99,"moneda":"USD","categoria":"electronicos-{tag}","urlImagen":"{images}/p/{product}/{picture}-800.jpg","stock":45,"calificacion":4.5,"cantidadResenas":128}],"paginacion":{"pagina":1,"limite":20,"total":1,"totalPaginas":1}}
        "#,
    );

    names.example(
        r#"
        PUT /productos/{product}
        authorization: Bearer {admin}
        content-type: application/json
        if-match: "{etag}"

        {"nombre":"Echo Dot 2","descripcion":"Altavoz con voz.","precio":89.5,"categoriaId":"nandues-{tag}","etiquetas":["voz"],"especificaciones":{"peso":"300 g"}}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        etag: "{newer}"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{product}","nombre":"Echo Dot 2","descripcion":"Altavoz con voz.","precio":89.50,"moneda":"USD","categoria":"nandues-{tag}","urlImagen":"{images}/p/{product}/{picture}-800.jpg","stock":45,"calificacion":4.5,"cantidadResenas":128,"imagenes":["{images}/p/{product}/{picture}-1600.jpg"],"especificaciones":{"peso":"300 g"},"sku":"ECHO-{tag}","etiquetas":["voz"],"creadoEn":"{made}","actualizadoEn":"{changed}"}
        "#,
    );
    assert_ne!(names.get("etag"), names.get("newer"));
    names.example(
        r#"
        DELETE /productos/{product}
        authorization: Bearer {admin}
        if-match: "{newer}"
        "#,
        r#"
        204
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
    in_turns(others.len(), |number| {
        let answer = As::Admin.call("DELETE", &format!("/productos/{}", others[number].1), &[], "");
        assert_eq!(answer.status, 204, "{}", answer.text());
    });
}

/// Does it for every number below `count`, some at a time.
fn in_turns<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    const AT_ONCE: usize = 4;
    thread::scope(|scope| {
        let one = &one;
        let turns: Vec<_> = (0..AT_ONCE)
            .map(|first| scope.spawn(move || (first..count).step_by(AT_ONCE).map(one).collect::<Vec<T>>()))
            .collect();
        turns.into_iter().flat_map(|turn| turn.join().unwrap()).collect()
    })
}

#[test]
fn the_catalogue_in_every_order() {
    let mut names = Names::new();
    let category = category();
    for (name, title, price) in [("lamp", "Lámpara", 25.0), ("chair", "Silla", 40.0), ("mug", "Taza", 9.5)] {
        names.set(name, made(&body(&category, title, price)));
    }
    names.set("category", category);
    for (product, caller, rating) in
        [("mug", As::Cliente, 5), ("mug", As::Operador, 4), ("mug", As::Admin, 4), ("chair", As::Cliente, 5)]
    {
        let path = format!("/productos/{}/resenas", names.get(product));
        let answer = caller.call("POST", &path, &[], &json!({"calificacion": rating}).to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    names.example(
        "GET /productos?pagina=1&limite=20&categoria={category}&orden=precio_asc",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{mug}","nombre":"Taza","descripcion":"Para probar.","precio":9.50,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":4.3,"cantidadResenas":3},{"id":"{lamp}","nombre":"Lámpara","descripcion":"Para probar.","precio":25.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":0.0,"cantidadResenas":0},{"id":"{chair}","nombre":"Silla","descripcion":"Para probar.","precio":40.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":5.0,"cantidadResenas":1}],"paginacion":{"pagina":1,"limite":20,"total":3,"totalPaginas":1}}
        "#,
    );
    names.example(
        "GET /productos?pagina=1&limite=20&categoria={category}&orden=precio_desc",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{chair}","nombre":"Silla","descripcion":"Para probar.","precio":40.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":5.0,"cantidadResenas":1},{"id":"{lamp}","nombre":"Lámpara","descripcion":"Para probar.","precio":25.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":0.0,"cantidadResenas":0},{"id":"{mug}","nombre":"Taza","descripcion":"Para probar.","precio":9.50,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":4.3,"cantidadResenas":3}],"paginacion":{"pagina":1,"limite":20,"total":3,"totalPaginas":1}}
        "#,
    );
    names.example(
        "GET /productos?pagina=1&limite=20&categoria={category}&orden=calificacion_desc",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{chair}","nombre":"Silla","descripcion":"Para probar.","precio":40.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":5.0,"cantidadResenas":1},{"id":"{mug}","nombre":"Taza","descripcion":"Para probar.","precio":9.50,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":4.3,"cantidadResenas":3},{"id":"{lamp}","nombre":"Lámpara","descripcion":"Para probar.","precio":25.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":0.0,"cantidadResenas":0}],"paginacion":{"pagina":1,"limite":20,"total":3,"totalPaginas":1}}
        "#,
    );
    names.example(
        "GET /productos?pagina=1&limite=20&categoria={category}&orden=recientes",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{mug}","nombre":"Taza","descripcion":"Para probar.","precio":9.50,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":4.3,"cantidadResenas":3},{"id":"{chair}","nombre":"Silla","descripcion":"Para probar.","precio":40.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":5.0,"cantidadResenas":1},{"id":"{lamp}","nombre":"Lámpara","descripcion":"Para probar.","precio":25.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":0.0,"cantidadResenas":0}],"paginacion":{"pagina":1,"limite":20,"total":3,"totalPaginas":1}}
        "#,
    );
    names.example(
        "GET /productos/{lamp}/relacionados",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"datos":[{"id":"{chair}","nombre":"Silla","descripcion":"Para probar.","precio":40.00,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":5.0,"cantidadResenas":1},{"id":"{mug}","nombre":"Taza","descripcion":"Para probar.","precio":9.50,"moneda":"USD","categoria":"{category}","urlImagen":null,"stock":0,"calificacion":4.3,"cantidadResenas":3}]}
        "#,
    );
}

#[test]
fn users() {
    let mut names = Names::new();
    names.example(
        r#"
        POST /users
        content-type: application/json

        {"username":"ana{tag}","email":"ana{tag}@example.com","password":"Secreta123","age":34}
        "#,
        r#"
        201
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"id":"{user}","username":"ana{tag}"}
        "#,
    );
    names.example(
        r#"
        POST /token
        content-type: application/x-www-form-urlencoded

        username=ana{tag}&password=Secreta123
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"access_token":"{access}","refresh_token":"{refresh}","token_type":"bearer","expires_in":3600}
        "#,
    );
    names.example(
        r#"
        POST /token
        content-type: application/json

        {"username":"ana{tag}","password":"Secreta123"}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"access_token":"{second}","refresh_token":"{_}","token_type":"bearer","expires_in":3600}
        "#,
    );
    names.example(
        r#"
        POST /token
        content-type: application/x-www-form-urlencoded

        grant_type=refresh_token&refresh_token={refresh}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"access_token":"{third}","token_type":"bearer","expires_in":3600}
        "#,
    );
    names.example(
        r#"
        POST /token
        content-type: application/json

        {"refresh_token":"{refresh}"}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"access_token":"{fourth}","token_type":"bearer","expires_in":3600}
        "#,
    );
    for token in ["access", "second", "third", "fourth"] {
        names.set("token", names.get(token).to_owned());
        names.example(
            r#"
            GET /users/me
            authorization: Bearer {token}
            "#,
            r#"
            200
            access-control-allow-origin: *
            access-control-expose-headers: etag,location,retry-after,x-request-id
            cache-control: no-store
            content-type: application/json; charset=utf-8
            x-content-type-options: nosniff
            x-request-id: {request}

            {"id":"{user}","username":"ana{tag}","email":"ana{tag}@example.com","rol":"cliente"}
            "#,
        );
    }
    names.example(
        r#"
        POST /token
        content-type: application/json

        {"username":"ana{tag}","password":"Secreta124"}
        "#,
        r#"
        401
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"NO_AUTORIZADO","mensaje":"El usuario o la contraseña no son correctos, la cuenta no está confirmada o la sesión caducó.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
}

/// Somebody who has just signed up and in: `{access}` is the token, `{user}` the id.
fn newcomer() -> Names {
    let mut names = Names::new();
    let (name, json) = (format!("cesta{}", names.get("tag")), [("content-type", "application/json")]);
    let new = json!({"username": name, "email": format!("{name}@example.com"), "password": "Secreta123"});
    let made = As::Nobody.call("POST", "/users", &json, &new.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let known = json!({"username": name, "password": "Secreta123"});
    let tokens = As::Nobody.call("POST", "/token", &json, &known.to_string());
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    names.set("user", made.json()["id"].as_str().unwrap());
    names.set("access", tokens.json()["access_token"].as_str().unwrap());
    names
}

#[test]
fn the_cart() {
    let mut names = newcomer();
    names.example(
        r#"
        GET /carrito
        authorization: Bearer {access}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"usuarioId":"{user}","items":[],"subtotal":0.00,"descuento":0.00,"impuesto":0.00,"envio":0.00,"total":0.00,"moneda":"USD","actualizadoEn":null}
        "#,
    );
    let product = crate::cart::product("Auriculares", 9_999, 45);
    let picture = json!({"L": [{"S": format!("p/{product}/img")}]});
    change(stack().output("ProductsTable"), &json!({"id": {"S": product}}), "images", picture);
    names.set("product", product);
    names.example(
        r#"
        POST /carrito/items
        authorization: Bearer {access}
        content-type: application/json

        {"productoId":"{product}","cantidad":2}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"carrito":{"usuarioId":"{user}","items":[{"productoId":"{product}","nombre":"Auriculares","precio":99.99,"cantidad":2,"urlImagen":"{images}/p/{product}/img-800.jpg"}],"subtotal":199.98,"descuento":0.00,"impuesto":16.00,"envio":0.00,"total":215.98,"moneda":"USD","actualizadoEn":"{added}"},"mensaje":"Producto agregado al carrito."}
        "#,
    );
    names.example(
        r#"
        GET /carrito
        authorization: Bearer {access}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"usuarioId":"{user}","items":[{"productoId":"{product}","nombre":"Auriculares","precio":99.99,"cantidad":2,"urlImagen":"{images}/p/{product}/img-800.jpg"}],"subtotal":199.98,"descuento":0.00,"impuesto":16.00,"envio":0.00,"total":215.98,"moneda":"USD","actualizadoEn":"{added}"}
        "#,
    );
    names.example(
        r#"
        PUT /carrito/items/{product}
        authorization: Bearer {access}
        content-type: application/json

        {"cantidad":5}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"usuarioId":"{user}","items":[{"productoId":"{product}","nombre":"Auriculares","precio":99.99,"cantidad":5,"urlImagen":"{images}/p/{product}/img-800.jpg"}],"subtotal":499.95,"descuento":0.00,"impuesto":40.00,"envio":0.00,"total":539.95,"moneda":"USD","actualizadoEn":"{set}"}
        "#,
    );
    names.example(
        r#"
        PUT /carrito/items/{product}
        authorization: Bearer {access}
        content-type: application/json

        {"cantidad":46}
        "#,
        r#"
        409
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"SIN_STOCK","mensaje":"No hay existencias suficientes.","detalles":[{"campo":"cantidad","mensaje":"De Auriculares solo hay 45."}],"solicitudId":"{request}"}}
        "#,
    );
    names.set("coupon", ten_percent(json!({})));
    names.example(
        r#"
        POST /carrito/cupon
        authorization: Bearer {access}
        content-type: application/json

        {"codigo":"{coupon}"}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"carrito":{"usuarioId":"{user}","items":[{"productoId":"{product}","nombre":"Auriculares","precio":99.99,"cantidad":5,"urlImagen":"{images}/p/{product}/img-800.jpg"}],"subtotal":499.95,"descuento":50.00,"impuesto":36.00,"envio":0.00,"total":485.95,"moneda":"USD","actualizadoEn":"{applied}","cupon":{"codigo":"{coupon}","aplicado":true}},"mensaje":"Cupón aplicado."}
        "#,
    );
    names.example(
        r#"
        DELETE /carrito/cupon
        authorization: Bearer {access}
        "#,
        r#"
        204
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
    let price = json!({"N": "8999"});
    change(stack().output("ProductsTable"), &json!({"id": {"S": names.get("product")}}), "price_cents", price);
    names.example(
        r#"
        GET /carrito
        authorization: Bearer {access}
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"usuarioId":"{user}","items":[{"productoId":"{product}","nombre":"Auriculares","precio":89.99,"cantidad":5,"urlImagen":"{images}/p/{product}/img-800.jpg","precioAnterior":99.99}],"subtotal":449.95,"descuento":0.00,"impuesto":36.00,"envio":0.00,"total":485.95,"moneda":"USD","actualizadoEn":"{_}"}
        "#,
    );
    names.example(
        r#"
        DELETE /carrito/items/{product}
        authorization: Bearer {access}
        "#,
        r#"
        204
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
    names.example(
        r#"
        DELETE /carrito/items/{product}
        authorization: Bearer {access}
        "#,
        r#"
        404
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"NO_ENCONTRADO","mensaje":"El producto no está en el carrito.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
}

#[test]
fn health() {
    let mut names = Names::new();
    names.example(
        "GET /health",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"status":"healthy"}
        "#,
    );
    names.example(
        "GET /liveness",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"status":"alive"}
        "#,
    );
    names.example(
        "GET /readiness",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"status":"ready"}
        "#,
    );
    names.example(
        "GET /health/detailed",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"status":"healthy","checkedAt":"{_}","checks":[{"name":"inventario","status":"healthy","latencyMs":{_}},{"name":"productos","status":"healthy","latencyMs":{_}},{"name":"carritos","status":"healthy","latencyMs":{_}},{"name":"salida","status":"healthy","latencyMs":{_}},{"name":"identidad","status":"healthy","latencyMs":{_}},{"name":"importaciones","status":"healthy","latencyMs":{_}},{"name":"tareas","status":"healthy","latencyMs":{_}},{"name":"archivos","status":"healthy","latencyMs":{_}},{"name":"recepcion","status":"healthy","latencyMs":{_}},{"name":"eventos","status":"healthy","latencyMs":{_}}]}
        "#,
    );
}

#[test]
fn documents() {
    let mut names = Names::new();
    names.set("api", stack().output("ApiUrl"));
    names.set("web", stack().output("WebUrl").trim_end_matches("index.html").trim_end_matches('/'));
    names.example(
        "GET /openapi.json",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: public, max-age=60
        content-type: application/json; charset=utf-8
        etag: "{etag}"
        x-content-type-options: nosniff
        x-request-id: {request}

        {"openapi":"3.1.0","info":{"title":"Almacén","version":"1.0",{…}"servers":[{"url":"{api}"{…}
        "#,
    );
    names.example(
        r#"
        GET /openapi.json
        if-none-match: "{etag}"
        "#,
        r#"
        304
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: public, max-age=60
        content-type: application/json
        etag: "{etag}"
        x-content-type-options: nosniff
        x-request-id: {request}
        "#,
    );
    names.example(
        "GET /docs",
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: public, max-age=60
        content-security-policy: default-src 'none'; script-src {web}/vendor/swagger-ui/ {web}/docs/; style-src {web}/vendor/swagger-ui/ {web}/docs/; img-src data: {web}/favicon.svg; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        content-type: text/html; charset=utf-8
        referrer-policy: no-referrer
        x-content-type-options: nosniff
        x-request-id: {request}

        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>Almacén API</title>
          <link rel="icon" href="{web}/favicon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="{web}/vendor/swagger-ui/swagger-ui.css">
          <link rel="stylesheet" href="{web}/docs/docs.css">
          <script src="{web}/vendor/swagger-ui/swagger-ui-bundle.js" defer></script>
          <script src="{web}/docs/docs.js" defer></script>
        </head>
        <body>
          <main id="docs"></main>
          <noscript><p>This page needs JavaScript. The document it shows is at <a href="openapi.json">openapi.json</a>.</p></noscript>
        </body>
        </html>
        "#,
    );
}

#[test]
fn refusals_of_the_functions() {
    let mut names = Names::new();
    names.example(
        r#"
        POST /productos
        authorization: Bearer {admin}
        content-type: application/json

        {"nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":"99.99","categoriaId":"electronicos","color":"azul"}
        "#,
        r#"
        400
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"precio","mensaje":"Debe ser un importe, como 99.99."},{"campo":"color","mensaje":"No se conoce este campo."}],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        POST /productos
        authorization: Bearer {cliente}
        content-type: application/json

        {"nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":99.99,"categoriaId":"electronicos"}
        "#,
        r#"
        403
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"PROHIBIDO","mensaje":"No tiene permiso para hacer esto.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        GET /productos/prod_0123456789abcdef0123456789abcdef
        accept-language: en-GB,en;q=0.9,es;q=0.1
        "#,
        r#"
        404
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"NO_ENCONTRADO","mensaje":"There is no such thing.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        "GET /productos?pagina=0&limite=101&orden=precio&precioMin=2&precioMax=1.9999",
        r#"
        400
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"ERROR_VALIDACION","mensaje":"La solicitud no es válida.","detalles":[{"campo":"orden","mensaje":"Debe ser precio_asc, precio_desc, calificacion_desc o recientes."},{"campo":"precioMax","mensaje":"Tiene más de 3 decimales."},{"campo":"pagina","mensaje":"Debe ser un número entero de 1 a 1000000."},{"campo":"limite","mensaje":"Debe ser un número entero de 1 a 100."}],"solicitudId":"{request}"}}
        "#,
    );
    names.set("category", category());
    names.set("product", made(&body(names.get("category"), "Echo Dot", 99.99)));
    names.example(
        r#"
        POST /categorias
        authorization: Bearer {admin}
        content-type: application/json

        {"nombre":"{category}"}
        "#,
        r#"
        409
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"CONFLICTO","mensaje":"Ya existe la categoría {category}.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        PUT /productos/{product}
        authorization: Bearer {admin}
        content-type: application/json
        if-match: "1"

        {"nombre":"Echo Dot","descripcion":"Altavoz con voz.","precio":89.99,"categoriaId":"{category}"}
        "#,
        r#"
        412
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"PRECONDICION_FALLIDA","mensaje":"La versión indicada en If-Match ya no es la actual.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    let rated = As::Cliente.call(
        "POST",
        &format!("/productos/{}/resenas", names.get("product")),
        &[],
        r#"{"calificacion":5,"comentario":"Suena muy bien."}"#,
    );
    assert_eq!(rated.status, 201, "{}", rated.text());
    names.example(
        r#"
        POST /productos/{product}/resenas
        authorization: Bearer {cliente}
        content-type: application/json

        {"calificacion":1,"comentario":"Ya no suena."}
        "#,
        r#"
        409
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"CONFLICTO","mensaje":"Ya escribió una reseña de este producto.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.set("long", "x".repeat(128 * 1024));
    names.example(
        r#"
        POST /tasks
        authorization: Bearer {operador}
        content-type: application/json

        {"title":"{long}"}
        "#,
        r#"
        413
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"SOLICITUD_GRANDE","mensaje":"El cuerpo pasa de 131072 bytes.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        POST /tasks
        authorization: Bearer {operador}
        content-type: text/plain

        {"title":"Contar el almacén"}
        "#,
        r#"
        415
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"TIPO_NO_SOPORTADO","mensaje":"El tipo de contenido debe ser application/json (UTF-8).","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        POST /token
        content-type: text/xml

        <a/>
        "#,
        r#"
        415
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"error":{"codigo":"TIPO_NO_SOPORTADO","mensaje":"El tipo de contenido debe ser application/x-www-form-urlencoded, application/json (UTF-8).","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
}

#[test]
fn refusals_of_the_gateway_itself() {
    let mut names = Names::new();
    names.example(
        r#"
        GET /tasks
        origin: https://shop.example
        "#,
        r#"
        401
        access-control-allow-origin: *
        access-control-expose-headers: etag,x-request-id,retry-after
        cache-control: no-store
        content-type: application/json
        x-request-id: {request}

        {"error":{"codigo":"NO_AUTORIZADO","mensaje":"Falta el token de acceso o no es válido.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        GET /tasks
        authorization: Bearer a.b.c
        origin: https://shop.example
        "#,
        r#"
        401
        access-control-allow-origin: *
        access-control-expose-headers: etag,x-request-id,retry-after
        cache-control: no-store
        content-type: application/json
        x-request-id: {request}

        {"error":{"codigo":"NO_AUTORIZADO","mensaje":"Falta el token de acceso o no es válido.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
    names.example(
        r#"
        GET /nothing
        origin: https://shop.example
        "#,
        r#"
        404
        access-control-allow-origin: *
        access-control-expose-headers: etag,x-request-id,retry-after
        cache-control: no-store
        content-type: application/json
        x-request-id: {request}

        {"error":{"codigo":"NO_ENCONTRADO","mensaje":"Esa ruta no existe.","detalles":[],"solicitudId":"{request}"}}
        "#,
    );
}

#[test]
fn pages_elsewhere() {
    let mut names = Names::new();
    names.example(
        r#"
        OPTIONS /carrito/items/prod_1
        access-control-request-method: PUT
        access-control-request-headers: authorization,content-type
        origin: https://shop.example
        "#,
        r#"
        200
        access-control-allow-headers: authorization,content-type,accept-language,if-match,if-none-match,idempotency-key,x-api-key
        access-control-allow-methods: GET,POST,PUT,PATCH,DELETE,OPTIONS
        access-control-allow-origin: *
        access-control-max-age: 86400
        content-type: application/json

        {}
        "#,
    );
    names.example(
        r#"
        GET /health
        origin: https://shop.example
        "#,
        r#"
        200
        access-control-allow-origin: *
        access-control-expose-headers: etag,location,retry-after,x-request-id
        cache-control: no-store
        content-type: application/json; charset=utf-8
        x-content-type-options: nosniff
        x-request-id: {request}

        {"status":"healthy"}
        "#,
    );
}
