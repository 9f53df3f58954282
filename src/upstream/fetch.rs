//! The one HTTP GET for what publishers say about their images.
//!
//! The problem: metadata comes from strangers, over networks that fail, and the same file answers for several families.
//! The idea: one client, with bounds on time and size; each URL is asked once a run, however many families want it;
//! between runs an optional folder keeps what was read with its `ETag` and `Last-Modified`, so that an unchanged file
//! costs one small answer. Failures that pass (no connection, 429, 5xx) are tried again a few times.
//!
//! What this does not solve: whether what was read is true. A kept file is checked exactly like a fresh one, for
//! signatures are verified on every reading. The bytes of images never come this way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use tokio::sync::OnceCell;
use url::Url;

use super::kept::{Kept, Validators};

/// The longest wait a server can ask for with `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What a file is meant to be. A proxy's login page answers everything with 200, so the beginning is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything but a web page.
    Data,
    /// A directory listing, which is a web page.
    Listing,
}

/// How patient a [`Fetch`] is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// Bytes an answer may have.
    pub bytes: usize,
    /// How often a passing failure is tried again.
    pub retries: usize,
    /// The wait before the first retry; it doubles from there.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            bytes: 32 << 20,
            retries: 3,
            pause: Duration::from_millis(500),
        }
    }
}

/// The bytes of a file, shared by everybody who asked for it; `None` where the server has no such file.
type Answer = Option<Arc<[u8]>>;

/// Reads what publishers say. Cheap to share by reference; one for a run.
#[derive(Debug)]
pub struct Fetch {
    client: Client,
    patience: Patience,
    folder: Option<PathBuf>,
    asked: Mutex<BTreeMap<Url, Arc<OnceCell<Answer>>>>,
}

/// Why a file could not be read.
#[derive(Debug)]
pub struct FetchError {
    /// What was asked for.
    pub url: String,
    /// What went wrong.
    pub problem: Problem,
}

/// What went wrong with one request.
#[derive(Debug)]
pub enum Problem {
    /// The server has no such file.
    Absent,
    /// The server answered with another status.
    Status(StatusCode, Option<Duration>),
    /// The answer is longer than this many bytes.
    TooLarge(usize),
    /// A web page came where data was expected.
    WebPage,
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Connection(reqwest::Error),
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.problem {
            Problem::Absent => write!(formatter, "`{url}` does not exist"),
            Problem::Status(status, _) => write!(formatter, "`{url}` answered {status}"),
            Problem::TooLarge(bytes) => {
                write!(formatter, "`{url}` is larger than the {bytes} bytes that are read of it")
            }
            Problem::WebPage => {
                write!(formatter, "`{url}` answered with a web page instead of data: a proxy's notice or a login page?")
            }
            Problem::Timeout => write!(formatter, "`{url}` did not answer in time"),
            Problem::Connection(_) => write!(formatter, "`{url}` cannot be read"),
        }
    }
}

impl std::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Connection(error) => Some(error),
            Problem::Absent | Problem::Status(..) | Problem::TooLarge(_) | Problem::WebPage | Problem::Timeout => None,
        }
    }
}

impl FetchError {
    fn passes(&self) -> bool {
        match &self.problem {
            Problem::Status(status, _) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Problem::Connection(error) => !error.is_redirect() && !error.is_builder(),
            Problem::Timeout => true,
            Problem::Absent | Problem::TooLarge(_) | Problem::WebPage => false,
        }
    }

    fn wanted_wait(&self) -> Option<Duration> {
        match &self.problem {
            Problem::Status(_, wait) => *wait,
            Problem::Absent | Problem::TooLarge(_) | Problem::WebPage | Problem::Timeout | Problem::Connection(_) => {
                None
            }
        }
    }
}

impl Fetch {
    /// A reader that keeps what it has read in `folder`, if one is given, for later runs.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(folder: Option<PathBuf>, patience: Patience) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("gallerist/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(patience.connect)
            .read_timeout(patience.read)
            // `Content-Encoding` would turn a published `.gz` into something nobody has published a digest of.
            .no_gzip()
            .redirect(redirect::Policy::custom(follow))
            .build()?;
        Ok(Self { client, patience, folder, asked: Mutex::default() })
    }

    /// The bytes at a URL.
    ///
    /// # Errors
    /// [`FetchError`]; a file that does not exist is [`Problem::Absent`].
    pub async fn get(&self, url: &Url, expected: Expected) -> Result<Arc<[u8]>, FetchError> {
        self.find(url, expected).await?.ok_or_else(|| FetchError { url: url.to_string(), problem: Problem::Absent })
    }

    /// The bytes at a URL, or `None` where the server says that there is no such file (404 and 410).
    ///
    /// # Errors
    /// [`FetchError`] for everything else.
    pub async fn find(&self, url: &Url, expected: Expected) -> Result<Option<Arc<[u8]>>, FetchError> {
        let cell = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.entry(url.clone()).or_default().clone()
        };
        let answer = cell.get_or_try_init(|| self.ask_patiently(url)).await?.clone();
        match (&answer, expected) {
            (Some(bytes), Expected::Data) if is_web_page(bytes) => {
                Err(FetchError { url: url.to_string(), problem: Problem::WebPage })
            }
            (_, Expected::Data | Expected::Listing) => Ok(answer),
        }
    }

    async fn ask_patiently(&self, url: &Url) -> Result<Answer, FetchError> {
        let kept = self.folder.as_deref().and_then(|folder| Kept::read(folder, url));
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.patience.pause)
            .with_max_times(self.patience.retries)
            .with_jitter();
        (|| self.ask(url, kept.as_ref()))
            .retry(pauses)
            .when(FetchError::passes)
            .adjust(|error, pause| pause.map(|pause| error.wanted_wait().map_or(pause, |wait| wait.min(LONGEST_WAIT))))
            .await
            .map_err(|problem| FetchError { url: url.to_string(), ..problem })
    }

    async fn ask(&self, url: &Url, kept: Option<&Kept>) -> Result<Answer, FetchError> {
        let failed = |problem| FetchError { url: url.to_string(), problem };
        let mut headers = HeaderMap::new();
        if let Some(kept) = kept {
            for (name, value) in
                [(IF_NONE_MATCH, &kept.validators.etag), (IF_MODIFIED_SINCE, &kept.validators.modified)]
            {
                if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        let answer = self.client.get(url.clone()).headers(headers).send().await.map_err(|e| failed(because(e)))?;
        let status = answer.status();
        if let (StatusCode::NOT_MODIFIED, Some(kept)) = (status, kept) {
            return Ok(Some(kept.body.clone()));
        }
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(failed(Problem::Status(status, retry_after(answer.headers()))));
        }
        let validators =
            Validators { etag: text(answer.headers().get(ETAG)), modified: text(answer.headers().get(LAST_MODIFIED)) };
        let body = self.body(answer).await.map_err(failed)?;
        if let Some(folder) = &self.folder {
            keep(folder, url, validators, &body);
        }
        Ok(Some(body))
    }

    async fn body(&self, mut answer: reqwest::Response) -> Result<Arc<[u8]>, Problem> {
        let most = self.patience.bytes;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(because)? {
            if body.len() + chunk.len() > most {
                return Err(Problem::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }
}

/// A full or read-only cache folder only costs the next run a larger answer.
fn keep(folder: &Path, url: &Url, validators: Validators, body: &Arc<[u8]>) {
    if validators.etag.is_some() || validators.modified.is_some() {
        Kept { validators, body: body.clone() }.write(folder, url).ok();
    }
}

/// Ten steps at most, and never from an encrypted connection to a plain one: what was read would still count as
/// read over TLS.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let downgrade = attempt.url().scheme() != "https" && attempt.previous().iter().any(|url| url.scheme() == "https");
    if downgrade {
        attempt.error("it redirects from https to plain http")
    } else if attempt.previous().len() > 10 {
        attempt.error("it redirects more than ten times")
    } else {
        attempt.follow()
    }
}

fn because(error: reqwest::Error) -> Problem {
    if error.is_timeout() { Problem::Timeout } else { Problem::Connection(error.without_url()) }
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    value.and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    text(headers.get(RETRY_AFTER))?.trim().parse().ok().map(Duration::from_secs)
}

fn is_web_page(body: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(&body[..body.len().min(512)]).trim_start().to_ascii_lowercase();
    beginning.starts_with("<!doctype html") || beginning.starts_with("<html")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::header;
    use axum::response::{IntoResponse as _, Response};

    use super::super::testing::{hasty, serve};
    use super::*;

    async fn counted(
        answer: impl Fn(usize, axum::extract::Request) -> Response + Clone + Send + Sync + 'static,
    ) -> (Url, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let asked = count.clone();
        (serve(move |request| answer(asked.fetch_add(1, Ordering::SeqCst), request)).await, count)
    }

    #[tokio::test]
    async fn a_url_is_asked_once_a_run() {
        let (url, count) = counted(|_, _| "data".into_response()).await;
        let fetch = Fetch::new(None, hasty()).unwrap();
        let (one, other) = tokio::join!(fetch.get(&url, Expected::Data), fetch.get(&url, Expected::Data));
        assert_eq!((&*one.unwrap(), &*other.unwrap()), (b"data".as_slice(), b"data".as_slice()));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_unchanged_file_is_not_sent_again() {
        let folder = tempfile::tempdir().unwrap();
        let (url, _) = counted(|turn, request| {
            let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "\"one\"");
            match (turn, known) {
                (0, _) => ([(header::ETAG, "\"one\"")], "data").into_response(),
                (_, true) => axum::http::StatusCode::NOT_MODIFIED.into_response(),
                (_, false) => "sent again".into_response(),
            }
        })
        .await;
        for _ in 0..2 {
            let fetch = Fetch::new(Some(folder.path().to_owned()), hasty()).unwrap();
            assert_eq!(&*fetch.get(&url, Expected::Data).await.unwrap(), b"data");
        }
        for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
            std::fs::write(entry.path(), "damaged").unwrap();
        }
        let fetch = Fetch::new(Some(folder.path().to_owned()), hasty()).unwrap();
        assert_eq!(&*fetch.get(&url, Expected::Data).await.unwrap(), b"sent again");
    }

    #[tokio::test]
    async fn passing_failures_are_tried_again_and_lasting_ones_are_not() {
        let (url, _) = counted(|turn, _| match turn {
            0 => axum::http::StatusCode::BAD_GATEWAY.into_response(),
            1 => (axum::http::StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
            _ => "data".into_response(),
        })
        .await;
        assert!(Fetch::new(None, hasty()).unwrap().get(&url, Expected::Data).await.is_ok());
        let (url, count) = counted(|_, _| axum::http::StatusCode::FORBIDDEN.into_response()).await;
        let refused = Fetch::new(None, hasty()).unwrap().get(&url, Expected::Data).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("`{url}` answered 403 Forbidden"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn absence_is_no_failure_where_it_may_be() {
        let (url, _) = counted(|_, _| axum::http::StatusCode::NOT_FOUND.into_response()).await;
        let fetch = Fetch::new(None, hasty()).unwrap();
        assert!(fetch.find(&url, Expected::Data).await.unwrap().is_none());
        assert!(matches!(fetch.get(&url, Expected::Data).await.unwrap_err().problem, Problem::Absent));
    }

    #[tokio::test]
    async fn pages_and_floods_are_not_data() {
        let (url, _) = counted(|_, _| " <!DOCTYPE html><title>Sign in".into_response()).await;
        let fetch = Fetch::new(None, Patience { bytes: 64, ..hasty() }).unwrap();
        assert!(matches!(fetch.get(&url, Expected::Data).await.unwrap_err().problem, Problem::WebPage));
        assert!(fetch.get(&url, Expected::Listing).await.is_ok());
        let (url, _) = counted(|_, _| "x".repeat(65).into_response()).await;
        assert!(matches!(fetch.get(&url, Expected::Data).await.unwrap_err().problem, Problem::TooLarge(64)));
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let fetch = Fetch::new(None, Patience { read: Duration::from_millis(20), retries: 0, ..hasty() }).unwrap();
        assert!(matches!(fetch.get(&url, Expected::Data).await.unwrap_err().problem, Problem::Timeout));
        drop(listener);
        let fetch = Fetch::new(None, hasty()).unwrap();
        assert!(matches!(fetch.get(&url, Expected::Data).await.unwrap_err().problem, Problem::Connection(_)));
    }

    #[tokio::test]
    async fn compressed_files_stay_as_they_are_published() {
        let (url, _) = counted(|_, request| {
            let accepts = request.headers().contains_key(header::ACCEPT_ENCODING);
            ([(header::CONTENT_ENCODING, "gzip")], if accepts { "asked" } else { "as it is" }).into_response()
        })
        .await;
        assert_eq!(&*Fetch::new(None, hasty()).unwrap().get(&url, Expected::Data).await.unwrap(), b"as it is");
    }
}
