//! Published bytes from a mirror or a file, in order, without a gap.
//!
//! The problem: downloads of gigabytes break, and starting over is worst exactly where the line is bad. The idea: one
//! sequence of bytes that outlives its connections. When one breaks or falls silent, the next request asks for the
//! rest (RFC 9110, section 14) if the file is still the same, and goes on only with a 206 that begins where the first
//! ended and has no other `ETag`, `Last-Modified` or size. What arrives is never more than what was published.
//!
//! What this does not solve: a file that changes between two requests without the mirror's saying so. The digest does.

use std::path::PathBuf;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::{Bytes, BytesMut};
use reqwest::header::{
    CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use super::error::{TransferError, whole};
use super::{BLOCK, Consignment, Limits, Progress};
use crate::model::version::Origin;

/// As much progress as earns new attempts. Less, and a mirror that gives a byte a connection would be asked for ever.
const PROGRESS: u64 = 1 << 20;

/// The published bytes.
pub(super) enum Source<'a> {
    Mirror(Box<Download<'a>>),
    File { file: File, path: PathBuf, size: u64 },
}

impl<'a> Source<'a> {
    /// Asks for the bytes, and again while the failure may pass.
    pub(super) async fn open(
        client: &'a Client,
        consignment: &'a Consignment,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Result<Self, TransferError> {
        match &consignment.origin {
            Origin::Url(url) => Download::open(client, url, consignment.size, &consignment.limits, progress)
                .await
                .map(|download| Self::Mirror(Box::new(download))),
            Origin::File(path) => {
                let unreadable = |source| TransferError::File { path: path.clone(), source };
                let file = File::open(path).await.map_err(unreadable)?;
                let size = file.metadata().await.map_err(unreadable)?.len();
                agree(&path.display(), consignment.size, Some(size))?;
                Ok(Self::File { file, path: path.clone(), size })
            }
        }
    }

    /// How many bytes there will be, where that is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Mirror(download) => download.expected,
            Self::File { size, .. } => Some(*size),
        }
    }

    /// The next bytes; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        match self {
            Self::Mirror(download) => download.next().await,
            Self::File { file, path, .. } => {
                let mut block = BytesMut::with_capacity(BLOCK);
                match file.read_buf(&mut block).await {
                    Ok(0) => Ok(None),
                    Ok(_) => Ok(Some(block.freeze())),
                    Err(source) => Err(TransferError::File { path: path.clone(), source }),
                }
            }
        }
    }
}

/// A file on a mirror, as one sequence of bytes over as many connections as it takes.
pub(super) struct Download<'a> {
    client: &'a Client,
    limits: &'a Limits,
    progress: &'a (dyn Fn(Progress) + Sync),
    /// Where to ask: after the first answer, where the redirects ended, so that the rest comes from the same mirror.
    url: Url,
    /// The URL as messages show it, without credentials.
    shown: String,
    response: Option<Response>,
    validators: HeaderMap,
    published: Option<u64>,
    expected: Option<u64>,
    received: u64,
    /// `received` when the attempts were last counted from the start.
    counted_from: u64,
    delays: ExponentialBackoff,
}

impl<'a> Download<'a> {
    async fn open(
        client: &'a Client,
        url: &str,
        published: Option<u64>,
        limits: &'a Limits,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Result<Self, TransferError> {
        let url: Url = url.parse().map_err(|error: url::ParseError| TransferError::Unusable {
            url: url.to_owned(),
            because: error.to_string(),
        })?;
        let mut download = Self {
            client,
            limits,
            progress,
            shown: without_credentials(&url),
            url,
            response: None,
            validators: HeaderMap::new(),
            published,
            expected: published,
            received: 0,
            counted_from: 0,
            delays: delays(limits),
        };
        download.connect(None).await?;
        Ok(download)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        loop {
            let because = match self.response.as_mut() {
                None => return Ok(None),
                Some(response) => match timeout(self.limits.stall, response.chunk()).await {
                    Ok(Ok(Some(bytes))) => return self.take(bytes).map(Some),
                    Ok(Ok(None)) => match self.expected {
                        Some(expected) if self.received < expected => {
                            format!("the mirror ended its answer before byte {expected}")
                        }
                        Some(_) | None => {
                            self.response = None;
                            continue;
                        }
                    },
                    Ok(Err(error)) => whole(&error.without_url()),
                    Err(_) => silence(self.limits),
                },
            };
            self.response = None;
            if self.received > 0 && self.expected == Some(self.received) {
                continue;
            }
            self.connect(Some(self.interrupted(because))).await?;
        }
    }

    fn take(&mut self, bytes: Bytes) -> Result<Bytes, TransferError> {
        self.received += bytes.len() as u64;
        if self.received > self.limits.bytes {
            return Err(TransferError::TooLarge { limit: self.limits.bytes });
        }
        match self.expected {
            Some(expected) if self.received > expected => {
                Err(TransferError::Size { origin: self.shown.clone(), expected, found: self.received })
            }
            Some(_) | None => {
                (self.progress)(Progress::Received { bytes: self.received, total: self.expected });
                Ok(bytes)
            }
        }
    }

    /// Asks until there is an answer to read on from, as long as failures may pass and attempts are left.
    async fn connect(&mut self, mut failure: Option<TransferError>) -> Result<(), TransferError> {
        if self.received >= self.counted_from + PROGRESS {
            self.delays = delays(self.limits);
            self.counted_from = self.received;
        }
        loop {
            if let Some(failed) = failure {
                let Some(delay) = self.delay(&failed) else { return Err(failed) };
                (self.progress)(Progress::Retrying { because: failed.to_string(), delay });
                sleep(delay).await;
            }
            let answer = if self.received == 0 { self.ask().await } else { self.ask_for_the_rest().await };
            match answer {
                Ok(response) => {
                    self.response = Some(response);
                    return Ok(());
                }
                Err(error) if error.may_pass() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
    }

    /// How long to wait after this failure; `None` where there is no attempt left, or the mirror wants a longer peace.
    fn delay(&mut self, failure: &TransferError) -> Option<Duration> {
        let delay = self.delays.next()?;
        if let TransferError::Status { retry_after: Some(wanted), .. } = failure {
            return (*wanted <= self.limits.stall).then(|| delay.max(*wanted));
        }
        Some(delay)
    }

    async fn ask(&mut self) -> Result<Response, TransferError> {
        let response = self.send(HeaderMap::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refused(&response));
        }
        if is_page(response.headers()) {
            return Err(TransferError::Page { url: self.shown.clone() });
        }
        self.url = response.url().clone();
        self.expected = agree(&self.shown, self.published, response.content_length())?;
        self.validators = validators(response.headers());
        Ok(response)
    }

    async fn ask_for_the_rest(&mut self) -> Result<Response, TransferError> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(&format!("bytes={}-", self.received)).expect("digits are visible"));
        // A weak ETag may not be used here: RFC 9110, section 13.1.5.
        let strong = self.validators.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
        if let Some(validator) = strong.or_else(|| self.validators.get(LAST_MODIFIED)) {
            headers.insert(IF_RANGE, validator.clone());
        }
        let response = self.send(headers).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::OK if is_page(response.headers()) => {
                return Err(TransferError::Page { url: self.shown.clone() });
            }
            StatusCode::OK => {
                return Err(self.not_resumed("the mirror cannot send a part of it, or the file has changed there"));
            }
            StatusCode::RANGE_NOT_SATISFIABLE => match self.expected {
                Some(expected) => {
                    return Err(TransferError::Size { origin: self.shown.clone(), expected, found: self.received });
                }
                None => return Err(self.refused(&response)),
            },
            _ => return Err(self.refused(&response)),
        }
        // A 206 may leave out what the request has already named: RFC 9110, section 15.3.7.
        let found = validators(response.headers());
        if found.iter().any(|(name, value)| self.validators.get(name).is_some_and(|known| known != value)) {
            return Err(self.not_resumed("the file has changed on the mirror"));
        }
        match content_range(response.headers()) {
            Some((start, total)) if start == self.received => {
                self.expected = agree(&self.shown, self.expected, total)?;
                Ok(response)
            }
            Some(_) | None => Err(self.not_resumed("the mirror sent another part than was asked for")),
        }
    }

    async fn send(&self, headers: HeaderMap) -> Result<Response, TransferError> {
        let request = self.client.get(self.url.clone()).headers(headers).send();
        let because = match timeout(self.limits.stall, request).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_redirect() || error.is_builder() => {
                return Err(TransferError::Unusable { url: self.shown.clone(), because: whole(&error.without_url()) });
            }
            Ok(Err(error)) => whole(&error.without_url()),
            Err(_) => silence(self.limits),
        };
        Err(TransferError::Unreachable { url: self.shown.clone(), because })
    }

    fn refused(&self, response: &Response) -> TransferError {
        // Only the form in seconds: the other one needs both clocks to be right.
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        TransferError::Status { url: self.shown.clone(), status: response.status().as_u16(), retry_after }
    }

    fn interrupted(&self, because: String) -> TransferError {
        TransferError::Interrupted { url: self.shown.clone(), received: self.received, because }
    }

    fn not_resumed(&self, because: &str) -> TransferError {
        TransferError::NotResumed { url: self.shown.clone(), received: self.received, because: because.to_owned() }
    }
}

fn delays(limits: &Limits) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(limits.backoff)
        .with_max_delay(limits.stall.max(limits.backoff))
        .with_max_times(limits.retries)
        .build()
}

fn silence(limits: &Limits) -> String {
    format!("nothing came for {} s", limits.stall.as_secs_f32())
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
}

fn validators(headers: &HeaderMap) -> HeaderMap {
    let pick = |name: HeaderName| headers.get(&name).cloned().map(|value| (name, value));
    [ETAG, LAST_MODIFIED].into_iter().filter_map(pick).collect()
}

/// First byte and total of `Content-Range: bytes 5-9/10`; the total may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((start.parse().ok()?, total))
}

/// The size, from whoever knows it; both must not differ.
fn agree(origin: &impl ToString, expected: Option<u64>, found: Option<u64>) -> Result<Option<u64>, TransferError> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => {
            Err(TransferError::Size { origin: origin.to_string(), expected, found })
        }
        (expected, found) => Ok(expected.or(found)),
    }
}

fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}
