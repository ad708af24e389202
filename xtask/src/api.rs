//! A small client of our own API, and of the local stack where no SDK is needed.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use ureq::Agent;

/// An agent that reports every status as an answer. `local`: no proxy in between.
fn agent(local: bool, patience: Duration) -> Agent {
    let mut config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience));
    if local {
        config = config.proxy(None);
    }
    config.build().into()
}

fn is_local(url: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:"].iter().any(|start| url.starts_with(start))
}

/// The status of a plain GET; none if nobody answers.
pub(crate) fn status(url: &str) -> Option<u16> {
    agent(is_local(url), Duration::from_secs(5)).get(url).call().ok().map(|answer| answer.status().as_u16())
}

/// The language of this program, in which the API is to answer it.
const LANGUAGE: (&str, &str) = ("accept-language", "en");

/// The answer to a request: its status and its body, null if that is no JSON.
pub(crate) type Answer = (u16, Value);

/// A call of the local stack itself, which does not check signatures but reads the service's name from them.
///
/// # Errors
/// If nobody answers or the answer is a refusal.
pub(crate) fn put_local(service: &str, url: &str, content: &[u8]) -> Result<()> {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20240101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let answer = agent(true, Duration::from_secs(60)).put(url).header("authorization", scope).send(content);
    let status = answer.with_context(|| format!("{url} does not answer"))?.status().as_u16();
    if status >= 300 { Err(anyhow!("{url} answered {status}")) } else { Ok(()) }
}

/// A signed-in caller of the API.
pub(crate) struct Session {
    base: String,
    agent: Agent,
    username: String,
    password: String,
    token: String,
}

impl Session {
    /// Signs in at `POST {base}/token`.
    ///
    /// # Errors
    /// If the API does not answer or refuses.
    pub(crate) fn sign_in(base: &str, username: &str, password: &str) -> Result<Self> {
        let agent = agent(is_local(base), Duration::from_secs(30));
        let mut session = Self {
            base: base.trim_end_matches('/').to_owned(),
            agent,
            username: username.to_owned(),
            password: password.to_owned(),
            token: String::new(),
        };
        session.renew()?;
        Ok(session)
    }

    fn renew(&mut self) -> Result<()> {
        let url = format!("{}/token", self.base);
        let body = json!({"username": self.username, "password": self.password});
        let answer = read(self.agent.post(&url).header(LANGUAGE.0, LANGUAGE.1).send_json(&body), &url)?;
        let (status, value) = answer;
        if status != 200 {
            bail!("cannot sign in as {} at {url}: {}", self.username, refusal(status, &value));
        }
        let token = value.get("access_token").and_then(Value::as_str).context("POST /token gave no access_token")?;
        token.clone_into(&mut self.token);
        Ok(())
    }

    /// GET, with one new sign-in if the token has run out.
    ///
    /// # Errors
    /// If the API does not answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let answer = self.ask(&url)?;
        if answer.0 != 401 {
            return Ok(answer);
        }
        self.renew()?;
        self.ask(&url)
    }

    fn ask(&self, url: &str) -> Result<Answer> {
        let request = self.agent.get(url).header("authorization", format!("Bearer {}", self.token));
        read(request.header(LANGUAGE.0, LANGUAGE.1).call(), url)
    }

    /// POST of a JSON body.
    ///
    /// # Errors
    /// If the API does not answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).header("authorization", format!("Bearer {}", self.token));
        read(request.header(LANGUAGE.0, LANGUAGE.1).send_json(body), &url)
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>, url: &str) -> Result<Answer> {
    let mut answer = answer.with_context(|| format!("{url} does not answer"))?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(32 * 1024 * 1024).read_to_string().unwrap_or_default();
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// A refusal of the API in words: its code, its message and every bad field.
pub(crate) fn refusal(status: u16, body: &Value) -> String {
    let error = body.get("error");
    let part = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{status} {} {}", part("codigo"), part("mensaje")).trim_end().to_owned();
    for detail in error.and_then(|error| error.get("detalles")).and_then(Value::as_array).into_iter().flatten() {
        let of = |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or_default();
        text = format!("{text}\n    {}: {}", of("campo"), of("mensaje"));
    }
    text
}

/// Sends a file's content by PUT or POST as a presigned upload asks.
///
/// # Errors
/// If nobody answers or the upload is refused.
pub(crate) fn send_file(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    size: u64,
    content: &mut dyn Read,
) -> Result<()> {
    if method != "PUT" {
        bail!("the API asks for an upload by {method}; this program knows PUT. Update the checkout.");
    }
    let mut content = content;
    let mut request =
        agent(is_local(url), Duration::from_secs(3600)).put(url).header("content-length", size.to_string());
    for (name, value) in headers {
        // The length is ours to say, and the host is the URL's.
        if !["content-length", "host"].contains(&name.to_ascii_lowercase().as_str()) {
            request = request.header(name, value);
        }
    }
    let answer = request.send(ureq::SendBody::from_reader(&mut content)).context("the upload broke off")?;
    let status = answer.status().as_u16();
    if status >= 300 { Err(anyhow!("the bucket refused the upload with {status}")) } else { Ok(()) }
}

/// The text behind a link, at most 16 MiB.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn download(url: &str) -> Result<String> {
    let mut answer =
        agent(is_local(url), Duration::from_secs(60)).get(url).call().context("the link does not answer")?;
    if answer.status().as_u16() != 200 {
        bail!("the link answered {}", answer.status());
    }
    answer.body_mut().with_config().limit(16 * 1024 * 1024).read_to_string().context("cannot read the answer")
}

#[cfg(test)]
mod tests {
    use super::refusal;
    use serde_json::json;

    #[test]
    fn a_refusal_names_every_bad_field() {
        let body = json!({"error": {"codigo": "ERROR_VALIDACION", "mensaje": "No.", "detalles": [{"campo": "mode", "mensaje": "?"}]}});
        assert_eq!(refusal(400, &body), "400 ERROR_VALIDACION No.\n    mode: ?");
        assert_eq!(refusal(502, &serde_json::Value::Null), "502");
    }
}
