//! Files that are no stock lists, or would like to do harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::stack::stack;
use crate::undelivered::ON_PURPOSE;
use crate::warehouse::{
    Arrived, counters, drop_file, ended, finished, lines, now_ms, put_quietly, rejections, report, store_counts, tag,
    unique, upload,
};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A file that is refused whole says why, and writes nothing.
#[track_caller]
fn refused(name: &str, content: &[u8], why: &str) {
    let store = unique("Rechazo");
    let import = upload(&format!("stores/{store}/{name}"), content);
    ended(&import, "failed", [0; 6]);
    let failure = import["failure"].as_str().unwrap();
    assert!(failure.contains(why), "{name}: {failure}");
    assert_eq!(report(&import)["failure"]["es"], failure);
    assert!(import.get("rejectedUrl").is_none(), "{import}");
    assert_eq!(store_counts(&store), None);
}

#[test]
fn files_that_are_no_stock_list() {
    refused("empty.csv", b"", "El archivo está vacío.");
    refused("blank.csv", b"\r\n \n\n\t\n", "vacío");
    refused(
        "book.xlsx",
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00bE\x9e\xcf[Content_Types].xml",
        "libro de Excel",
    );
    refused("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00\x00\x00\x00\x00\x00\x00", "Excel");
    let utf16: Vec<u8> = "\u{feff}item,count\na,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused("unicode.csv", &utf16, "UTF-16");
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(200_000).collect();
    refused("noise.csv", &[b"\x00\x01\x02", noise.as_slice()].concat(), "El archivo no es texto");
    refused("letter.csv", b"Dear all,\nplease find the stock attached.\n", "No se reconoce ningún encabezado");
    refused(
        "page.html",
        b"<!doctype html><html><body><table></table></body></html>",
        "No se reconoce ningún encabezado",
    );
    let wide: Vec<String> = (0..2000).map(|column| format!("column {column}")).collect();
    refused("wide.csv", format!("item,count,{}\na,1\n", wide.join(",")).as_bytes(), "El encabezado es demasiado largo");
    refused("twice.csv", b"item,count,count\na,1,2\n", "Dos columnas");
}

#[test]
fn gzip_that_is_good_cut_off_or_a_bomb() {
    let _peace = crate::crash::in_peace();
    let store = unique("Comprimido");
    let good = gzip(format!("store,item,count\n{store},a,9\n{store},b,8\n").as_bytes());
    ended(&upload(&format!("{}.csv.gz", tag()), &good), "completed", [2, 0, 0, 2, 0, 0]);
    assert_eq!(lines(&store), ["a 9/5", "b 8/5"]);

    let mut rows = String::from("item,count\n");
    for row in 0..20_000 {
        rows.push_str(&format!("sku-{row},{}\n", fastrand::u32(..)));
    }
    let whole = gzip(rows.as_bytes());
    refused("cut.csv.gz", &whole[..whole.len() / 2], "gzip está dañado");
    refused("broken.csv.gz", &[&whole[..1000], &[0x55; 2000], &whole[3000..]].concat(), "gzip está dañado");

    // Fifty megabytes of blank lines in fifty kilobytes: read through, and nothing in it.
    let store = unique("Bomba");
    let mut bomb = format!("store,item,count\n{store},a,9\n").into_bytes();
    bomb.resize(50 * 1024 * 1024, b'\n');
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let import = finished(&drop_file(&format!("{}.csv.gz", tag()), &bomb));
    ended(&import, "completed", [1, 0, 0, 1, 0, 0]);
    assert_eq!(lines(&store), ["a 9/5"]);
}

/// Rejected rows: their lines and codes.
fn codes(import: &serde_json::Value) -> Vec<(u64, String)> {
    rejections(&report(import)).into_iter().map(|(line, _, code)| (line, code)).collect()
}

#[track_caller]
fn partly(content: &[u8], store: &str, expected: &[(u64, &str)], taken: &[&str]) {
    let import = upload(&format!("stores/{store}/{}.csv", tag()), content);
    let expected: Vec<(u64, String)> = expected.iter().map(|(line, code)| (*line, (*code).to_owned())).collect();
    assert_eq!(codes(&import), expected, "{import}");
    assert_eq!(lines(store), taken);
    let status = if expected.is_empty() { "completed" } else { "completed_with_errors" };
    assert_eq!(import["status"], status, "{import}");
    assert_eq!(counters(&import)[4], expected.len() as u64);
}

#[test]
fn a_header_and_nothing_else() {
    let store = unique("Solo encabezado");
    ended(&upload(&format!("stores/{store}/x.csv"), b"item,count\n"), "completed", [0; 6]);
    assert_eq!(store_counts(&store), None);
}

#[test]
fn long_rows_and_open_quotes() {
    let store = unique("Largas");
    let long = format!("item,note,count\nbefore,x,9\nlong,{},9\nafter,x,9\n", "x".repeat(300 * 1024));
    partly(long.as_bytes(), &store, &[(3, "row_too_long")], &["after 9/5", "before 9/5"]);
    let store = unique("Comillas");
    partly(
        b"item,count\na,9\n\"never closed,9\nb,9\nc,9\n",
        &store,
        &[(3, "open_quote")],
        &["a 9/5", "b 9/5", "c 9/5"],
    );
}

#[test]
fn strange_characters_and_repeated_lines() {
    let store = unique("Raras");
    partly(
        b"item,count\nnul\x00byte,9\nbell\x07,9\ngood,9\n=cmd|' /C calc'!A0,9\nsum,=1+1\n",
        &store,
        &[(2, "control_character"), (3, "control_character"), (6, "formula")],
        &["=cmd|' /C calc'!A0 9/5", "good 9/5"],
    );
    let store = unique("Repetidas");
    partly(
        b"item,count\nsame,9\nsame,9\nother,9\nother,8\nsame,9\n",
        &store,
        &[(4, "conflict"), (5, "conflict")],
        &["same 9/5"],
    );
}

#[test]
fn keys_are_names_and_no_paths() {
    let tag = tag();
    for key in [
        format!("../../{tag}/up.csv"),
        format!("{tag}/a+b 100%25 % ñ & = ? #.csv"),
        format!("{tag}//double.csv"),
        format!("stores/Berlin {tag}/../x.csv"),
        format!("imports/imp_nothing{tag}/x.csv"),
        format!("imports/../x-{tag}.csv"),
        format!("reports/{tag}/report.json"),
    ] {
        let store = unique("Clave");
        let import = upload(&key, format!("store,item,count\n{store},a,9\n").as_bytes());
        ended(&import, "completed", [1, 0, 0, 1, 0, 0]);
        assert_eq!(lines(&store), ["a 9/5"], "{key}");
    }
    refused_store(&format!("stores/{}/x.csv", "ñ".repeat(101)));
}

/// A store's name in the key that is no name.
fn refused_store(key: &str) {
    let import = upload(key, b"item,count\na,9\n");
    ended(&import, "failed", [0; 6]);
    assert!(import["failure"].as_str().unwrap().contains("no es un nombre de tienda válido"), "{import}");
}

#[test]
fn a_file_that_is_gone_when_its_event_comes() {
    let store = unique("Borrado");
    let gone = put_quietly(&format!("stores/{store}/x.csv"), 1, b"item,count\na,9\n");
    stack().delete_object(&gone.bucket, &gone.key, &gone.version);
    gone.deliver();
    let import = finished(&gone.import());
    ended(&import, "failed", [0; 6]);
    assert_eq!(import["failure"], "El archivo fue borrado antes de poder leerlo.");
}

#[test]
fn messages_that_are_no_events_hold_up_nobody() {
    let queue = stack().output("UploadsQueueUrl");
    for body in [
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-01-21T10:59:30.001Z","Bucket":"b"}"#,
        r#"{"Records":[]}"#,
        &Arrived {
            bucket: "no-bucket-of-this-name".to_owned(),
            key: format!("{}.csv", tag()),
            version: "none".to_owned(),
            size: 1,
            at_ms: now_ms(),
            sequencer: "00".to_owned(),
        }
        .message()
        .replace("ObjectCreated:Put", "ObjectRemoved:Delete"),
    ] {
        stack().send(queue, body);
    }
    // This one can never succeed: it comes again ten times and then lies among the dead letters.
    stack().send(queue, ON_PURPOSE);
    let store = unique("Después");
    ended(&upload(&format!("stores/{store}/x.csv"), b"item,count\na,9\n"), "completed", [1, 0, 0, 1, 0, 0]);
}

#[test]
fn a_header_as_long_as_a_book_does_not_stop_its_file() {
    let store = unique("Encabezado largo");
    let mut file = format!("store,item,count,{}\n", "_".repeat(60_000));
    for row in 0..700 {
        let count = if row % 2 == 0 { "7" } else { "x" };
        file.push_str(&format!("{store},a{row:03},{count},\n"));
    }
    let import = upload(&format!("{store}.csv"), file.as_bytes());
    ended(&import, "completed_with_errors", [700, 0, 0, 350, 350, 0]);
    assert_eq!(rejections(&report(&import)).len(), 350);
}
