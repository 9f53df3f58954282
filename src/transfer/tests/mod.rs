//! Deliveries from a mirror over real HTTP, with the faults that mirrors have.

mod compression;
mod gate;
mod mirror;
mod sinks;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, RANGE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::*;
use crate::model::digest::Algorithm;
use crate::transfer::digesting::Hasher;

/// How the mirror answers one request.
#[derive(Clone, Debug)]
enum Answer {
    /// As a good mirror does, ranges included.
    Good,
    /// Cuts the connection after this many bytes.
    CutAfter(usize),
    /// Sends this many bytes and nothing more.
    StallAfter(usize),
    /// Sends all of the file whatever was asked for.
    IgnoreRange,
    /// Good, under another `ETag`.
    OtherTag,
    /// Ends well after this many bytes, without saying how many there will be.
    EndAfter(usize),
    /// Never ends, and does not say how many there will be.
    Endless,
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    /// Sends the client here again.
    Redirect,
    /// A page for people.
    Page,
}

#[derive(Clone)]
struct Mirror {
    file: Bytes,
    /// For the first requests; after them it is good.
    answers: Arc<Mutex<Vec<Answer>>>,
    /// The `Range` of each request.
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Mirror {
    fn new(file: impl Into<Bytes>, answers: &[Answer]) -> Self {
        let answers = answers.iter().rev().cloned().collect();
        Self { file: file.into(), answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }

    /// Serves on loopback for the rest of the test; gives the file's URL.
    async fn serve(&self) -> Origin {
        let router = axum::Router::new().fallback(answer).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Origin::Url(format!("http://{address}/image"))
    }

    fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(mirror): State<Mirror>, request: Request) -> Response {
    let range = request.headers().get(RANGE).map(|range| range.to_str().unwrap().to_owned());
    mirror.asked.lock().unwrap().push(range.clone());
    let answer = mirror.answers.lock().unwrap().pop().unwrap_or(Answer::Good);
    let total = mirror.file.len();
    let start: usize = match range {
        Some(range) if !matches!(answer, Answer::IgnoreRange) => {
            range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
        }
        Some(_) | None => 0,
    };
    let rest = mirror.file.slice(start.min(total)..);
    let tag = if matches!(answer, Answer::OtherTag) { "\"other\"" } else { "\"tag\"" };
    let mut response = Response::builder().header(ETAG, tag);
    if start > 0 {
        let range = format!("bytes {start}-{}/{total}", total - 1);
        response = response.status(StatusCode::PARTIAL_CONTENT).header(CONTENT_RANGE, range);
    }
    let first = |count: usize| stream::iter([Ok::<_, io::Error>(rest.slice(..count.min(rest.len())))]);
    let body = match answer {
        Answer::Good | Answer::IgnoreRange | Answer::OtherTag => {
            response = response.header(CONTENT_LENGTH, rest.len());
            HttpBody::from(rest)
        }
        Answer::CutAfter(count) => {
            response = response.header(CONTENT_LENGTH, rest.len());
            // Yields, so that what comes before the cut is sent and not thrown away with it.
            let cut = stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(io::Error::other("cut"))
            });
            HttpBody::from_stream(first(count).chain(cut))
        }
        Answer::StallAfter(count) => {
            response = response.header(CONTENT_LENGTH, rest.len());
            HttpBody::from_stream(first(count).chain(stream::pending()))
        }
        Answer::EndAfter(count) => HttpBody::from_stream(first(count)),
        Answer::Endless => {
            HttpBody::from_stream(stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[7; 4096]))))
        }
        Answer::Status(status, retry_after) => {
            response = Response::builder().status(status);
            if let Some(seconds) = retry_after {
                response = response.header("retry-after", seconds);
            }
            HttpBody::from("no")
        }
        Answer::Redirect => return axum::response::Redirect::to("/image").into_response(),
        Answer::Page => return axum::response::Html("<html>Please log in").into_response(),
    };
    response.body(body).unwrap()
}

/// A sink that keeps what it gets.
#[derive(Default)]
struct Recorder {
    kept: Mutex<Kept>,
}

#[derive(Default, Clone, Debug, PartialEq, Eq)]
struct Kept {
    length: Option<u64>,
    bytes: Vec<u8>,
    largest: usize,
    complete: bool,
    broken_off: Option<String>,
}

impl Recorder {
    fn kept(&self) -> Kept {
        self.kept.lock().unwrap().clone()
    }
}

#[async_trait]
impl Sink for Recorder {
    fn name(&self) -> String {
        "recorder".to_owned()
    }

    async fn store(&self, mut body: Body, length: Option<u64>) -> anyhow::Result<()> {
        self.kept.lock().unwrap().length = length;
        while let Some(item) = body.next().await {
            let mut kept = self.kept.lock().unwrap();
            match item {
                Ok(block) => {
                    kept.largest = kept.largest.max(block.len());
                    kept.bytes.extend_from_slice(&block);
                }
                Err(error) => {
                    kept.broken_off = Some(error.to_string());
                    return Err(error.into());
                }
            }
        }
        self.kept.lock().unwrap().complete = true;
        Ok(())
    }
}

/// Bytes without a pattern that a decoder or a cut could hide in; no disk format.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digests {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish().into()
}

/// A raw image as published, with limits that suit tests.
fn consignment(origin: Origin, published: &[u8]) -> Consignment {
    Consignment {
        origin,
        published: digest(Algorithm::Sha256, published),
        stored: None,
        size: Some(published.len() as u64),
        compression: Compression::None,
        disk_format: DiskFormat::Raw,
        min_disk: None,
        witness: None,
        limits: Limits {
            bytes: 64 << 20,
            stall: Duration::from_secs(2),
            answer: Duration::from_secs(10),
            retries: 3,
            backoff: Duration::from_millis(1),
        },
    }
}

/// Delivers to one recorder.
async fn deliver_to_one(consignment: &Consignment) -> (Result<Delivered, TransferError>, Kept) {
    let recorder = Arc::new(Recorder::default());
    let sinks: Vec<Arc<dyn Sink>> = vec![Arc::<Recorder>::clone(&recorder)];
    let result = deliver(&client().unwrap(), consignment, sinks, &|_| {}).await;
    (result, recorder.kept())
}
