//! Rows: how they are written, which are taken, why the others are not.

use almacen_domain::stock::import::Mode;
use almacen_stock_csv::{FileProblem, Lang, Role};

use crate::support::{check, check_bytes, refused, rejected_file, rows_of};

#[test]
fn delimiters_line_ends_and_quotes() {
    let rows = ["2 Berlin A-1 5", "3 Madrid A-2 7"];
    check("store,item,count\nBerlin,A-1,5\nMadrid,A-2,7\n", &rows);
    check("store,item,count\nBerlin,A-1,5\nMadrid,A-2,7", &rows);
    check("store,item,count\r\nBerlin,A-1,5\r\nMadrid,A-2,7\r\n", &rows);
    check("store,item,count\rBerlin,A-1,5\rMadrid,A-2,7\r", &rows);
    check("store;item;count\nBerlin;A-1;5\nMadrid;A-2;7\n", &rows);
    check("store\titem\tcount\nBerlin\tA-1\t5\nMadrid\tA-2\t7\n", &rows);
    check("store|item|count\nBerlin|A-1|5\nMadrid|A-2|7\n", &rows);
    check("\u{feff}store,item,count\nBerlin,A-1,5\nMadrid,A-2,7\n", &rows);
    check("\"store\",\"item\",\"count\"\n\"Berlin\",\"A-1\",\"5\"\n\"Madrid\",\"A-2\",\"7\"\n", &rows);
    check(" Store , ITEM ,Count \n Berlin , A-1 , 5 \n\tMadrid,A-2,7\n", &rows);
    check("count,note,item,store\n5,x,A-1,Berlin\n7,\"y, z\",A-2,Madrid\n", &rows);
    check("sep=;\nstore;item;count\nBerlin;A-1;5\n", &["3 Berlin A-1 5"]);
    check("\u{feff}sep=,\r\nstore,item,count\r\nBerlin,A-1,5\r\n", &["3 Berlin A-1 5"]);
    check("store,item,count\n\n\nBerlin,A-1,5\n\n", &["4 Berlin A-1 5"]);
    check("store,item,count\r\n\r\nBerlin,A-1,5\r\n,,\r\n , ,\r\n", &["3 Berlin A-1 5"]);
    check(
        "store,note,item,count\nBerlin,\"two\r\nlines\",A-1,5\nBerlin,,A-2,6\n",
        &["2 Berlin A-1 5", "4 Berlin A-2 6"],
    );
    check(
        "store,item,count\nBerlin,\"5\"\" pipe\",5\nBerlin,6\" pipe,6\n",
        &["2 Berlin 5\" pipe 5", "3 Berlin 6\" pipe 6"],
    );
    check("store,item,count\n", &[]);
    check("store,item,count", &[]);
}

#[test]
fn the_header_may_stand_below_titles() {
    check("Stock report\nof 3 May; printed\n\nstore;item;count\nBerlin;A-1;5\n", &["5 Berlin A-1 5"]);
    let titles = "title,x\n".repeat(19);
    check(&format!("{titles}store,item,count\nBerlin,A,1\n"), &["21 Berlin A 1"]);
    let titles = "title,x\n".repeat(20);
    assert_eq!(refused(format!("{titles}store,item,count\nBerlin,A,1\n").as_bytes(), "a.csv").code(), "no_header");
}

#[test]
fn rows_with_more_or_fewer_cells() {
    check(
        "store,item,count,threshold\nBerlin,A,1,,\nBerlin,B,2\nBerlin,C\nBerlin,D,1,200\nBerlin,E,1,2,3\nBerlin,F,1,2, ,\n",
        &[
            "2 Berlin A 1",
            "3 Berlin B 2",
            "4 count \"\" too_few_cells",
            "5 Berlin D 1 (warn at 200)",
            "6 - \"\" too_many_cells",
            "7 Berlin F 1 (warn at 2)",
        ],
    );
    let reasons = String::from_utf8(rejected_file(b"store,item,count\nBerlin,A,1,200\nBerlin,B\n", "a.csv", Mode::Set))
        .expect("text");
    assert_eq!(
        reasons,
        "\u{feff}store,item,count,_line,_column,_reason\r\n\
         Berlin,A,1,2,,The row has 4 cells and the header 3: a text or number that contains the delimiter must stand in quotes.,200\r\n\
         Berlin,B,,3,count,The row has 2 cells and the header 3: a needed cell is missing.\r\n"
    );
}

#[test]
fn bad_cells_are_named() {
    check(
        "store,item,count,threshold\n,A,1\nBerlin,,1\nBerlin,A,\nBerlin,A,-1\nBerlin,A,1.5\nBerlin,A,x\nBerlin,A,not stocked\n\
         Berlin,A,=B2\nBerlin,A,1000000001\nBerlin,A,2,-1\nBerlin,A,2,x\nBerlin,B,2,-\nBerlin,C,2,0\n",
        &[
            "2 store \"\" blank",
            "3 item \"\" blank",
            "4 count \"\" blank",
            "5 count \"-1\" negative",
            "6 count \"1.5\" not_whole",
            "7 count \"x\" not_a_number",
            "8 count \"not stocked\" not_stocked",
            "9 count \"=B2\" formula",
            "10 count \"1000000001\" too_large",
            "11 threshold \"-1\" negative",
            "12 threshold \"x\" not_a_number",
            "13 Berlin B 2",
            "14 Berlin C 2 (warn at 0)",
        ],
    );
}

#[test]
fn names() {
    let long = "x".repeat(201);
    let shown = format!("4 item \"{}…\" name_too_long", "x".repeat(99));
    check(
        &format!(
            "store,item,count\nBerlin,a\u{0}b,1\nBerlin,\"a\nb\",1\nBerlin,{long},1\nBerlin,=\"00123\",1\nBerlin,Cafe\u{301},2\n"
        ),
        &[
            "2 item \"a\\0b\" control_character",
            "3 item \"a\\nb\" control_character",
            &shown.replace("4 ", "5 "),
            "6 Berlin 00123 1",
            "7 Berlin Café 2",
        ],
    );
}

#[test]
fn adjusting_takes_what_is_below_zero() {
    let file = "store,item,count\nBerlin,A,-5\nBerlin,B,+3\nBerlin,C,\u{2212}1\nBerlin,D,-1000000001\n";
    assert_eq!(
        rows_of(file.as_bytes(), "a.csv", Mode::Adjust).expect("a table"),
        ["2 Berlin A -5", "3 Berlin B 3", "4 Berlin C -1", "5 count \"-1000000001\" too_large"]
    );
}

#[test]
fn numbers_follow_the_delimiter() {
    check(
        "store,item,count\nBerlin,A,\"1,200\"\nBerlin,B,1.200\nBerlin,C,12.000\n",
        &["2 Berlin A 1200", "3 count \"1.200\" ambiguous_number", "4 Berlin C 12"],
    );
    check(
        "store;item;count\nBerlin;A;1,200\nBerlin;B;1.200\nBerlin;C;12,0\nBerlin;D;12.0\n",
        &["2 count \"1,200\" ambiguous_number", "3 Berlin B 1200", "4 Berlin C 12", "5 Berlin D 12"],
    );
}

#[test]
fn encodings() {
    check("tienda;artículo;existencias\nMálaga;Caña;5\n", &["2 Málaga Caña 5"]);
    let latin = b"tienda;art\xedculo;existencias\nM\xe1laga;Ca\xf1a \x80;5\nC\xe1diz;Jam\xf3n;1\n";
    check_bytes(latin, "a.csv", &["2 Málaga Caña € 5", "3 Cádiz Jamón 1"]);
    // one broken row in a file that is UTF-8
    let mut broken = "store,item,count\nMálaga,Caña,5\nCádiz,X,1\n".as_bytes().to_vec();
    broken.extend_from_slice(b"Berlin,\xff,3\nBerlin,B,4\n");
    check_bytes(
        &broken,
        "a.csv",
        &["2 Málaga Caña 5", "3 Cádiz X 1", "4 item \"\u{fffd}\" bad_encoding", "5 Berlin B 4"],
    );
    // a byte-order mark leaves no doubt
    check_bytes(b"\xef\xbb\xbfstore,item,count\nBerlin,\xff,3\n", "a.csv", &["2 item \"\u{fffd}\" bad_encoding"]);
}

#[test]
fn the_store_may_come_from_the_key() {
    let file = b"sku,stock\nA,1\n";
    check_bytes(file, "stores/Berlin/count.csv", &["2 Berlin A 1"]);
    check_bytes(file, "imports/imp_1/stores/São Paulo/2024/count.csv", &["2 São Paulo A 1"]);
    check_bytes(b"store,sku,stock\nMadrid,A,1\n", "stores/Berlin/count.csv", &["2 Madrid A 1"]);
    for key in ["count.csv", "stores/count.csv", "stores//count.csv", "mystores/Berlin/count.csv"] {
        assert_eq!(
            refused(file, key),
            FileProblem::NoStore { found: vec!["sku".to_owned(), "stock".to_owned()] },
            "{key}"
        );
    }
    assert_eq!(refused(file, "stores/a\u{0}b/count.csv"), FileProblem::BadStore { name: "a\u{0}b".to_owned() });
    assert_eq!(refused(file, &format!("stores/{}/count.csv", "x".repeat(101))).code(), "bad_store");
}

#[test]
fn files_that_are_no_table_of_stock() {
    let check = |file: &[u8], code| {
        let problem = refused(file, "a.csv");
        assert_eq!(problem.code(), code);
        assert!(problem.text(Lang::Es).ends_with('.') && problem.text(Lang::En).ends_with('.'));
        assert_ne!(problem.text(Lang::Es), problem.text(Lang::En));
    };
    check(b"", "empty");
    check(b"\n\r\n  \n,,,\n", "empty");
    check(b"\xef\xbb\xbf", "empty");
    check(b"PK\x03\x04rest of a workbook", "spreadsheet");
    check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old workbook", "spreadsheet");
    check(b"\xff\xfes\0t\0o\0r\0e\0,\0", "utf16");
    check(b"s\0t\0o\0r\0e\0,\0i\0t\0e\0m\0\n\0", "binary");
    check(b"store,item,\0count\nBerlin,A,1\n", "binary");
    check(b"\x1f\x8b\x08\0\0\0\0\0", "binary");
    check(b"\x01\x02\x03\x04\x05\x06\x07\x08 some", "binary");
    check(b"name,price\nChair,5\n", "no_header");
    check(b"<!DOCTYPE html><html><body>Sign in</body></html>", "no_header");
    check(b"sku,SKU,count,store\nA,B,1,Berlin\n", "two_columns");
    assert_eq!(
        refused(b"name,price\nChair,5\n", "stores/Berlin/a.csv"),
        FileProblem::NoHeader { found: vec!["name".to_owned(), "price".to_owned()], missing: vec![Role::Count] }
    );
    assert_eq!(
        refused(b"store,sku,Quantity,Qty\nBerlin,A,1,2\n", "a.csv").text(Lang::En),
        "Two columns, “Quantity” and “Qty”, could both be the count (“count”, “quantity”, “stock”…): keep one or rename the other."
    );
    assert_eq!(
        refused(b"store,price\nBerlin,1\n", "a.csv").text(Lang::Es),
        "No se reconoce ningún encabezado en las primeras 20 filas. Falta el artículo («sku», «código», «producto»…) y la cantidad («count», «existencias», «cantidad»…). Se encontró: «store», «price»."
    );
}

#[test]
fn a_corrected_row_is_taken() {
    let file = "store;ítem;count\nBerlin;A;5\nMálaga;\"B; \"\"big\"\"\";x\n";
    let out = String::from_utf8(rejected_file(file.as_bytes(), "a.csv", Mode::Set)).expect("text");
    assert_eq!(
        out,
        "\u{feff}store;ítem;count;_line;_column;_reason\r\n\
         Málaga;\"B; \"\"big\"\"\";x;3;count;This is not a number: write it with digits only, such as 1200.\r\n"
    );
    assert_eq!(rows_of(out.as_bytes(), "a.csv", Mode::Set).expect("a table"), ["2 count \"x\" not_a_number"]);
    let corrected = out.replace(";x;", ";7;");
    check(&corrected, &["2 Málaga B; \"big\" 7"]);
    // rejected twice: the columns of the first time do not pile up
    let again = String::from_utf8(rejected_file(out.as_bytes(), "a.csv", Mode::Set)).expect("text");
    assert_eq!(again, out.replace(";3;", ";2;"));
}

#[test]
fn rejected_rows_take_their_store_along() {
    let out = rejected_file(b"sku,stock\nA,x\n", "stores/Berlin/a.csv", Mode::Set);
    let corrected = String::from_utf8(out).expect("text").replace(",x,", ",7,");
    check(&corrected, &["2 Berlin A 7"]);
}

#[test]
fn rejected_rows_of_another_encoding_come_back_as_utf8() {
    let out = rejected_file(b"tienda;art\xedculo;stock\nM\xe1laga;Ca\xf1a;x\n", "a.csv", Mode::Set);
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.starts_with("\u{feff}tienda;artículo;stock;_line"), "{text}");
    check(&text.replace(";x;", ";7;"), &["2 Málaga Caña 7"]);
}

#[test]
fn a_rejected_row_runs_nothing_in_a_spreadsheet_and_comes_back_as_it_was() {
    let out = rejected_file(b"store,item,count\n@Berlin,=1+cmd|'/c calc'!A0,x\nBerlin,A,=A1\n", "a.csv", Mode::Set);
    let text = String::from_utf8(out).expect("text");
    assert!(text.contains("\n'@Berlin,'=1+cmd|'/c calc'!A0,x,2,"), "{text}");
    assert!(text.contains("\nBerlin,A,'=A1,3,"), "{text}");
    check(&text.replace(",x,", ",7,").replace(",'=A1,", ",'+8,"), &["2 @Berlin =1+cmd|'/c calc'!A0 7", "3 Berlin A 8"]);
}
