//! What went wrong between us and a service.
//!
//! The problem: services explain themselves in HTML, in JSON of several shapes, or not at all, and decisions hang on
//! the difference (a 409 on create is good news, a 403 on a lock is a policy, a 401 is worth one more try). The idea:
//! one error type that keeps the facts apart (service, method, path, status, request id) and reduces the explanation
//! to one bounded line. Neither headers nor bodies of requests ever enter it, so no token and no password can.

use std::fmt;

use serde_json::Value;

/// The services gallerist speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Identity.
    Keystone,
    /// Images.
    Glance,
    /// Servers.
    Nova,
    /// Volumes.
    Cinder,
}

impl Service {
    /// The name operators know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keystone => "Keystone",
            Self::Glance => "Glance",
            Self::Nova => "Nova",
            Self::Cinder => "Cinder",
        }
    }

    /// The catalogue's words for it, the official one first (service-types-authority; `volumev3` is what most clouds
    /// still register Cinder as).
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Keystone => &["identity"],
            Self::Glance => &["image"],
            Self::Nova => &["compute"],
            Self::Cinder => &["block-storage", "volumev3", "block-store", "volume"],
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// What kind of failure it was, as far as a decision can depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: the credentials are not accepted, also after a fresh login.
    Unauthorized,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404 or 410.
    NotFound,
    /// 409: it is there already, or in a state that does not allow this.
    Conflict,
    /// 413: larger than a quota or a limit of the service.
    TooLarge,
    /// 429, still after the waits the service asked for.
    RateLimited,
    /// Any other 3xx or 4xx: the service does not understand or want this request.
    Refused,
    /// 5xx.
    Server,
    /// No answer: unreachable, broken off, timed out, TLS. Whether the request was carried out is not known.
    Connection,
    /// An answer that is not what the API promises.
    Malformed,
    /// The catalogue has no such service in this region.
    NoService,
}

impl ErrorKind {
    /// The kind that an HTTP status stands for.
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            500..=599 => Self::Server,
            _ => Self::Refused,
        }
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Who was asked.
    pub service: Service,
    /// The HTTP method.
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// What the service says, or what happened on the way: one line, bounded.
    pub message: String,
    /// The service's own number for the request, for its operator's logs.
    pub request_id: Option<String>,
    kind: ErrorKind,
}

impl ApiError {
    /// A failure without an answer, or with one that makes no sense.
    pub fn new(service: Service, method: &str, path: &str, kind: ErrorKind, message: &str) -> Self {
        Self {
            service,
            method: method.to_owned(),
            path: path.to_owned(),
            status: None,
            message: one_line(message),
            request_id: None,
            kind,
        }
    }

    /// An answer that is no success.
    pub fn from_answer(
        service: Service,
        method: &str,
        path: &str,
        status: u16,
        body: &[u8],
        request_id: Option<&str>,
    ) -> Self {
        Self {
            status: Some(status),
            request_id: request_id.map(one_line),
            ..Self::new(service, method, path, ErrorKind::from_status(status), &explanation(body))
        }
    }

    /// The same failure, with the status that stands behind it.
    pub(super) fn with_status(mut self, status: Option<u16>) -> Self {
        self.status = status;
        self
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, method, path, status, message, request_id, kind } = self;
        match status {
            Some(status) => write!(formatter, "{service} answered {status} to `{method} {path}`")?,
            None if *kind == ErrorKind::Connection => {
                write!(formatter, "no answer from {service} to `{method} {path}`")?;
            }
            None => write!(formatter, "{service}, `{method} {path}`")?,
        }
        if !message.is_empty() {
            write!(formatter, ": {message}")?;
        }
        if let Some(request_id) = request_id {
            write!(formatter, " ({request_id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

const LONGEST_MESSAGE: usize = 300;
const EXPLAINED_BYTES: usize = 16 * 1024;

/// One line of at most 300 characters, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|found| if found.is_control() { ' ' } else { found }).collect();
    let words = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// What an error body says: the `message` of a JSON body however deep it is wrapped, else the text without its HTML.
fn explanation(body: &[u8]) -> String {
    let body = &body[..body.len().min(EXPLAINED_BYTES)];
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return without_markup(&message_in(&value, 3).unwrap_or_default());
    }
    let text = without_markup(&String::from_utf8_lossy(body));
    let line = one_line(&text);
    // Glance repeats the status in words before it explains: `403 Forbidden You are not authorized to …`.
    let repeated = line.get(..4).is_some_and(|start| start[..3].bytes().all(|byte| byte.is_ascii_digit()));
    if !repeated {
        return line;
    }
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .skip(1)
        .map(str::to_owned)
        .reduce(|so_far, next| format!("{so_far} {next}"))
        .unwrap_or(line)
}

fn message_in(value: &Value, depth: usize) -> Option<String> {
    let object = value.as_object()?;
    ["message", "faultstring", "title", "detail"]
        .iter()
        .find_map(|key| object.get(*key).and_then(Value::as_str).map(str::to_owned))
        .or_else(|| {
            let deeper = depth.checked_sub(1)?;
            object.values().find_map(|inner| message_in(inner, deeper))
        })
}

/// Text with tags replaced by line ends, the head and its title left out, and the usual entities resolved.
fn without_markup(html: &str) -> String {
    let visible = match (html.find("<head"), html.find("</head>")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &html[..start], &html[end..]),
        _ => html.to_owned(),
    };
    let mut text = String::with_capacity(visible.len());
    let mut inside = false;
    for character in visible.chars() {
        match (inside, character) {
            (false, '<') => {
                inside = true;
                text.push('\n');
            }
            (true, '>') => inside = false,
            (false, other) => text.push(other),
            (true, _) => {}
        }
    }
    // `&amp;` last, or `&amp;lt;` would be resolved twice.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_freed_of_their_wrapping() {
        for (body, expected) in [
            (
                "<html>\n <head>\n  <title>409 Conflict</title>\n </head>\n <body>\n  <h1>409 Conflict</h1>\n  Property &#x27;a&amp;b&#x27; does not exist<br /><br />\n\n </body>\n</html>",
                "Property 'a&b' does not exist",
            ),
            (
                "403 Forbidden\n\nYou are not authorized to complete publicize_image action.\n\n   ",
                "You are not authorized to complete publicize_image action.",
            ),
            (r#"{"badRequest": {"code": 400, "message": "Image ID is not active."}}"#, "Image ID is not active."),
            (
                r#"{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}"#,
                "The request you have made requires authentication.",
            ),
            (r#"{"message": "Image is protected.<br /><br />\n\n", "code": "403 Forbidden"}"#, "Image is protected."),
            ("upstream connect error", "upstream connect error"),
            ("", ""),
            ("<", ""),
            ("{}", ""),
        ] {
            assert_eq!(one_line(&explanation(body.as_bytes())), expected, "{body}");
        }
    }

    #[test]
    fn messages_are_one_bounded_line() {
        let error = ApiError::from_answer(
            Service::Nova,
            "GET",
            "/v2.1/servers",
            500,
            "a\u{1b}[31m\nb ".repeat(10_000).as_bytes(),
            Some("req-1"),
        );
        assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}");
        assert!(error.message.chars().count() <= LONGEST_MESSAGE + 1);
        assert!(error.to_string().starts_with("Nova answered 500 to `GET /v2.1/servers`: a [31m b"), "{error}");
        assert!(error.to_string().ends_with("(req-1)"));
        assert_eq!(error.kind(), ErrorKind::Server);
    }
}
