//! The services over HTTP/1.1, for processes of their own: benches, other clients, comparisons with the local stack.
//!
//! Unlike everything else here it has sockets, and so neither virtual time nor one order of calls.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::cloud::respond;
use crate::http::{Request, Response};
use crate::{Caller, Cloud, Hook};

/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Answers connections until accepting one fails. Every request has the rights of `caller`.
///
/// # Errors
/// When no connection can be accepted any more.
pub async fn serve(listener: TcpListener, cloud: Cloud, caller: Caller, hook: Arc<dyn Hook>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (cloud, caller, hook) = (cloud.clone(), caller.clone(), Arc::clone(&hook));
        // A connection that breaks is the client's matter.
        tokio::spawn(async move { connection(stream, cloud, caller, hook).await });
    }
}

async fn connection(mut stream: TcpStream, cloud: Cloud, caller: Caller, hook: Arc<dyn Hook>) -> io::Result<()> {
    let mut read = Vec::new();
    while let Some(request) = next(&mut stream, &mut read).await? {
        let is_head = request.method == "HEAD";
        // Without an answer the connection breaks, as the hook wanted.
        let Ok(response) = respond(cloud.clone(), caller.clone(), Arc::clone(&hook), request).await else { break };
        write(&mut stream, &response, is_head).await?;
    }
    Ok(())
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed request")
}

/// The next request; `None` at the end of the connection.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let head = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(end + 4);
            break std::mem::replace(read, rest);
        }
        if read.len() > HEAD_BYTES_MAX {
            return Err(malformed());
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(head).map_err(|_| malformed())?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (first.next(), first.next()) else { return Err(malformed()) };
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    if header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        return Err(malformed());
    }
    if header("expect").eq_ignore_ascii_case("100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let length: usize = header("content-length").parse().unwrap_or(0);
    while read.len() < length {
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
    let rest = read.split_off(length);
    let body = Bytes::from(std::mem::replace(read, rest));
    let request = Request::new(method, &format!("http://{}{target}", header("host")));
    Ok(Some(Request { headers, body, ..request }))
}

async fn write(stream: &mut TcpStream, response: &Response, is_head: bool) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Answer\r\n", response.status);
    for (name, value) in response.headers.iter().filter(|(name, _)| is_head || name != "content-length") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !is_head || response.header("content-length").is_empty() {
        head.push_str(&format!("content-length: {}\r\n", response.body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    if !is_head {
        stream.write_all(&response.body).await?;
    }
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoFaults, Settings, Stack};

    #[tokio::test]
    async fn requests_follow_each_other_on_one_connection() {
        let stack = Stack::read(include_str!("../../../template.yaml"), &BTreeMap::new()).unwrap();
        let cloud = Cloud::new(stack, Settings { latency: 0, ..Settings::default() }, 1, 0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, cloud, Caller::operator("op"), Arc::new(NoFaults)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = r#"{"TableName":"almacen-TasksTable","Key":{"id":{"S":"a"}}}"#;
        let request = format!(
            "POST / HTTP/1.1\r\nhost: x\r\nauthorization: x\r\nx-amz-target: DynamoDB_20120810.GetItem\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answers = String::new();
        stream.write_all((request.clone() + &request).as_bytes()).await.unwrap();
        while answers.matches("{}").count() < 2 {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "{answers}");
            answers.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        assert!(answers.starts_with("HTTP/1.1 200 Answer\r\n"), "{answers}");
        server.abort();
    }
}
