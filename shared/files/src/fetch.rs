//! One small object in one request, over the connections of the clients, without a client of S3's.

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, SystemTime};

use almacen_aws_client::direct::{Answer, DirectError, send};
use almacen_aws_client::{ATTEMPT_TIMEOUT, ATTEMPTS};
use tokio::time::sleep;

use crate::error::FilesError;
use crate::signed::Object;

/// The pause before the second try; each pause after it is twice as long. What is paused is half of it to all of it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Before the name of what a writer says of its object.
const METADATA: &str = "x-amz-meta-";

/// A whole object, at most `max` bytes. What may pass is tried again.
///
/// # Errors
/// [`FilesError::Missing`], [`FilesError::TooLarge`], or a failed call.
pub async fn whole(bucket: &str, key: &str, max: usize) -> Result<Vec<u8>, FilesError> {
    let object = Object::at(bucket, key).map_err(failed)?;
    Ok(ask(&object, "GET", max).await?.body)
}

/// What whoever wrote an object says of it: its `x-amz-meta-…` by their names in lower case. What may pass is tried again.
///
/// # Errors
/// [`FilesError::Missing`], or a failed call.
pub async fn metadata(bucket: &str, key: &str) -> Result<HashMap<String, String>, FilesError> {
    let object = Object::at(bucket, key).map_err(failed)?;
    let answer = ask(&object, "HEAD", 0).await?;
    let said = answer.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(METADATA)?, value)));
    Ok(said.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Why a try brought nothing.
enum Failure {
    /// Another may.
    Passing(Box<dyn Error + Send + Sync>),
    Settled(FilesError),
}

async fn ask(object: &Object, method: &str, max: usize) -> Result<Answer, FilesError> {
    let mut pause = FIRST_PAUSE;
    let mut tries = 1;
    loop {
        match try_once(object, method, max).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Settled(error)) => return Err(error),
            Err(Failure::Passing(source)) if tries == ATTEMPTS => return Err(failed(source)),
            Err(Failure::Passing(_)) => sleep(pause.mul_f64(fastrand::f64().midpoint(1.0))).await,
        }
        tries += 1;
        pause *= 2;
    }
}

async fn try_once(object: &Object, method: &str, max: usize) -> Result<Answer, Failure> {
    let request = object.request(method, SystemTime::now()).map_err(|error| Failure::Settled(failed(error)))?;
    match send(request, max, ATTEMPT_TIMEOUT).await {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(refusal(answer.status, &String::from_utf8_lossy(&answer.body))),
        Err(DirectError::TooLarge) => Err(Failure::Settled(FilesError::TooLarge)),
        Err(error) => Err(Failure::Passing(error.into())),
    }
}

fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> FilesError {
    FilesError::Failed { doing: "fetch object", source: source.into() }
}

/// What S3 means by an answer that is not the object
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>). To a HEAD it says no more than the status.
fn refusal(status: u16, body: &str) -> Failure {
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    match (status, code) {
        (404, "NoSuchKey" | "") => Failure::Settled(FilesError::Missing),
        (429 | 500.., _) | (_, "RequestTimeout") => Failure::Passing(format!("status {status} {code}").into()),
        _ => Failure::Settled(failed(format!("status {status} {code}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    /// Asks a server that gives these answers, one a connection, and must be asked for each of them.
    async fn asked(method: &'static str, answers: &'static [&'static str], max: usize) -> Result<Answer, FilesError> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/bucket/a%20key", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..read]);
                assert!(request.starts_with(&format!("{method} /bucket/a%20key HTTP/1.1\r\n")), "{request}");
                assert!(request.contains("authorization: AWS4-HMAC-SHA256 "), "{request}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let answer = ask(&Object::example(&url, "eu-central-1", None), method, max).await;
        server.join().unwrap();
        answer
    }

    const OBJECT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-amz-meta-format: 3\r\nconnection: close\r\n\r\nabc";
    const BROKEN_OFF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\na";
    const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nX-Amz-Meta-Known-Until: 7\r\nconnection: close\r\n\r\n";
    const NO_SUCH_KEY: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 36\r\nconnection: close\r\n\r\n\
                               <Error><Code>NoSuchKey</Code></Error>";
    const NO_SUCH_BUCKET: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 39\r\nconnection: close\r\n\r\n\
                                  <Error><Code>NoSuchBucket</Code></Error>";
    const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 39\r\nconnection: close\r\n\r\n\
                             <Error><Code>AccessDenied</Code></Error>";

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        for answers in [&[OBJECT][..], &[SLOW_DOWN, OBJECT], &["", OBJECT], &[SLOW_DOWN, BROKEN_OFF, "", OBJECT]] {
            assert_eq!(asked("GET", answers, 3).await.unwrap().body, b"abc");
        }
        let given_up = asked("GET", &[SLOW_DOWN; ATTEMPTS as usize], 3).await.unwrap_err();
        assert!(matches!(&given_up, FilesError::Failed { source, .. } if source.to_string() == "status 503 "));
    }

    #[tokio::test]
    async fn what_will_not_pass_is_told_at_once() {
        assert!(matches!(asked("GET", &[NO_SUCH_KEY], 99).await, Err(FilesError::Missing)));
        assert!(matches!(asked("HEAD", &[NOT_FOUND], 0).await, Err(FilesError::Missing)));
        assert!(matches!(asked("GET", &[OBJECT], 2).await, Err(FilesError::TooLarge)));
        for (answer, told) in [(FORBIDDEN, "status 403 AccessDenied"), (NO_SUCH_BUCKET, "status 404 NoSuchBucket")] {
            let answers: &'static [&'static str] = Box::leak(Box::new([answer]));
            let refused = asked("GET", answers, 99).await.unwrap_err();
            assert!(matches!(&refused, FilesError::Failed { source, .. } if source.to_string() == told), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_head_has_headers_and_no_body() {
        let answer = asked("HEAD", &[HEAD], 0).await.unwrap();
        assert_eq!(answer.headers.get("x-amz-meta-known-until"), Some("7"));
        assert_eq!(answer.body, b"");
    }
}
