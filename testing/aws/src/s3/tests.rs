use super::*;
use crate::http::Request;

const NOW: Millis = 1_705_834_800_123;

fn s3(settings: Settings) -> S3 {
    let told = |prefix: &str| Notification {
        event: "s3:ObjectCreated:*".to_owned(),
        queue: "uploads".to_owned(),
        prefix: prefix.to_owned(),
        suffix: String::new(),
    };
    let uploads = BucketSettings { name: "uploads".to_owned(), versioned: true, notifications: vec![told("imports/")] };
    let plain = BucketSettings { name: "plain".to_owned(), ..BucketSettings::default() };
    S3::new([uploads, plain], "eu-west-1", settings, 7)
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let mut request = Request::new(method, &format!("https://s3.eu-west-1.amazonaws.com/{path}"));
    request.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    request.body = Bytes::copy_from_slice(body);
    request
}

fn ask(s3: &S3, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (Response, Vec<Event>) {
    s3.answer(&S3Request::read(&request(method, path, headers, body)).unwrap(), true, NOW)
}

fn code(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    text.split_once("<Code>").map_or(String::new(), |(_, rest)| rest.split("</").next().unwrap().to_owned())
}

#[test]
fn requests_in_both_styles() {
    let read = |method: &str, url: &str| S3Request::read(&Request::new(method, url));
    let hosted =
        read("GET", "https://plain.s3.eu-west-1.amazonaws.com/a%20b/c%2Bd?versionId=v1&x-id=GetObject").unwrap();
    assert_eq!(
        (hosted.operation, hosted.bucket.as_str(), hosted.key.as_str()),
        (Operation::GetObject, "plain", "a b/c+d")
    );
    assert_eq!(hosted.version.as_deref(), Some("v1"));
    let path = read("PUT", "http://localhost:4566/plain/a?partNumber=2&uploadId=u").unwrap();
    assert_eq!(
        (path.operation, path.bucket.as_str(), path.key.as_str(), path.part),
        (Operation::UploadPart, "plain", "a", 2)
    );
    assert_eq!(read("HEAD", "https://plain.s3.eu-west-1.amazonaws.com").unwrap().operation, Operation::HeadBucket);
    assert_eq!(
        read("GET", "https://plain.s3.eu-west-1.amazonaws.com/?list-type=2").unwrap_err().code,
        "NotImplemented"
    );
}

#[test]
fn objects_have_versions_ranges_and_metadata() {
    let s3 = s3(Settings::default());
    let headers = [("content-type", "text/csv"), ("x-amz-meta-mode", "adjust"), ("authorization", "x")];
    let first = ask(&s3, "PUT", "uploads/a", &headers, b"0123456789").0;
    ask(&s3, "PUT", "uploads/a", &[], b"new");
    let got = ask(&s3, "GET", "uploads/a", &[], b"").0;
    assert_eq!((got.status, &got.body[..]), (200, &b"new"[..]));
    let old = format!("uploads/a?versionId={}", first.header("x-amz-version-id"));
    let got = ask(&s3, "GET", &old, &[("range", "bytes=2-4")], b"").0;
    assert_eq!((got.status, &got.body[..], got.header("content-range")), (206, &b"234"[..], "bytes 2-4/10"));
    let head = ask(&s3, "HEAD", &old, &[], b"").0;
    assert_eq!((head.header("content-length"), head.body.len(), head.header("x-amz-meta-mode")), ("10", 0, "adjust"));
    assert_eq!((head.header("content-type"), head.header("authorization")), ("text/csv", ""));
    assert_eq!(head.header("last-modified"), "Sun, 21 Jan 2024 11:00:00 GMT");
    for (path, header, status, told) in [
        ("uploads/a", "bytes=3-", 416, "InvalidRange"),
        ("uploads/none", "", 404, "NoSuchKey"),
        ("uploads/a?versionId=none", "", 404, "NoSuchVersion"),
        ("none/a", "", 404, "NoSuchBucket"),
    ] {
        let got = ask(&s3, "GET", path, &[("range", header)], b"").0;
        assert_eq!((got.status, code(&got).as_str()), (status, told), "{path}");
    }
    // Who may not list the bucket does not hear what is not in it.
    let asked = S3Request::read(&request("GET", "uploads/none", &[], b"")).unwrap();
    assert_eq!(s3.answer(&asked, false, NOW).0.status, 403);
    assert_eq!(ask(&s3, "HEAD", "uploads/none", &[], b"").0.body.len(), 0);
    assert_eq!(ask(&s3, "DELETE", "uploads/a", &[], b"").0.status, 204);
    assert_eq!(ask(&s3, "GET", "uploads/a", &[], b"").0.status, 404);
    assert_eq!(ask(&s3, "GET", &old, &[], b"").0.status, 200);
    assert_eq!(s3.keys("uploads"), Vec::<String>::new());
}

#[test]
fn ranges() {
    assert_eq!(range("", 10), None);
    assert_eq!(range("bytes=2-4", 10), Some(Ok(2..5)));
    assert_eq!(range("bytes=2-40", 10), Some(Ok(2..10)));
    assert_eq!(range("bytes=8-", 10), Some(Ok(8..10)));
    assert_eq!(range("bytes=-3", 10), Some(Ok(7..10)));
    assert_eq!(range("bytes=10-", 10), Some(Err(())));
}

#[test]
fn conditional_puts() {
    let s3 = s3(Settings::default());
    let put = |headers: &[(&str, &str)]| ask(&s3, "PUT", "plain/a", headers, b"x").0;
    assert_eq!(put(&[("if-match", "\"e\"")]).status, 404);
    let first = put(&[("if-none-match", "*")]);
    assert_eq!((first.status, put(&[("if-none-match", "*")]).status), (200, 412));
    assert_eq!(put(&[("if-match", first.header("etag"))]).status, 200);
    assert_eq!(code(&put(&[("if-match", "\"e\"")])), "PreconditionFailed");
}

#[test]
fn large_objects_come_in_parts() {
    let s3 = s3(Settings::default());
    let begun = ask(&s3, "POST", "uploads/imports/large?uploads", &[("x-amz-meta-a", "b")], b"").0;
    let xml = String::from_utf8_lossy(&begun.body).into_owned();
    let id = xml.split_once("<UploadId>").unwrap().1.split("</").next().unwrap();
    let part = |number: u32, body: &[u8]| {
        let answer = ask(&s3, "PUT", &format!("uploads/imports/large?partNumber={number}&uploadId={id}"), &[], body).0;
        format!(
            "<Part><ETag>{}</ETag><PartNumber>{number}</PartNumber></Part>",
            crate::http::escape(answer.header("etag"))
        )
    };
    let complete = |parts: &[&str]| {
        let xml = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
        ask(&s3, "POST", &format!("uploads/imports/large?uploadId={id}"), &[], xml.as_bytes())
    };
    let (large, small) = (part(1, &vec![b'x'; PART_BYTES_MIN]), part(2, b"end"));
    let tiny = part(3, b"tiny");
    assert_eq!(code(&complete(&[&small, &large]).0), "InvalidPartOrder");
    assert_eq!(code(&complete(&[&large, &tiny.replace(">3<", ">2<")]).0), "InvalidPart");
    assert_eq!(code(&complete(&[&large, &small, &tiny]).0), "EntityTooSmall");
    assert!(s3.object("uploads", "imports/large").is_none());
    let (done, events) = complete(&[&large, &small]);
    assert_eq!((done.status, events.len()), (200, 1));
    assert!(events[0].body.contains("ObjectCreated:CompleteMultipartUpload"));
    let object = s3.object("uploads", "imports/large").unwrap();
    assert_eq!((object.body.len(), object.headers["x-amz-meta-a"].as_str()), (PART_BYTES_MIN + 3, "b"));
    assert_eq!(code(&complete(&[&large]).0), "NoSuchUpload");
}

#[test]
fn queues_hear_of_new_objects() {
    let s3 = s3(Settings { notification_lag: 1_000, duplicates_percent: 100 });
    assert!(ask(&s3, "PUT", "uploads/other/a", &[], b"x").1.is_empty());
    assert!(ask(&s3, "PUT", "plain/imports/a", &[], b"x").1.is_empty());
    let (response, events) = ask(&s3, "PUT", "uploads/imports/San%20Sebasti%C3%A1n%2B.csv", &[], b"x");
    assert_eq!((events.len(), events[0].queue.as_str()), (2, "uploads"), "twice, as told");
    assert!(events.iter().all(|event| event.delay <= 1_000));
    assert_eq!(told_key(&events[0].body).unwrap(), "imports/San+Sebasti%C3%A1n%2B.csv");
    let event: Value = serde_json::from_str(&events[0].body).unwrap();
    let record = &event["Records"][0];
    assert_eq!(
        (&record["eventName"], &record["eventTime"]),
        (&json!("ObjectCreated:Put"), &json!("2024-01-21T11:00:00.123Z"))
    );
    assert_eq!(record["s3"]["object"]["versionId"], json!(response.header("x-amz-version-id")));
    let sequencer = |events: &[Event]| {
        let event: Value = serde_json::from_str(&events[0].body).unwrap();
        event["Records"][0]["s3"]["object"]["sequencer"].as_str().unwrap().to_owned()
    };
    let later = ask(&s3, "PUT", "uploads/imports/b", &[], b"x").1;
    assert!(sequencer(&later) > sequencer(&events));
}

#[test]
fn tags() {
    let s3 = s3(Settings::default());
    let xml = b"<Tagging><TagSet><Tag><Key>refused</Key><Value>1</Value></Tag></TagSet></Tagging>";
    assert_eq!(ask(&s3, "PUT", "plain/a?tagging", &[], xml).0.status, 404);
    ask(&s3, "PUT", "plain/a", &[], b"x");
    assert_eq!(ask(&s3, "PUT", "plain/a?tagging", &[], xml).0.status, 200);
    assert_eq!(s3.object("plain", "a").unwrap().tags["refused"], "1");
    assert_eq!(code(&ask(&s3, "PUT", "plain/a?tagging", &[], b"<Tag>").0), "MalformedXML");
}

#[test]
fn a_deletion_is_a_version_that_cannot_be_read() {
    let s3 = s3(Settings::default());
    ask(&s3, "PUT", "uploads/a", &[], b"x");
    let deleted = ask(&s3, "DELETE", "uploads/a", &[], b"").0;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    let marker = ask(&s3, "GET", &format!("uploads/a?versionId={}", deleted.header("x-amz-version-id")), &[], b"").0;
    assert_eq!((marker.status, code(&marker)), (405, "MethodNotAllowed".to_owned()));
    ask(&s3, "PUT", "plain/a", &[], b"x");
    assert_eq!(ask(&s3, "DELETE", "plain/a", &[], b"").0.header("x-amz-version-id"), "");
}

#[test]
fn an_object_has_at_most_ten_tags() {
    let s3 = s3(Settings::default());
    ask(&s3, "PUT", "uploads/a", &[], b"x");
    let tags = |count: usize| {
        let set: String = (0..count).map(|at| format!("<Tag><Key>{at}</Key><Value>v</Value></Tag>")).collect();
        ask(&s3, "PUT", "uploads/a?tagging", &[], format!("<Tagging><TagSet>{set}</TagSet></Tagging>").as_bytes()).0
    };
    assert_eq!(code(&tags(11)), "BadRequest");
    let tagged = tags(10);
    let version = s3.object("uploads", "a").unwrap().version;
    assert_eq!((tagged.status, tagged.header("x-amz-version-id")), (200, version.as_str()));
}
