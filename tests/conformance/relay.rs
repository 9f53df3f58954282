//! A relay before a service: it passes every request on, counts it, and can stop one on its way.
//!
//! The problem: what happens between two requests of a run cannot be timed from outside. The idea: the service is entered
//! in clouds.yaml at the relay's address, and the relay holds the one request that a scenario waits for until the
//! scenario has done what it wanted. If the run is killed meanwhile, the service never sees that request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

/// Headers that concern one connection, not the message.
const OF_THE_CONNECTION: [&str; 4] = ["host", "connection", "keep-alive", "transfer-encoding"];

/// Where a request is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// On its way: if the run is killed now, the service never sees it.
    Before,
    /// On its way back: it is done, and if the run is killed now, it never hears of it.
    After,
}

/// Whether a request, of this method and path, is the one.
type Condition = Box<dyn Fn(&Method, &str) -> bool + Send + Sync>;

/// A request that is to be stopped.
struct Stop {
    moment: Moment,
    matches: Condition,
    arrived: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

struct Way {
    client: reqwest::Client,
    target: Url,
    requests: Mutex<Vec<String>>,
    stop: Mutex<Option<Stop>>,
}

/// A running relay. It ends when it goes out of scope.
pub(crate) struct Relay {
    way: Arc<Way>,
    address: SocketAddr,
    door: JoinHandle<std::io::Result<()>>,
}

impl Relay {
    /// Stands before the service at this endpoint.
    pub(super) async fn before(endpoint: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let way = Arc::new(Way {
            client: client.expect("the client needs nothing of the machine"),
            target: endpoint.parse().expect("an endpoint is a URL"),
            requests: Mutex::default(),
            stop: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let router = Router::new().fallback(pass).with_state(Arc::clone(&way));
        Self { way, address, door: tokio::spawn(async move { axum::serve(listener, router).await }) }
    }

    /// The endpoint as it is reached through the relay.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}{}", self.address, self.way.target.path().trim_end_matches('/'))
    }

    /// The requests since this was asked last: method, path and query.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.way.requests))
    }

    /// Stops the next request of that method whose path matches, on its way to the service.
    pub(crate) fn stop(&self, method: Method, matches: impl Fn(&str) -> bool + Send + Sync + 'static) -> Stopped {
        self.stop_at(Moment::Before, move |seen, path| *seen == method && matches(path))
    }

    /// Stops the next request of which this is true. It is asked about each.
    pub(crate) fn stop_at(
        &self,
        moment: Moment,
        matches: impl Fn(&Method, &str) -> bool + Send + Sync + 'static,
    ) -> Stopped {
        let ((arrived, arrival), (release, released)) = (oneshot::channel(), oneshot::channel());
        *locked(&self.way.stop) = Some(Stop { moment, matches: Box::new(matches), arrived, released });
        Stopped { arrival, release }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// A request that is held on its way, or will be. When this goes out of scope it is lost.
pub(crate) struct Stopped {
    arrival: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Stopped {
    /// Waits until the request is there.
    pub(crate) async fn arrived(&mut self) {
        (&mut self.arrival).await.expect("the relay is there and stops one request");
    }

    /// Lets it go on.
    pub(crate) fn pass(self) {
        self.release.send(()).expect("whoever sent it still waits");
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds a request that is to be stopped here; whether it may go on.
async fn held(stop: Option<Stop>) -> bool {
    let Some(stop) = stop else { return true };
    // Whoever waited may have gone.
    let _ = stop.arrived.send(());
    stop.released.await.is_ok()
}

async fn pass(State(way): State<Arc<Way>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    locked(&way.requests).push(format!("{} {path}", head.method));
    let stop = locked(&way.stop).take_if(|stop| (stop.matches)(&head.method, &path));
    let (before, after) = match stop {
        Some(stop) if stop.moment == Moment::Before => (Some(stop), None),
        stop => (None, stop),
    };
    if !held(before).await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut headers = head.headers;
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    let mut onward = way.client.request(head.method, way.target.join(&path).expect("a path can be joined to a URL"));
    // Glance refuses a body where it expects none, even an empty one in chunks.
    if !body.is_end_stream() {
        onward = onward.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    let Ok(answer) = onward.headers(headers).send().await else {
        // The service is away, or whoever asked has gone.
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if !held(after).await {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
        response = response.header(name, value);
    }
    response.body(Body::from_stream(answer.bytes_stream())).expect("the parts come from an answer")
}
