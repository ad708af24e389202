//! The API's own description: `GET /openapi.json` for programs, `GET /docs` for people. Neither needs a token: neither
//! says anything about what is stored.

use almacen_contract::error::{ApiError, Code, RequestError};
use almacen_lambda_kit::config::Env;
use almacen_lambda_kit::http::{Http, HttpFunction, HttpRequest, Reply, etag};

/// The document, made from docs/openapi.yaml when this is built. [`API_URL`] stands where the API's address belongs.
const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
/// Another one for another document.
const DOCUMENT_VERSION: &str = env!("DOCUMENT_VERSION");
/// What the document says instead of the API's address, which only the gateway knows.
const API_URL: &str = "@api@";

/// The page that reads the document. Scripts and styles lie beside the dashboard: the gateway is no place for files of
/// that size. `ASSETS` stands where their address belongs.
const PAGE: &str = include_str!("docs.html");
const ASSETS: &str = "@assets@";

/// How long an answer may be kept without asking again: as long as a deploy may go unnoticed.
const KEPT: &str = "public, max-age=60";

/// The function, and where this deployment stands.
#[derive(Debug)]
pub struct DocsApi {
    /// What stands before the stage in the API's address; see [`HttpRequest::api_url`].
    api_root: String,
    /// Where the page's files are, without a slash at the end.
    web_root: String,
    http: Http,
}

impl HttpFunction for DocsApi {
    fn http(&self) -> &Http {
        &self.http
    }

    async fn answer(&self, request: HttpRequest) -> Result<Reply, RequestError> {
        match (request.method(), request.resource()) {
            ("GET", "/openapi.json") => Ok(self.document(&request)),
            ("GET", "/docs") => Ok(self.page()),
            _ => Err(ApiError::new(Code::NotFound).into()),
        }
    }
}

impl DocsApi {
    /// From the environment.
    #[must_use]
    pub fn new(env: &mut Env) -> Self {
        Self {
            api_root: env.required("API_ROOT"),
            web_root: env.required("WEB_ROOT"),
            http: Http::new(env.required("ALLOWED_ORIGIN")),
        }
    }

    fn document(&self, request: &HttpRequest) -> Reply {
        let version: i64 = DOCUMENT_VERSION.parse().unwrap_or_default();
        let reply = if request.has_already(version) {
            Reply::empty(304)
        } else {
            let document = DOCUMENT.replace(API_URL, &request.api_url(&self.api_root));
            Reply::text(200, "application/json; charset=utf-8", document)
        };
        reply.with("etag", etag(version)).with("cache-control", KEPT.to_owned())
    }

    fn page(&self) -> Reply {
        let assets = &self.web_root;
        // Nothing inline, nothing from anywhere else. Pictures are data: in Swagger UI's style sheet. The page calls the
        // API, which is where it comes from itself.
        let policy = format!(
            "default-src 'none'; script-src {assets}/vendor/swagger-ui/ {assets}/docs/; \
             style-src {assets}/vendor/swagger-ui/ {assets}/docs/; img-src data: {assets}/favicon.svg; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Reply::text(200, "text/html; charset=utf-8", PAGE.replace(ASSETS, assets))
            .with("content-security-policy", policy)
            .with("referrer-policy", "no-referrer".to_owned())
            .with("cache-control", KEPT.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almacen_lambda_kit::start::Deadline;
    use serde_json::Value;
    use std::time::Duration;

    fn docs() -> DocsApi {
        let (api_root, web_root) = ("https://{domainName}".to_owned(), "https://d111.cloudfront.net".to_owned());
        DocsApi { api_root, web_root, http: Http::new("*".to_owned()) }
    }

    fn answer(event: &Value) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let request = serde_json::from_value(event.clone()).unwrap();
        let (docs, deadline) = (docs(), Deadline::after(Duration::from_secs(5)));
        let answer = runtime.block_on(docs.http.answer(request, deadline, |request| docs.answer(request)));
        serde_json::to_value(answer).unwrap()
    }

    fn event(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    const OPENAPI: &str = include_str!("../../../events/docs-api/openapi.json");
    const DOCS: &str = include_str!("../../../events/docs-api/docs.json");

    #[test]
    fn the_document_names_the_api_that_was_asked() {
        let answer = answer(&event(OPENAPI));
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["headers"]["content-type"], "application/json; charset=utf-8");
        assert_eq!(answer["headers"]["cache-control"], "public, max-age=60");
        let text = answer["body"].as_str().unwrap();
        assert!(text.starts_with(r#"{"openapi":"3.1.0","info":{"title":"Almacén","version":"1.0","#), "{text}");
        assert!(!text.contains(API_URL) && !text.contains("\"<<\"") && !text.contains("\"x-failures\""));
        let document: Value = serde_json::from_str(text).unwrap();
        let api = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/v1";
        assert_eq!(document["servers"], serde_json::json!([{ "url": api }]));
        let password = &document["components"]["securitySchemes"]["password"]["flows"]["password"];
        assert_eq!(password["tokenUrl"], format!("{api}/token"));
    }

    #[test]
    fn a_caller_that_has_the_document_is_not_sent_it() {
        let mut again = event(OPENAPI);
        again["headers"]["If-None-Match"] = answer(&again)["headers"]["etag"].clone();
        let unchanged = answer(&again);
        assert_eq!((&unchanged["statusCode"], &unchanged["body"]), (&304.into(), &"".into()));
        assert_eq!(unchanged["headers"]["etag"], again["headers"]["If-None-Match"]);
        again["headers"]["If-None-Match"] = "\"1\"".into();
        assert_eq!(answer(&again)["statusCode"], 200);
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        let answer = answer(&event(DOCS));
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["headers"]["content-type"], "text/html; charset=utf-8");
        assert_eq!(
            answer["headers"]["content-security-policy"],
            "default-src 'none'; script-src https://d111.cloudfront.net/vendor/swagger-ui/ \
             https://d111.cloudfront.net/docs/; style-src https://d111.cloudfront.net/vendor/swagger-ui/ \
             https://d111.cloudfront.net/docs/; img-src data: https://d111.cloudfront.net/favicon.svg; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        let page = answer["body"].as_str().unwrap();
        assert!(page.contains(r#"src="https://d111.cloudfront.net/docs/docs.js""#) && !page.contains(ASSETS), "{page}");
        assert!(!page.contains("style=") && !page.contains("<script>"), "{page}");
    }

    #[test]
    fn nothing_else_is_here() {
        let mut other = event(DOCS);
        other["resource"] = "/docs/x".into();
        assert_eq!(answer(&other)["statusCode"], 404);
    }
}
