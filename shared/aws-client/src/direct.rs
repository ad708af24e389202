//! A request that no AWS client makes, over the connections of those that there are.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

use crate::connector;

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
}

/// No answer, or not all of it.
#[derive(Debug)]
pub enum DirectError {
    /// The body is larger than allowed.
    TooLarge,
    /// It took longer than allowed.
    TooLate,
    /// It could not be sent, or the answer broke off.
    Broken(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for DirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "too large",
            Self::TooLate => "no answer in time",
            Self::Broken(_) => "the connection failed",
        })
    }
}

impl Error for DirectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken(source) => Some(source.as_ref()),
            Self::TooLarge | Self::TooLate => None,
        }
    }
}

/// Sends a request once and takes at most `max` bytes of the answer's body, all `within` a time.
///
/// # Errors
/// [`DirectError`].
pub async fn send(request: HttpRequest, max: usize, within: Duration) -> Result<Answer, DirectError> {
    timeout(within, exchange(request, max)).await.unwrap_or(Err(DirectError::TooLate))
}

async fn exchange(request: HttpRequest, max: usize) -> Result<Answer, DirectError> {
    let response = connector().call(request).await.map_err(|error| DirectError::Broken(error.into()))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let size = headers.get("content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
    let mut stream = ByteStream::new(response.into_body());
    let mut body = Vec::with_capacity(max.min(size));
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| DirectError::Broken(error.into()))?;
        if body.len() + chunk.len() > max {
            return Err(DirectError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}
