//! Pictures of products: uploaded through a link, checked, made anew, and shown.

use std::io::Write as _;

use flate2::Crc;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::api::As;
use crate::stack::{Answer, stack};
use crate::wait::{PATIENCE, eventually};
use crate::warehouse::tag;

/// A product of its own: its id, and where a picture of it is put.
fn product() -> (String, String) {
    let category =
        As::Admin.call("POST", "/categorias", &[], &json!({"nombre": format!("Fotos {}", tag())}).to_string());
    assert_eq!(category.status, 201, "{}", category.text());
    let body =
        json!({"nombre": "Taza", "descripcion": "Con fotos.", "precio": 9.5, "categoriaId": category.json()["id"]});
    let made = As::Admin.call("POST", "/productos", &[], &body.to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    (text("id"), text("urlCargaImagen"))
}

pub(crate) fn send(link: &str, picture: &[u8]) {
    let answer = stack().http("PUT", link, &[("content-type", "application/pdf")], picture);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// As an administrator's second and third picture come, under a key of the same product.
fn put(product: &str, upload: &str, picture: &[u8]) {
    stack().put_object(stack().output("OriginalsBucket"), &format!("products/{product}/{upload}"), &[], picture);
}

fn read(product: &str) -> (Value, String) {
    let answer = As::Cliente.get(&format!("/productos/{product}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    (answer.json(), answer.header("etag").to_owned())
}

fn record(product: &str) -> Value {
    let get =
        json!({"TableName": stack().output("ProductsTable"), "Key": {"id": {"S": product}}, "ConsistentRead": true});
    stack().dynamodb("GetItem", &get)["Item"].clone()
}

/// The product once it has so many pictures.
pub(crate) fn with_pictures(product: &str, count: usize) -> Value {
    eventually(PATIENCE, &format!("{count} pictures of {product}"), || {
        let body = read(product).0;
        if body["imagenes"].as_array().unwrap().len() == count { Ok(body) } else { Err(body.to_string()) }
    })
}

/// The product once its upload was refused for this.
fn refused(product: &str, code: &str) -> Value {
    eventually(PATIENCE, &format!("{code} of {product}"), || {
        let record = record(product);
        if record["image_problem"]["S"] == code { Ok(record) } else { Err(record.to_string()) }
    })
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), content, &crc.sum().to_be_bytes()].concat()
}

/// A picture of one colour, taken with the camera on its side, by somebody, somewhere.
pub(crate) fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut pixels = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let row = [&[0][..], &colour.repeat(width as usize)].concat();
    for _ in 0..height {
        pixels.write_all(&row).unwrap();
    }
    // Exif with one entry, the orientation: turn it to the right.
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"eXIf", exif),
        chunk(b"tEXt", b"Author\0Somebody at 40.4168,-3.7038"),
        chunk(b"IDAT", &pixels.finish().unwrap()),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// Width and height of a JPEG as its frame says.
fn size(jpeg: &[u8]) -> (u16, u16) {
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
    let two = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    (two(at + 7), two(at + 5))
}

fn fetch(url: &str) -> Answer {
    let answer = stack().http("GET", url, &[], b"");
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    answer
}

#[test]
fn uploaded_checked_and_shown() {
    let (id, link) = product();
    let (before, tag_before) = read(&id);
    assert_eq!((&before["urlImagen"], &before["imagenes"]), (&Value::Null, &json!([])));
    send(&link, &png(1200, 900, [200, 30, 30]));
    let after = with_pictures(&id, 1);
    assert_ne!(read(&id).1, tag_before, "the entity tag must change");

    let listed = after["urlImagen"].as_str().unwrap();
    let base = format!("{}/p/{id}/", stack().output("ImagesUrl"));
    assert!(listed.starts_with(&base) && listed.ends_with("-800.jpg"), "{listed}");
    for (width, expected) in [("1600", (900, 1200)), ("800", (800, 1067)), ("320", (320, 427))] {
        let answer = fetch(&listed.replace("-800.jpg", &format!("-{width}.jpg")));
        assert_eq!(answer.header("content-type"), "image/jpeg");
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(size(&answer.bytes), expected, "{width}");
        for told in ["Exif", "eXIf", "Somebody", "40.4168", "Author"] {
            assert!(!answer.bytes.windows(told.len()).any(|part| part == told.as_bytes()), "{width}: {told}");
        }
    }

    // Told of again, nothing changes; a second picture comes in front, with one version more.
    let version = record(&id)["version"]["N"].as_str().unwrap().parse::<i64>().unwrap();
    let upload = link.split('?').next().unwrap().rsplit('/').next().unwrap();
    let again = stack().invoke("process-image", &told_of(&id, upload, "2024-01-21T11:00:00.000Z"));
    assert_eq!(again, (json!({"batchItemFailures": []}), false));
    put(&id, "img_second", &png(40, 30, [30, 30, 200]));
    let two = with_pictures(&id, 2);
    assert_eq!(two["imagenes"][1], after["imagenes"][0]);
    let record = record(&id);
    assert_eq!(record["version"]["N"], (version + 1).to_string());
    assert!(record["changed_at"]["N"].is_string() && record["images"]["L"].as_array().unwrap().len() == 2);
    assert_eq!(size(&fetch(two["urlImagen"].as_str().unwrap()).bytes), (30, 40));
}

/// The message that S3 sends of an upload.
fn told_of(product: &str, upload: &str, at: &str) -> Value {
    let s3 = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": at,
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "A"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"}, "responseElements": {},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "c",
            "bucket": {"name": stack().output("OriginalsBucket"), "ownerIdentity": {"principalId": "A"}, "arn": "arn:aws:s3:::x"},
            "object": {"key": format!("products/{product}/{upload}"), "size": 1000, "eTag": "e", "sequencer": "0A"}}}]});
    json!({"Records": [{"messageId": "m1", "receiptHandle": "r", "body": s3.to_string(), "attributes": {},
        "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:0:q",
        "awsRegion": "us-east-1"}]})
}

#[test]
fn late_messages_keep_the_order_of_uploads() {
    let (id, _) = product();
    put(&id, "img_1", &png(8, 8, [10, 200, 10]));
    let first = with_pictures(&id, 1);
    put(&id, "img_2", &png(8, 8, [200, 200, 10]));
    let second = with_pictures(&id, 2);
    assert_eq!(second["imagenes"][1], first["imagenes"][0]);
    // A message of long ago changes nothing of the order, however often it comes.
    for _ in 0..2 {
        let late = stack().invoke("process-image", &told_of(&id, "img_1", "2020-01-01T00:00:00.000Z"));
        assert_eq!(late, (json!({"batchItemFailures": []}), false));
    }
    assert_eq!(read(&id).0["imagenes"], second["imagenes"]);

    // Deleted meanwhile: nothing comes back, and the message is done with.
    let (_, tag) = read(&id);
    let deleted = As::Admin.call("DELETE", &format!("/productos/{id}"), &[("if-match", &tag)], "");
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    let late = stack().invoke("process-image", &told_of(&id, "img_2", "2030-01-01T00:00:00.000Z"));
    assert_eq!(late, (json!({"batchItemFailures": []}), false));
    assert_eq!(As::Cliente.get(&format!("/productos/{id}")).status, 404);
}

#[test]
fn what_is_no_picture_is_refused_once_and_the_product_stays() {
    let (id, link) = product();
    let before = read(&id);
    let mut bomb = png(8, 8, [0, 0, 0]);
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]); // 30,000 by 30,000
    let header = chunk(b"IHDR", &bomb[16..29]);
    bomb[8..33].copy_from_slice(&header);
    let cut = png(400, 300, [9, 9, 9]);
    let large = vec![0; 8 * 1024 * 1024 + 1];
    for (upload, code) in [
        (b"".as_slice(), "NOT_AN_IMAGE"),
        (&bomb, "TOO_MANY_PIXELS"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "NOT_AN_IMAGE"),
        (&cut[..cut.len() / 2], "DAMAGED"),
        (b"%PDF-1.7\n", "NOT_AN_IMAGE"),
        (&large, "TOO_LARGE"),
    ] {
        send(&link, upload);
        refused(&id, code);
        assert_eq!(read(&id), before, "{code}");
    }
    // Refused for good: the function calls it done.
    let done = stack().invoke("process-image", &told_of(&id, "img_none", "2030-01-01T00:00:00.000Z"));
    assert_eq!(done, (json!({"batchItemFailures": []}), false));
    // The next one that is a picture takes the note away.
    send(&link, &png(20, 10, [1, 2, 3]));
    with_pictures(&id, 1);
    assert!(record(&id).get("image_problem").is_none());
}
