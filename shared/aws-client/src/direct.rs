//! A request that no AWS client makes, over the same pool of connections.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

use crate::Aws;

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The body: all of what was asked for, the beginning of what is said of an error.
    pub body: Vec<u8>,
}

/// No answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// The body is larger than allowed.
    #[error("too large")]
    TooLarge,
    /// It took longer than allowed.
    #[error("no answer in time")]
    TooLate,
    /// It could not be sent, or the answer broke off.
    #[error("the connection failed")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

/// The most that is read of what a service says of an error; it is some hundred bytes as a rule.
const ERROR_BYTES: usize = 8 * 1024;

impl Aws {
    /// Sends a request once and takes at most `max` bytes of the answer's body, all `within` a time.
    ///
    /// # Errors
    /// [`DirectError`].
    pub async fn send(&self, request: HttpRequest, max: usize, within: Duration) -> Result<Answer, DirectError> {
        timeout(within, exchange(self, request, max)).await.unwrap_or(Err(DirectError::TooLate))
    }
}

async fn exchange(aws: &Aws, request: HttpRequest, max: usize) -> Result<Answer, DirectError> {
    let response = aws.connector().call(request).await.map_err(|error| DirectError::Broken(error.into()))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let mut answer = Answer { status, headers, body: Vec::new() };
    if status >= 500 {
        // Whoever tries again does better on another connection, and one with an unread body is closed.
        return Ok(answer);
    }
    let wanted = (200..300).contains(&status);
    let size = answer.headers.get("content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
    answer.body.reserve_exact(if wanted { max.min(size) } else { 0 });
    let mut stream = ByteStream::new(response.into_body());
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) if wanted && answer.body.len() + chunk.len() > max => return Err(DirectError::TooLarge),
            Ok(chunk) => answer.body.extend_from_slice(&chunk),
            Err(error) if wanted => return Err(DirectError::Broken(error.into())),
            Err(_) => break,
        }
        if !wanted && answer.body.len() >= ERROR_BYTES {
            break;
        }
    }
    Ok(answer)
}
