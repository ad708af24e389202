//! One small object in one request, over the connections of the clients, without a client of S3's.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use almacen_aws_client::direct::{Answer, DirectError};
use almacen_aws_client::{ATTEMPT_TIMEOUT, ATTEMPTS, Aws, OPERATION_TIMEOUT};
use almacen_clock::{now, random};
use tokio::time::{sleep, timeout};

use crate::Files;
use crate::error::FilesError;
use crate::signed::Object;

/// The longest pause before the second try; before each one after it, twice as long. It lasts between half of that and all.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Before the name of what a writer says of its object.
const METADATA: &str = "x-amz-meta-";

/// A whole object, at most `max` bytes. What may pass is tried again.
///
/// # Errors
/// [`FilesError::Missing`], [`FilesError::TooLarge`], or a failed call.
pub async fn whole(files: &Files, bucket: &str, key: &str, max: usize) -> Result<Vec<u8>, FilesError> {
    let object = Object::at(files.aws(), bucket, key).map_err(failed)?;
    Ok(ask(files.aws(), &object, "GET", max).await?.body)
}

/// What whoever wrote an object says of it: its `x-amz-meta-…` by their names in lower case. What may pass is tried again.
///
/// # Errors
/// [`FilesError::Missing`], or a failed call.
pub async fn metadata(files: &Files, bucket: &str, key: &str) -> Result<HashMap<String, String>, FilesError> {
    let object = Object::at(files.aws(), bucket, key).map_err(failed)?;
    let answer = ask(files.aws(), &object, "HEAD", 0).await?;
    let said = answer.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(METADATA)?, value)));
    Ok(said.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Why a try brought nothing.
enum Failure {
    /// Another may.
    Passing(Box<dyn Error + Send + Sync>),
    Settled(FilesError),
}

async fn ask(aws: &Aws, object: &Object, method: &str, max: usize) -> Result<Answer, FilesError> {
    let late = |_| Err(failed(DirectError::TooLate));
    timeout(OPERATION_TIMEOUT, tries(aws, object, method, max)).await.unwrap_or_else(late)
}

async fn tries(aws: &Aws, object: &Object, method: &str, max: usize) -> Result<Answer, FilesError> {
    let mut pause = FIRST_PAUSE;
    let mut tries = 1;
    loop {
        match try_once(aws, object, method, max).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Settled(error)) => return Err(error),
            Err(Failure::Passing(source)) if tries == ATTEMPTS => return Err(failed(source)),
            Err(Failure::Passing(_)) => sleep(pause.mul_f64(random::unit().midpoint(1.0))).await,
        }
        tries += 1;
        pause *= 2;
    }
}

async fn try_once(aws: &Aws, object: &Object, method: &str, max: usize) -> Result<Answer, Failure> {
    let request = object.request(method, now()).map_err(|error| Failure::Settled(failed(error)))?;
    match aws.send(request, max, ATTEMPT_TIMEOUT).await {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(refusal(method, &answer)),
        Err(DirectError::TooLarge) => Err(Failure::Settled(FilesError::TooLarge)),
        Err(error) => Err(Failure::Passing(error.into())),
    }
}

fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> FilesError {
    FilesError::Failed { doing: "fetch object", source: source.into() }
}

/// What S3 means by an answer that is not the object
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>). To a HEAD it says no more than the status.
fn refusal(method: &str, answer: &Answer) -> Failure {
    let body = String::from_utf8_lossy(&answer.body);
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let request = answer.headers.get("x-amz-request-id").unwrap_or_default();
    let told = format!("{method} answered {} (code {code:?}, request {request:?})", answer.status);
    match (answer.status, code) {
        (404, "NoSuchKey" | "") => Failure::Settled(FilesError::Missing),
        (429 | 500.., _) | (_, "RequestTimeout") => Failure::Passing(told.into()),
        _ => Failure::Settled(failed(told)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    /// Asks a server that gives these answers, one a connection, and must be asked for each of them.
    async fn asked(method: &'static str, answers: &[&str], max: usize) -> Result<Answer, FilesError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let server = thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..read]);
                assert!(request.starts_with(&format!("{method} /bucket/a%20key HTTP/1.1\r\n")), "{request}");
                assert!(request.contains("authorization: AWS4-HMAC-SHA256 "), "{request}");
                // Whoever has read enough may hang up before the end.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let url = format!("http://{address}/bucket/a%20key");
        let answer = ask(&Aws::from_env(), &Object::example(&url, "eu-central-1", None), method, max).await;
        // Where it was asked too rarely, it still waits; an empty request ends it, and this test.
        drop(TcpStream::connect(address));
        server.join().unwrap();
        answer
    }

    fn http(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    fn error(status: &str, code: &str) -> String {
        let body = format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>…</Message></Error>");
        http(status, "x-amz-request-id: R1\r\n", &body)
    }

    #[track_caller]
    fn assert_told(answer: Result<Answer, FilesError>, told: &str) {
        let Err(FilesError::Failed { source, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(source.to_string(), told);
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        let (whole, slow) = (http("200 OK", "", "abc"), error("503 Slow Down", "SlowDown"));
        let timeout = error("400 Bad Request", "RequestTimeout");
        let (whole, slow, timeout) = (whole.as_str(), slow.as_str(), timeout.as_str());
        let broken_off = &whole[..whole.len() - 1];
        for answers in [&[whole][..], &["", whole], &[timeout, whole], &[slow, broken_off, "", whole]] {
            assert_eq!(asked("GET", answers, 3).await.unwrap().body, b"abc");
        }
        assert_told(asked("GET", &[slow; ATTEMPTS as usize], 3).await, r#"GET answered 503 (code "", request "R1")"#);
    }

    #[tokio::test]
    async fn what_will_not_pass_is_told_at_once() {
        // However little of an object is wanted, an error is read.
        assert!(matches!(asked("GET", &[&error("404 Not Found", "NoSuchKey")], 1).await, Err(FilesError::Missing)));
        assert!(matches!(asked("HEAD", &[&http("404 Not Found", "", "")], 0).await, Err(FilesError::Missing)));
        assert!(matches!(asked("GET", &[&http("200 OK", "", "abc")], 2).await, Err(FilesError::TooLarge)));
        let bucket = error("404 Not Found", "NoSuchBucket");
        assert_told(asked("GET", &[&bucket], 9).await, r#"GET answered 404 (code "NoSuchBucket", request "R1")"#);
        let forbidden = http("403 Forbidden", "x-amz-request-id: R2\r\n", "");
        assert_told(asked("HEAD", &[&forbidden], 0).await, r#"HEAD answered 403 (code "", request "R2")"#);
        let endless = http("403 Forbidden", "", &" ".repeat(1_000_000));
        assert_told(asked("GET", &[&endless], 9).await, r#"GET answered 403 (code "", request "")"#);
    }

    #[tokio::test]
    async fn a_head_has_headers_and_no_body() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nX-Amz-Meta-Known-Until: 7\r\nconnection: close\r\n\r\n";
        let answer = asked("HEAD", &[head], 0).await.unwrap();
        assert_eq!(answer.headers.get("x-amz-meta-known-until"), Some("7"));
        assert_eq!(answer.body, b"");
    }
}
