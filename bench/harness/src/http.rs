//! HTTP/1.1 as a server, one blocking thread a connection: the least that stands between a function and its answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Request heads longer than this are refused.
const HEAD_MAX: usize = 64 * 1024;
/// Request bodies longer than this are refused.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// Up to this size a body is sent in one write with its head.
const ONE_WRITE: usize = 256 * 1024;

/// One request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    head: Vec<u8>,
    target: Range<usize>,
    headers: Vec<(Range<usize>, Range<usize>)>,
    /// The body, with transfer coding removed.
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn text(&self, range: &Range<usize>) -> &str {
        self.head.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }

    /// The path, still percent-encoded, without the query.
    pub(crate) fn path(&self) -> &str {
        let target = self.text(&self.target);
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// A header by its name in any case; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(header, _)| self.text(header).eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| self.text(value))
    }
}

/// What is sent as a body.
#[derive(Debug)]
pub(crate) enum Body {
    /// Bytes of its own.
    Own(Vec<u8>),
    /// A part of something kept.
    Part(Arc<Vec<u8>>, Range<usize>),
}

impl Body {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Part(bytes, range) => bytes.get(range.clone()).unwrap_or(&[]),
        }
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Headers beside `content-length`.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Body,
    /// Set for an answer to HEAD: the length of the body that is not sent.
    pub(crate) head_length: Option<usize>,
}

impl Response {
    /// An answer with one content type.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: Body::Own(body.into()),
            head_length: None,
        }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// One connection with what was read ahead on it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    out: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024), out: Vec::new() })
    }

    /// More bytes into the buffer; `false` at the end of the connection.
    fn fill(&mut self) -> io::Result<bool> {
        let start = self.buffer.len();
        self.buffer.resize(start + 64 * 1024, 0);
        let free = self.buffer.get_mut(start..).unwrap_or(&mut []);
        let read = loop {
            match self.stream.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    /// The next request; `None` when the peer closed.
    pub(crate) fn read(&mut self) -> io::Result<Option<Request>> {
        let (mut request, head_length) = loop {
            if let Some(parsed) = parse_head(&self.buffer)? {
                break parsed;
            }
            if self.buffer.len() > HEAD_MAX {
                return Err(invalid("head too long"));
            }
            if !self.fill()? {
                return Ok(None);
            }
        };
        self.buffer.drain(..head_length);
        if request.header("expect").eq_ignore_ascii_case("100-continue") {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = if request.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
            self.read_chunks()?
        } else {
            let length = match request.header("content-length") {
                "" => 0,
                text => text.parse().map_err(|_| invalid("content-length"))?,
            };
            self.take(length)?
        };
        Ok(Some(request))
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > BODY_MAX {
            return Err(invalid("body too long"));
        }
        if self.buffer.len() >= length {
            return Ok(self.buffer.drain(..length).collect());
        }
        let mut body = std::mem::take(&mut self.buffer);
        let have = body.len();
        body.resize(length, 0);
        self.stream.read_exact(body.get_mut(have..).unwrap_or(&mut []))?;
        Ok(body)
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(end)?;
                self.take(2)?;
                return String::from_utf8(line).map_err(|_| invalid("chunk"));
            }
            if self.buffer.len() > HEAD_MAX || !self.fill()? {
                return Err(invalid("chunk"));
            }
        }
    }

    fn read_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or("");
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| invalid("chunk size"))?;
            if body.len() + size > BODY_MAX {
                return Err(invalid("body too long"));
            }
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(size)?);
            self.line()?;
        }
    }

    /// Sends an answer.
    pub(crate) fn write(&mut self, response: &Response) -> io::Result<()> {
        let body = response.body.bytes();
        let length = response.head_length.unwrap_or(body.len());
        self.out.clear();
        write!(self.out, "HTTP/1.1 {} X\r\ncontent-length: {length}\r\n", response.status)?;
        for (name, value) in &response.headers {
            write!(self.out, "{name}: {value}\r\n")?;
        }
        self.out.extend_from_slice(b"\r\n");
        if response.head_length.is_some() {
            return self.stream.write_all(&self.out);
        }
        if body.len() <= ONE_WRITE {
            self.out.extend_from_slice(body);
            self.stream.write_all(&self.out)
        } else {
            self.stream.write_all(&self.out)?;
            self.stream.write_all(body)
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn parse_head(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(buffer).map_err(|error| invalid(&error.to_string()))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let base = buffer.as_ptr() as usize;
    let span = |bytes: &[u8]| {
        let start = (bytes.as_ptr() as usize).saturating_sub(base);
        start..start + bytes.len()
    };
    let request = Request {
        head: buffer.get(..length).unwrap_or(&[]).to_vec(),
        target: span(parsed.path.unwrap_or("").as_bytes()),
        headers: parsed.headers.iter().map(|header| (span(header.name.as_bytes()), span(header.value))).collect(),
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

/// A listening socket on 127.0.0.1 with a port of the system's choice. Dropping it stops listening; connections end
/// with their peers.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    pool: Arc<Pool>,
}

/// Threads that wait for a connection and then serve it to its end. One more than are busy always wait, so that no
/// peer waits for a thread to be made.
#[derive(Debug)]
struct Pool {
    name: String,
    listener: TcpListener,
    idle: AtomicUsize,
    stop: AtomicBool,
}

/// Threads that wait at first.
const FIRST_THREADS: usize = 3;

impl Server {
    /// Starts listening; `serve` gets each connection.
    pub(crate) fn start<F>(name: &str, serve: F) -> io::Result<Self>
    where
        F: Fn(Connection) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let pool =
            Arc::new(Pool { name: name.to_owned(), listener, idle: AtomicUsize::new(0), stop: AtomicBool::new(false) });
        let serve = Arc::new(serve);
        for _ in 0..FIRST_THREADS {
            one_more(&pool, &serve)?;
        }
        Ok(Self { address, pool })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn one_more<F>(pool: &Arc<Pool>, serve: &Arc<F>) -> io::Result<()>
where
    F: Fn(Connection) -> io::Result<()> + Send + Sync + 'static,
{
    let (of, serve) = (Arc::clone(pool), Arc::clone(serve));
    pool.idle.fetch_add(1, Ordering::AcqRel);
    let spawned = thread::Builder::new().name(pool.name.clone()).spawn(move || work(&of, &serve));
    if spawned.is_err() {
        pool.idle.fetch_sub(1, Ordering::AcqRel);
    }
    spawned.map(drop)
}

fn work<F>(pool: &Arc<Pool>, serve: &Arc<F>)
where
    F: Fn(Connection) -> io::Result<()> + Send + Sync + 'static,
{
    while !pool.stop.load(Ordering::Acquire) {
        let Ok((stream, _)) = pool.listener.accept() else { continue };
        if pool.stop.load(Ordering::Acquire) {
            break;
        }
        if pool.idle.fetch_sub(1, Ordering::AcqRel) <= 1 && one_more(pool, serve).is_err() {
            return;
        }
        // A connection that ends in an error is its peer's business: a process that was stopped resets it.
        let _ended = Connection::new(stream).and_then(|connection| serve(connection));
        pool.idle.fetch_add(1, Ordering::AcqRel);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pool.stop.store(true, Ordering::Release);
        // Wakes the threads that wait, which then see the flag. If there is nothing to connect to they are gone already.
        for _ in 0..self.pool.idle.load(Ordering::Acquire) {
            drop(TcpStream::connect(self.address));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(request: &[u8]) -> String {
        let server = Server::start("test", |mut connection| {
            while let Some(request) = connection.read()? {
                let text =
                    format!("{} {} {}", request.path(), request.header("x-a"), String::from_utf8_lossy(&request.body));
                connection.write(&Response::new(200, "text/plain", text))?;
            }
            Ok(())
        })
        .unwrap();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn plain_chunked_and_pipelined_requests() {
        let answer = exchange(b"POST /p?q=1 HTTP/1.1\r\nX-A: b\r\ncontent-length: 2\r\n\r\nhiGET / HTTP/1.1\r\n\r\n");
        assert!(answer.contains("\r\n\r\n/p b hi"), "{answer}");
        assert!(answer.ends_with("/  "), "{answer}");
        let answer =
            exchange(b"PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n");
        assert!(answer.ends_with("/  abc"), "{answer}");
    }
}
