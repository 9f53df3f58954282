//! Requests as the services see them, and the answers they give.
//!
//! The problem: every real service has its own way to refuse. Glance sends HTML, Nova and Cinder a JSON object with a
//! key for each kind of error, Keystone a third form. The idea: a service decides over a [`Call`], a request that has been
//! read and needs no I/O any more, and says `Result<Response, Refusal>`, so that `?` works with refusals.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::identity::Caller;

/// The answer of a service: either kind is sent to the client.
pub(super) type Answer = Result<Response, Refusal>;

/// One request, read to its end.
pub(super) struct Call<'a> {
    /// The method, in capitals.
    pub(super) method: &'a str,
    /// The path, split at slashes and percent-decoded.
    pub(super) segments: Vec<&'a str>,
    /// The query, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    /// The headers.
    pub(super) headers: &'a HeaderMap,
    /// The body.
    pub(super) body: Bytes,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// Scheme and authority under which the service was asked: `http://127.0.0.1:4711`.
    pub(super) base: &'a str,
}

impl Call<'_> {
    /// The last value of that query parameter; the services read repeated ones so.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Text of a header; empty where it is missing or not text.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The media type of a request, without parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let text = header_text(headers, "content-type");
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// An answer with a JSON body.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Response {
    with_body(status, "application/json", value.to_string())
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer with a body of that media type.
pub(super) fn with_body(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The answer with one more header; a value that no header can hold is left out.
pub(super) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// A body that announces all of these bytes, sends the first `length` and breaks off.
pub(super) fn broken_off(bytes: &Bytes, length: usize) -> Body {
    let first = Ok(bytes.slice(..bytes.len().min(length)));
    let end = async {
        // An error in the same breath would make hyper throw away what it has not flushed yet.
        tokio::task::yield_now().await;
        Err(io::Error::other("broken off"))
    };
    Body::from_stream(stream::iter([first]).chain(stream::once(end)))
}

/// Why a service does not do what it is asked, in the form in which it says so.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    media_type: &'static str,
    body: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    fn new(status: StatusCode, media_type: &'static str, body: String) -> Self {
        Self { status, media_type, body, headers: Vec::new() }
    }

    /// The refusal with one more header.
    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.status, self.body)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let response = with_body(refusal.status, refusal.media_type, refusal.body);
        refusal.headers.iter().fold(response, |response, (name, value)| with_header(response, name, value))
    }
}

/// A refusal by Glance: an HTML page.
pub(super) fn html(status: StatusCode, message: &str) -> Refusal {
    html_with_detail(status, message, "")
}

/// A refusal by Glance that has a detail below its message.
pub(super) fn html_with_detail(status: StatusCode, message: &str, detail: &str) -> Refusal {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"));
    let page = format!(
        "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {}<br /><br />\n{}\n\n\n \
         </body>\n</html>",
        escape(message),
        escape(detail)
    );
    Refusal::new(status, "text/html; charset=UTF-8", page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
}

/// A refusal by Nova or Cinder: one JSON object below a key that names the kind of error.
pub(super) fn fault(status: StatusCode, message: &str) -> Refusal {
    let kinds = BTreeMap::from([
        (400, "badRequest"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "itemNotFound"),
        (405, "badMethod"),
        (409, "conflictingRequest"),
        (413, "overLimit"),
    ]);
    let kind = kinds.get(&status.as_u16()).copied().unwrap_or("computeFault");
    Refusal::new(
        status,
        "application/json",
        json!({ kind: { "code": status.as_u16(), "message": message } }).to_string(),
    )
}

/// A refusal by Keystone, and every 401 of Nova and Cinder.
pub(super) fn error(status: StatusCode, message: &str) -> Refusal {
    let title = status.canonical_reason().unwrap_or("Unknown");
    Refusal::new(
        status,
        "application/json",
        json!({ "error": { "code": status.as_u16(), "message": message, "title": title } }).to_string(),
    )
}
