//! The files under samples/ give the lines that a person would expect.

use std::fs;

use serde_json::Value;

use crate::stack::root;
use crate::warehouse::{behind, ended, lines, rejections, report, tag, upload};

/// A sample with its stores' names made unique: every one of `stores` gets ` TAG` behind it.
fn sample(file: &str, tag: &str, stores: &[&[u8]]) -> Vec<u8> {
    let mut content = fs::read(root().join("samples").join(file)).unwrap();
    for store in stores {
        let mut renamed = Vec::with_capacity(content.len());
        let mut rest = content.as_slice();
        let mut found = 0;
        while let Some(at) = rest.windows(store.len()).position(|window| window == *store) {
            renamed.extend_from_slice(&rest[..at + store.len()]);
            renamed.extend_from_slice(format!(" {tag}").as_bytes());
            rest = &rest[at + store.len()..];
            found += 1;
        }
        renamed.extend_from_slice(rest);
        assert!(found > 0, "{file} has no {}", String::from_utf8_lossy(store));
        content = renamed;
    }
    content
}

#[test]
fn two_stores() {
    let tag = tag();
    let import =
        upload(&format!("{tag}/berlin-madrid.csv"), &sample("berlin-madrid.csv", &tag, &[b"Berlin", b"Madrid"]));
    ended(&import, "completed", [12, 0, 0, 12, 0, 0]);
    assert_eq!(
        lines(&format!("Berlin {tag}")),
        [
            "COFFEE-1000 12/5",
            "COFFEE-250 48/5",
            "FILTER-02 200/5",
            "GRINDER-HAND 4/5",
            "KETTLE-GOOSE 7/5",
            "MUG-BLUE 0/5"
        ]
    );
    assert_eq!(
        lines(&format!("Madrid {tag}")),
        [
            "COFFEE-1000 3/5",
            "COFFEE-250 36/5",
            "FILTER-02 150/5",
            "GRINDER-HAND 9/5",
            "KETTLE-GOOSE 5/5",
            "MUG-BLUE 24/5"
        ]
    );
    let report = report(&import);
    assert_eq!(
        (report["state"].as_str(), report["mode"].as_str(), report["fileName"].as_str()),
        (Some("completed"), Some("set"), Some("berlin-madrid.csv"))
    );
    assert_eq!(report["stores"], serde_json::json!([format!("Berlin {tag}"), format!("Madrid {tag}")]));
    assert!(import.get("rejectedUrl").is_none() && import.get("failure").is_none(), "{import}");

    // The same content once more, under another name: nothing changes.
    let again = upload(&format!("{tag}/again.csv"), &sample("berlin-madrid.csv", &tag, &[b"Berlin", b"Madrid"]));
    ended(&again, "completed", [12, 0, 12, 0, 0, 0]);
}

#[test]
fn spanish_with_semicolons() {
    let tag = tag();
    let file = sample("existencias-es.csv", &tag, &[b"C\xe1diz", b"M\xe1laga"]);
    ended(&upload(&format!("{tag}/existencias.csv"), &file), "completed", [8, 0, 0, 8, 0, 0]);
    assert_eq!(
        lines(&format!("Cádiz {tag}")),
        ["AZÚCAR-1K 80/5", "CAFÉ-250 1250/200", "Jamón ibérico «5 J» 3/4", "LEÑA-SACO 12/15"]
    );
    assert_eq!(
        lines(&format!("Málaga {tag}")),
        ["AZÚCAR-1K 1100/5", "CAFÉ-250 940/200", "LEÑA-SACO 0/15", "Piñones 100 g 27/10"]
    );
}

#[test]
fn shopify() {
    let tag = tag();
    let file = sample("shopify-inventory.csv", &tag, &[b"Berlin Mitte", b"Warehouse"]);
    let import = upload(&format!("{tag}/shopify.csv"), &file);
    ended(&import, "completed_with_errors", [8, 0, 0, 7, 1, 0]);
    rejected(&import, &[(7, "On hand (current)", "not_stocked")]);
    // A new count, where one is written beside the current one, is what counts; variants without a SKU have two names.
    assert_eq!(
        lines(&format!("Berlin Mitte {tag}")),
        ["LS-M-WH 3/5", "LS-S-WH 12/5", "tote-bag 6/5", "wool-scarf / Grey 0/5", "wool-scarf / Red 4/5"]
    );
    assert_eq!(lines(&format!("Warehouse {tag}")), ["LS-M-WH 80/5", "LS-S-WH 140/5"]);
}

#[test]
fn square_with_a_column_for_each_location() {
    let tag = tag();
    let file = sample("square-items.csv", &tag, &[b"Harbour", b"Old Town"]);
    let import = upload(&format!("{tag}/square.csv"), &file);
    // The gift card says of itself that it holds no stock: it is no row.
    ended(&import, "completed_with_errors", [7, 0, 0, 6, 1, 0]);
    rejected(&import, &[(5, &format!("Current Quantity Old Town {tag}"), "not_a_number")]);
    assert_eq!(lines(&format!("Harbour {tag}")), ["CUP-BL 0/2", "Cold brew 24/5", "ESP-1000 15/5", "ESP-250 40/10"]);
    assert_eq!(lines(&format!("Old Town {tag}")), ["CUP-BL 30/8", "ESP-250 6/10"]);
}

#[test]
fn magento_and_woocommerce() {
    let tag = tag();
    let file = sample("magento-sources.csv", &tag, &[b"default", b"madrid", b"lisboa"]);
    ended(&upload(&format!("{tag}/sources.csv"), &file), "completed", [6, 0, 0, 6, 0, 0]);
    assert_eq!(lines(&format!("default {tag}")), ["24-MB01 100/5", "24-MB04 87/5", "24-WB02 0/5"]);
    assert_eq!(lines(&format!("madrid {tag}")), ["24-MB01 12/5", "24-MB04 4/5"]);
    assert_eq!(lines(&format!("lisboa {tag}")), ["24-MB01 1250/5"]);

    // It names no store: that is in the key.
    let file = sample("woocommerce-products.csv", &tag, &[]);
    let import = upload(&format!("stores/Tienda {tag}/productos.csv"), &file);
    ended(&import, "completed_with_errors", [5, 0, 0, 4, 1, 0]);
    rejected(&import, &[(8, "Stock", "blank")]);
    assert_eq!(lines(&format!("Tienda {tag}")), ["BELT-01 14/3", "CAP-01 0/5", "HOODIE-BL 7/5", "Hoodie - Green 2/5"]);
}

/// Line, column and code of every rejected row, in order of the file.
#[track_caller]
fn rejected(import: &Value, expected: &[(u64, &str, &str)]) {
    let found = rejections(&report(import));
    let found: Vec<(u64, &str, &str)> = found.iter().map(|(line, column, code)| (*line, &**column, &**code)).collect();
    assert_eq!(found, expected);
}

#[test]
fn lots_are_one_line_with_their_sum() {
    let tag = tag();
    let file = format!(
        "Location,Product,Lot/Serial Number,Quantity\nWH {tag},CABINET,LOT-1,6.00\nWH {tag},DESK,,4.00\nWH {tag},CABINET,LOT-2,6.00\n\
         WH {tag},LAMP,LOT-1,3.00\nWH {tag},LAMP,LOT-2,some\n"
    );
    let import = upload(&format!("{tag}/quants.csv"), file.as_bytes());
    // The second lot of the cabinet counts as unchanged: the first has taken it along.
    ended(&import, "completed_with_errors", [5, 0, 1, 2, 2, 0]);
    rejected(&import, &[(5, "", "other_lot"), (6, "Quantity", "not_a_number")]);
    assert_eq!(lines(&format!("WH {tag}")), ["CABINET 12/5", "DESK 4/5"]);

    // Both lots of the lamp come back, so the corrected file gives its whole count.
    let corrected = behind(&import, "rejectedUrl").replace(",some,", ",5,");
    ended(&upload(&format!("{tag}/corrected.csv"), corrected.as_bytes()), "completed", [2, 0, 1, 1, 0, 0]);
    assert_eq!(lines(&format!("WH {tag}")), ["CABINET 12/5", "DESK 4/5", "LAMP 8/5"]);
}

#[test]
fn mistakes_come_back_to_be_corrected() {
    let tag = tag();
    let file = sample("with-mistakes.csv", &tag, &[b"Berlin", b"Madrid"]);
    let import = upload(&format!("{tag}/mistakes.csv"), &file);
    ended(&import, "completed_with_errors", [19, 0, 1, 4, 14, 0]);
    rejected(
        &import,
        &[
            (3, "count", "negative"),
            (4, "count", "not_whole"),
            (5, "sku", "blank"),
            (6, "count", "blank"),
            (7, "store", "blank"),
            (8, "", "too_many_cells"),
            (10, "count", "not_a_number"),
            (11, "count", "not_stocked"),
            (13, "", "conflict"),
            (14, "", "conflict"),
            (17, "count", "too_large"),
            (18, "threshold", "not_a_number"),
            (19, "", "open_quote"),
            (20, "count", "too_few_cells"),
        ],
    );
    assert_eq!(lines(&format!("Berlin {tag}")), ["SIEVE 1200/50", "TEA-GREEN 30/10"]);
    assert_eq!(lines(&format!("Madrid {tag}")), ["TEA-GREEN 14/10", "TEA-MINT 20/5"]);
    let first = report(&import)["rejected"][0].clone();
    assert_eq!(
        first,
        serde_json::json!({"line": 3, "column": "count", "value": "-3", "code": "negative", "reason": {
            "es": "El número es negativo; aquí debe ser cero o mayor.",
            "en": "The number is negative; here it must be zero or more.",
        }})
    );

    // The rejected rows, with each mistake corrected or its row removed, are uploaded as they are.
    let mut rows: Vec<String> = behind(&import, "rejectedUrl").lines().map(str::to_owned).collect();
    assert_eq!(rows[0], "\u{feff}store,sku,name,count,threshold,_line,_column,_reason");
    rows.retain(|row| !row.contains("not stocked") && !row.contains("TEA-CHAI,Chai,6"));
    let mut corrected = rows.join("\r\n");
    for (mistake, instead) in [
        (",-3,", ",3,"),
        (",12.5,", ",12,"),
        (",,Rooibos", ",ROOIBOS,Rooibos"),
        ("Oolong,,", "Oolong,4,"),
        ("\r\n,TEA-WHITE", &format!("\r\nBerlin {tag},TEA-WHITE")),
        ("Teapot,1,200,", "Teapot,1200,5,"),
        ("comillas.,5", "comillas."),
        ("about ten", "10"),
        (",2000000000,", ",2000,"),
        (",low,", ",2,"),
        ("\"TEA-EARL,Earl Grey,4,\",,,,19", "TEA-EARL,Earl Grey,4,,19"),
        (",CUP,,,,", ",CUP,,6,,"),
    ] {
        assert!(corrected.contains(mistake), "no {mistake} in {corrected}");
        corrected = corrected.replace(mistake, instead);
    }
    let import = upload(&format!("{tag}/corrected.csv"), corrected.as_bytes());
    ended(&import, "completed", [12, 0, 0, 12, 0, 0]);
    assert_eq!(
        lines(&format!("Berlin {tag}")),
        [
            "ROOIBOS 8/5",
            "SIEVE 1200/50",
            "SPOON 10/5",
            "TEA-BLACK 3/10",
            "TEA-GREEN 30/10",
            "TEA-MINT 12/5",
            "TEA-OOLONG 4/5",
            "TEA-WHITE 5/5",
            "TEAPOT 1200/5",
        ]
    );
    assert_eq!(
        lines(&format!("Madrid {tag}")),
        ["CUP 6/5", "JAR-M 7/2", "JAR-S 2000/5", "TEA-CHAI 9/5", "TEA-EARL 4/5", "TEA-GREEN 14/10", "TEA-MINT 20/5"]
    );
}
