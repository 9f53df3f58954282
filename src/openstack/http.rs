//! The one place where requests are sent.
//!
//! The problem: every call needs the same care (a token, limits of time and size, another try where that is safe,
//! an error that tells its cause) and none of it belongs to what is asked. The idea: a [`Request`] is one HTTP request;
//! [`Endpoint::send`] brings it to an end. Sent again are only requests of which a second one does no harm: those that
//! never left (no connection), those the service asks to repeat (429, 503 with `Retry-After`), and reads. A 401 is
//! answered by one fresh login and one more try. Redirects are not followed, for they would carry the token away.
//! What this does not solve: a write whose answer is lost. The caller must look.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use osauth::EndpointFilters;
use osauth::client::AuthenticatedClient;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::clouds::Tls;
use super::error::{ApiError, ErrorKind, Service};
use super::keystone::{Keystone, Session, TOKEN_HEADER, lower_error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(1);
const TRIES: usize = 4;
/// A page of 1000 images with a hundred properties each is about 10 MB.
const LARGEST_BODY: usize = 64 << 20;

/// The connections to one cloud, with its token.
pub(super) struct Transport {
    api: AuthenticatedClient,
    data: Client,
    keystone: Keystone,
    requests: AtomicU64,
}

impl Transport {
    /// Connects and logs in.
    pub(super) async fn log_in(keystone: Keystone, tls: &Tls) -> Result<Arc<Self>, ApiError> {
        let broken = |error: &reqwest::Error| {
            ApiError::new(Service::Keystone, "POST", "/v3/auth/tokens", ErrorKind::Refused, &chain(error))
        };
        let builder = || {
            tls.apply(Client::builder())
                .map_err(|text| ApiError::new(Service::Keystone, "POST", "/v3/auth/tokens", ErrorKind::Refused, &text))
        };
        let api = builder()?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| broken(&error))?;
        // Neither a total nor a read timeout: both count while a body is being sent, however large it is. A peer that
        // no longer acknowledges is found by TCP itself. HTTP/1.1, for one long body gains nothing by frames.
        let data = builder()?
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .no_gzip()
            .build()
            .map_err(|error| broken(&error))?;
        let api = AuthenticatedClient::new(api, keystone.clone()).await.map_err(|error| lower_error(&error))?;
        Ok(Arc::new(Self { api, data, keystone, requests: AtomicU64::new(0) }))
    }

    /// The token in use.
    pub(super) async fn session(&self) -> Result<Arc<Session>, ApiError> {
        self.keystone.session(self.api.inner()).await.map_err(|error| lower_error(&error))
    }

    /// How many requests were sent, logins aside.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Where the catalogue says a service is.
    pub(super) async fn locate(&self, service: Service, filters: &EndpointFilters) -> Result<Url, ApiError> {
        let found = self.api.get_endpoint(service.types()[0], filters).await;
        found.map_err(|error| {
            let mut error = lower_error(&error);
            error.service = service;
            error
        })
    }

    async fn once(&self, client: &Client, request: reqwest::RequestBuilder) -> Result<Attempt, ApiError> {
        let authenticated = self.api.auth_type().authenticate(self.api.inner(), request).await;
        let authenticated = authenticated.map_err(|error| lower_error(&error))?;
        let request = match authenticated.build() {
            Ok(request) => request,
            Err(error) => return Ok(Attempt { token: None, outcome: Err(error) }),
        };
        let token = request.headers().get(TOKEN_HEADER).cloned();
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(Attempt { token, outcome: client.execute(request).await })
    }
}

struct Attempt {
    token: Option<HeaderValue>,
    outcome: Result<Response, reqwest::Error>,
}

/// One service of one region.
#[derive(Clone)]
pub(super) struct Endpoint {
    transport: Arc<Transport>,
    service: Service,
    base: Url,
}

/// One request to be made.
#[derive(Clone)]
pub(super) struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Request {
    /// A request to a path below the endpoint's URL, without a slash in front.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), headers: HeaderMap::new(), body: None }
    }

    /// A read.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// One more pair of the query.
    pub(super) fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// A header.
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// A JSON body, `application/json` unless a header already says otherwise.
    pub(super) fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into());
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        self
    }
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) body: Bytes,
    service: Service,
    method: String,
    path: String,
}

impl Answer {
    /// The body as what it should be.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| self.malformed(&error.to_string()))
    }

    /// An error that says what is wrong with this answer.
    pub(super) fn malformed(&self, what: &str) -> ApiError {
        ApiError::new(self.service, &self.method, &self.path, ErrorKind::Malformed, what)
    }
}

impl Endpoint {
    /// A service at a URL of the catalogue. Where that URL names no version of the API, `version` is appended.
    pub(super) fn new(transport: Arc<Transport>, service: Service, url: Url, version: &str) -> Self {
        Self { transport, service, base: versioned(url, version) }
    }

    /// Which service it is.
    pub(super) const fn service(&self) -> Service {
        self.service
    }

    /// Whether the URL names this version of the API.
    pub(super) fn is_version(&self, version: &str) -> bool {
        self.base.path().split('/').any(|segment| segment == version)
    }

    /// Sends a request until it succeeds or another try would be wrong or useless.
    ///
    /// # Errors
    /// [`ApiError`], for an answer that is no success as well.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, ApiError> {
        let Request { method, path, query, headers, body } = request;
        let url = join(&self.base, &path);
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(TRIES - 1)
            .with_jitter()
            .build();
        let mut renewed = false;
        let client = self.transport.api.inner();
        loop {
            let mut builder = client.request(method.clone(), url.clone()).headers(headers.clone());
            builder = builder.header(ACCEPT, "application/json");
            if !query.is_empty() {
                builder = builder.query(&query);
            }
            if let Some(body) = &body {
                builder = builder.body(body.clone());
            }
            let Attempt { token, outcome } = self.transport.once(client, builder).await?;
            let (error, wait) = match outcome {
                Ok(response) => {
                    let asked = retry_after(response.headers());
                    let error = match self.read(&method, response).await {
                        Ok(answer) => return Ok(answer),
                        Err(error) => error,
                    };
                    if let (ErrorKind::Unauthorized, Some(token), false) = (error.kind(), &token, renewed) {
                        renewed = true;
                        self.transport.keystone.renewed(client, token).await.map_err(|error| lower_error(&error))?;
                        continue;
                    }
                    let told_to =
                        error.kind() == ErrorKind::RateLimited || error.status == Some(503) && asked.is_some();
                    let failed = matches!(error.kind(), ErrorKind::Server | ErrorKind::Connection);
                    let again = told_to || failed && method == Method::GET;
                    (error, again.then_some(asked))
                }
                Err(error) => {
                    let again = error.is_connect() || method == Method::GET || method == Method::DELETE;
                    (self.lost(&method, &url, &error), again.then_some(None))
                }
            };
            match (wait, waits.next()) {
                (Some(asked), Some(backoff)) => tokio::time::sleep(asked.unwrap_or(backoff)).await,
                _ => return Err(error),
            }
        }
    }

    /// Sends a body that is produced on the way, and therefore once. `length` in bytes, where it is known.
    ///
    /// # Errors
    /// [`ApiError`]; where the body itself failed, its error is at the end of the message.
    pub(super) async fn send_stream(
        &self,
        path: &str,
        body: reqwest::Body,
        length: Option<u64>,
        store: Option<&str>,
    ) -> Result<(), ApiError> {
        let url = join(&self.base, path);
        let mut builder = self.transport.data.put(url.clone()).header(CONTENT_TYPE, "application/octet-stream");
        if let Some(length) = length {
            builder = builder.header(reqwest::header::CONTENT_LENGTH, length);
        }
        if let Some(store) = store {
            builder = builder.header("x-image-meta-store", store);
        }
        match self.transport.once(&self.transport.data, builder.body(body)).await?.outcome {
            Ok(response) => self.read(&Method::PUT, response).await.map(drop),
            Err(error) => Err(self.lost(&Method::PUT, &url, &error)),
        }
    }

    /// Starts to read a body of any size.
    ///
    /// # Errors
    /// [`ApiError`]; the body's own errors come later.
    pub(super) async fn read_stream(&self, path: &str) -> Result<Response, ApiError> {
        let url = join(&self.base, path);
        match self.transport.once(&self.transport.data, self.transport.data.get(url.clone())).await?.outcome {
            Ok(response) if response.status().is_success() => Ok(response),
            Ok(response) => match self.read(&Method::GET, response).await {
                Ok(answer) => Err(answer.malformed("a success that is none")),
                Err(error) => Err(error),
            },
            Err(error) => Err(self.lost(&Method::GET, &url, &error)),
        }
    }

    async fn read(&self, method: &Method, response: Response) -> Result<Answer, ApiError> {
        let (service, method) = (self.service, method.to_string());
        let (status, path) = (response.status(), response.url().path().to_owned());
        let request_id = ["x-openstack-request-id", "x-compute-request-id"]
            .iter()
            .find_map(|name| response.headers().get(*name)?.to_str().ok().map(str::to_owned));
        match bounded_body(response).await {
            Ok(body) if status.is_success() => Ok(Answer { body, service, method, path }),
            Ok(body) => {
                Err(ApiError::from_answer(service, &method, &path, status.as_u16(), &body, request_id.as_deref()))
            }
            Err(text) => Err(ApiError::new(service, &method, &path, ErrorKind::Connection, &text)),
        }
    }

    fn lost(&self, method: &Method, url: &Url, error: &reqwest::Error) -> ApiError {
        ApiError::new(self.service, method.as_str(), url.path(), ErrorKind::Connection, &chain(error))
    }
}

fn versioned(mut url: Url, version: &str) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    let is_version = |segment: &str| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    let has_version = path.split('/').any(is_version);
    url.set_path(&if has_version { path } else { format!("{path}/{version}") });
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// `Retry-After` in seconds, bounded. Its other form, a date, no OpenStack service sends.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

/// The body, if it is not absurdly large.
pub(super) async fn bounded_body(mut response: Response) -> Result<Bytes, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(format!("the answer is larger than {} MiB", LARGEST_BODY >> 20));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// An HTTP error with its causes, without the URL, which the caller knows better and may hold a query.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_connect() {
        "cannot connect".to_owned()
    } else {
        "the exchange broke off".to_owned()
    };
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests;
