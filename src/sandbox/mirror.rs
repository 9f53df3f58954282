//! The publishers' mirror: any bytes under any path, and the ways in which a web server can be bad.
//!
//! A path that ends in a slash is a folder, and is answered with a listing as Apache writes it, where there is anything
//! in it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use sha2::{Digest, Sha256};

use super::answer::{broken_off, empty, header_text, with_body, with_header};
use super::range::{Range, Requested};

/// How the mirror answers for a path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// Properly, with ETag and ranges.
    #[default]
    Serve,
    /// With this status, and `Retry-After` in seconds where given.
    Status(u16, Option<u64>),
    /// Announces what was asked for, sends so many bytes of it and resets the connection.
    CutAfter(usize),
    /// Announces what was asked for, sends so many bytes of it and then nothing more, for ever.
    StallAfter(usize),
    /// Sends the bytes again and again, without an announced length.
    Endless,
    /// The HTML page of a captive portal, with status 200.
    LoginPage,
    /// Redirects to this address.
    Redirect(String),
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Bytes,
    etag: String,
}

/// What is published.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    files: BTreeMap<String, File>,
    behaviours: BTreeMap<String, Behaviour>,
}

impl Mirror {
    pub(super) fn publish(&mut self, path: &str, bytes: Bytes) {
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
        self.files.insert(trimmed(path), File { bytes, etag });
    }

    pub(super) fn withdraw(&mut self, path: &str) {
        self.files.remove(&trimmed(path));
    }

    pub(super) fn behave(&mut self, path: &str, behaviour: Behaviour) {
        self.behaviours.insert(trimmed(path), behaviour);
    }

    pub(super) fn published(&self, path: &str) -> Option<Bytes> {
        self.files.get(&trimmed(path)).map(|file| file.bytes.clone())
    }

    /// The page that lists a folder.
    fn listing(&self, folder: &str) -> Option<Response> {
        let inside = self.files.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
        let names: BTreeSet<&str> = inside.filter_map(|path| path.split_inclusive('/').next()).collect();
        let row = |name: &&str| format!("<tr><td><a href=\"{name}\">{name}</a></td></tr>");
        let rows: Vec<String> = names.iter().map(row).collect();
        let rows = rows.join("\n");
        let page = format!(
            "<!DOCTYPE HTML>\n<html><head><title>Index of /{folder}</title></head><body><h1>Index of /{folder}</h1>\n\
             <table>\n<tr><th><a href=\"?C=N;O=D\">Name</a></th></tr>\n{rows}\n</table></body></html>\n"
        );
        (!names.is_empty()).then(|| with_body(StatusCode::OK, "text/html;charset=UTF-8", page))
    }

    /// Answers a GET or HEAD.
    pub(super) fn answer(&self, path: &str, headers: &HeaderMap) -> Response {
        let is_folder = path.ends_with('/');
        let path = trimmed(path);
        let file = self.files.get(&path).cloned();
        match self.behaviours.get(&path).unwrap_or(&Behaviour::Serve) {
            Behaviour::Serve => match file {
                Some(file) => serve(&file, headers, |bytes| bytes.clone().into()),
                None if is_folder => self.listing(&path).unwrap_or_else(|| empty(StatusCode::NOT_FOUND)),
                None => empty(StatusCode::NOT_FOUND),
            },
            Behaviour::Status(status, retry_after) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let response = with_body(status, "text/plain", format!("{status}\n"));
                match retry_after {
                    Some(seconds) => with_header(response, "retry-after", &seconds.to_string()),
                    None => response,
                }
            }
            Behaviour::CutAfter(length) => {
                serve(&file.unwrap_or_default(), headers, |bytes| broken_off(bytes, *length))
            }
            Behaviour::StallAfter(length) => serve(&file.unwrap_or_default(), headers, |bytes| {
                let first = Ok::<_, Infallible>(bytes.slice(..bytes.len().min(*length)));
                Body::from_stream(stream::iter([first]).chain(stream::pending()))
            }),
            Behaviour::Endless => {
                let bytes = file.map(|file| file.bytes).filter(|bytes| !bytes.is_empty());
                let bytes = bytes.unwrap_or_else(|| Bytes::from_static(b"endless "));
                let stream = stream::repeat(bytes).map(Ok::<_, Infallible>);
                with_body(StatusCode::OK, "application/octet-stream", Body::from_stream(stream))
            }
            Behaviour::LoginPage => {
                let page = "<!DOCTYPE html><html><title>Sign in</title><body>Please sign in to the network.</body>";
                with_body(StatusCode::OK, "text/html", page)
            }
            Behaviour::Redirect(target) => with_header(empty(StatusCode::FOUND), "location", target),
        }
    }
}

fn trimmed(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

/// Answers with the file or the part that was asked for; `body` sends as much of it as it likes.
fn serve(File { bytes, etag }: &File, headers: &HeaderMap, body: impl FnOnce(&Bytes) -> Body) -> Response {
    if header_text(headers, "if-none-match") == etag {
        return with_header(empty(StatusCode::NOT_MODIFIED), "etag", etag);
    }
    let same = header_text(headers, "if-range");
    let range = if same.is_empty() || same == etag { header_text(headers, "range") } else { "" };
    let size = bytes.len();
    let sent = |status, bytes: &Bytes| {
        let response = with_body(status, "application/octet-stream", body(bytes));
        with_header(response, "content-length", &bytes.len().to_string())
    };
    let response = match Range::read(range, size) {
        Requested::Everything => sent(StatusCode::OK, bytes),
        Requested::Part(range) => {
            let part = sent(StatusCode::PARTIAL_CONTENT, &range.of(bytes));
            with_header(part, "content-range", &range.content_range(size))
        }
        Requested::Nothing => {
            with_header(empty(StatusCode::RANGE_NOT_SATISFIABLE), "content-range", &format!("bytes */{size}"))
        }
    };
    with_header(with_header(response, "accept-ranges", "bytes"), "etag", etag)
}
