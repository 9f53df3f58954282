//! Requests as the services see them, and the answers they give.
//!
//! The problem: every real service has its own way to refuse. Glance sends HTML, Nova and Cinder a JSON object with a
//! key for each kind of error, Keystone a third form. The idea: a service decides over a [`Call`], a request that has been
//! read and needs no I/O any more, and says `Result<Response, Response>`, so that `?` works with refusals.

use std::collections::BTreeMap;
use std::io;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::identity::Caller;

/// The answer of a service: either kind is sent to the client.
pub(super) type Answer = Result<Response, Response>;

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

/// A refusal by Glance: an HTML page.
pub(super) fn html(status: StatusCode, message: &str) -> Response {
    html_with_detail(status, message, "")
}

/// A refusal by Glance that has a detail below its message.
pub(super) fn html_with_detail(status: StatusCode, message: &str, detail: &str) -> Response {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"));
    let page = format!(
        "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {}<br /><br />\n{}\n\n\n \
         </body>\n</html>",
        escape(message),
        escape(detail)
    );
    with_body(status, "text/html; charset=UTF-8", page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#x27;")
}

/// A refusal by Nova or Cinder: one JSON object below a key that names the kind of error.
pub(super) fn fault(status: StatusCode, message: &str) -> Response {
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
    json_answer(status, &json!({ kind: { "code": status.as_u16(), "message": message } }))
}

/// A refusal by Keystone, and every 401 of Nova and Cinder.
pub(super) fn error(status: StatusCode, message: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Unknown");
    json_answer(status, &json!({ "error": { "code": status.as_u16(), "message": message, "title": title } }))
}

/// A refusal as an error, for callers in the process.
pub(super) fn described(refusal: &Response) -> anyhow::Error {
    anyhow::anyhow!("{}", refusal.status())
}
