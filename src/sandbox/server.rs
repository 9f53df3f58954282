//! HTTP: one listener for each service of each region, as real clouds have them.
//!
//! A request is logged, meets the faults that wait for it, is read (or streamed, where it carries an image) and handed to
//! its service together with the locked world. A connection can be reset at any moment: every [`Line`] has a
//! [`Switch`] that makes its next write fail, so that hyper drops it and the kernel sends RST.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use url::form_urlencoded;

use super::answer::{Answer, Call, Refusal, broken_off, empty, error, fault, header_text, html, with_body};
use super::faults::Effect;
use super::glance::data::{Purpose, upload};
use super::glance::import;
use super::identity::Caller;
use super::world::{LoggedRequest, Service, World};
use super::{cinder, glance, keystone, nova};

/// The largest body of a request that carries no image.
const LARGEST_BODY: usize = 1 << 20;

/// What all doors share.
pub(super) struct Shared {
    world: Mutex<World>,
    /// Fetches what web-download names.
    pub(super) client: reqwest::Client,
}

impl Shared {
    pub(super) fn new(world: World, client: reqwest::Client) -> Self {
        Self { world: Mutex::new(world), client }
    }

    /// The world, for as long as the guard lives. A test that panicked while it held it has left it whole: every
    /// change is made in one step.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where requests for one service come in.
pub(super) struct Door {
    pub(super) shared: Arc<Shared>,
    pub(super) service: Service,
    pub(super) region: String,
    pub(super) base: String,
}

/// Answers requests until the task is ended.
pub(super) async fn serve(listener: TcpListener, door: Door) -> io::Result<()> {
    let router = Router::new().fallback(receive).with_state(Arc::new(door));
    axum::serve(Lines(listener), router.into_make_service_with_connect_info::<Switch>()).await
}

async fn receive(State(door): State<Arc<Door>>, ConnectInfo(line): ConnectInfo<Switch>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (number, effect) = door.log(&parts);
    let response = match effect {
        None => Some(door.perform(&parts, body).await),
        Some(Effect::ResetBefore) => None,
        Some(Effect::ResetAfter) => {
            door.perform(&parts, body).await;
            None
        }
        Some(Effect::Status(status, retry_after)) => {
            let refusal = door.refusal(status);
            Some(match retry_after {
                Some(seconds) => refusal.with_header("retry-after", seconds.to_string()).into(),
                None => refusal.into(),
            })
        }
        Some(Effect::StatusAfter(status)) => {
            door.perform(&parts, body).await;
            Some(door.refusal(status).into())
        }
        Some(Effect::Delay(duration)) => {
            tokio::time::sleep(duration).await;
            Some(door.perform(&parts, body).await)
        }
        Some(Effect::MalformedJson) => {
            let status = door.perform(&parts, body).await.status();
            Some(with_body(status, "application/json", "{\"images\": [{\"id\": "))
        }
        Some(Effect::HalfBody) => Some(halved(door.perform(&parts, body).await).await),
        Some(Effect::RevokedToken) => {
            door.shared.world().identity.revoke(header_text(&parts.headers, "x-auth-token"));
            Some(door.perform(&parts, body).await)
        }
        Some(Effect::Meanwhile(act)) => {
            act(&mut door.shared.world());
            Some(door.perform(&parts, body).await)
        }
    };
    let Some(response) = response else {
        line.reset();
        return empty(StatusCode::OK);
    };
    door.shared.world().note_status(number, response.status().as_u16());
    response
}

/// The answer, broken off in the middle.
async fn halved(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert("content-length", bytes.len().into());
    Response::from_parts(parts, broken_off(&bytes, bytes.len() / 2))
}

impl Door {
    fn log(&self, parts: &Parts) -> (usize, Option<Effect>) {
        let mut world = self.shared.world();
        let request = LoggedRequest {
            service: self.service,
            region: self.region.clone(),
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            status: None,
        };
        let effect = world.faults.next(self.service, parts.method.as_str(), parts.uri.path());
        (world.note_request(request), effect)
    }

    /// A refusal in the form of this service.
    fn refusal(&self, status: u16) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reason = status.canonical_reason().unwrap_or("Fault");
        match self.service {
            Service::Identity => error(status, reason),
            Service::Image | Service::Mirror => html(status, reason),
            Service::Compute | Service::BlockStorage => fault(status, reason),
        }
    }

    async fn perform(&self, parts: &Parts, body: Body) -> Response {
        self.answer(parts, body).await.unwrap_or_else(Response::from)
    }

    async fn answer(&self, parts: &Parts, body: Body) -> Answer {
        let path = parts.uri.path();
        if self.service == Service::Mirror {
            let path = percent_decode_str(path).decode_utf8_lossy();
            return Ok(match path.strip_prefix("/mirror/") {
                Some(path) => self.shared.world().mirror.answer(path, &parts.headers),
                None => empty(StatusCode::NOT_FOUND),
            });
        }
        // Split first: a tag may hold a slash.
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let caller = self.shared.world().identity.caller(header_text(&parts.headers, "x-auth-token"));
        let (shared, region) = (&self.shared, self.region.as_str());
        let method = parts.method.as_str();
        if let (Service::Image, Some(caller)) = (self.service, &caller) {
            match (method, segments.as_slice()) {
                ("PUT", ["v2", "images", id, "file"]) => {
                    return upload(shared, region, id, Purpose::Store, caller, &parts.headers, body).await;
                }
                ("PUT", ["v2", "images", id, "stage"]) => {
                    return upload(shared, region, id, Purpose::Stage, caller, &parts.headers, body).await;
                }
                ("POST", ["v2", "images", id, "import"]) => {
                    return import::start(shared, region, id, caller, &read(body).await?);
                }
                _ => {}
            }
        }
        let raw_query = parts.uri.query().unwrap_or_default();
        let stranger = Caller::nobody();
        let call = Call {
            method,
            segments,
            query: form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            headers: &parts.headers,
            body: read(body).await?,
            caller: caller.as_ref().unwrap_or(&stranger),
            base: &self.base,
        };
        self.dispatch(&call, caller.is_some())
    }

    fn dispatch(&self, call: &Call<'_>, known: bool) -> Answer {
        let mut world = self.shared.world();
        let open = match self.service {
            Service::Identity => keystone::open(&mut world, call),
            Service::Image => glance::open(call),
            Service::Compute => nova::open(call),
            Service::BlockStorage => cinder::open(call),
            Service::Mirror => None,
        };
        if let Some(answer) = open {
            return answer;
        }
        if !known {
            return Err(self.unauthorised(&world));
        }
        let now = world.now();
        match self.service {
            Service::Identity => keystone::answer(&mut world, call),
            Service::Image => glance::answer(&mut world.region_of_door(&self.region).glance, call, now),
            Service::Compute => nova::answer(world.region_of_door(&self.region), call, now),
            Service::BlockStorage => cinder::answer(world.region_of_door(&self.region), call, now),
            Service::Mirror => Ok(empty(StatusCode::NOT_FOUND)),
        }
    }

    /// The 401 of a service: that of Glance is a page, the others' JSON.
    fn unauthorised(&self, world: &World) -> Refusal {
        let identity = world.identity_url();
        if self.service != Service::Image {
            return keystone::unauthorised(&identity);
        }
        let message = "This server could not verify that you are authorized to access the document you requested. \
                       Either you supplied the wrong credentials (e.g., bad password), or your browser does not \
                       understand how to supply the credentials required.";
        html(StatusCode::UNAUTHORIZED, message).with_header("www-authenticate", format!("Keystone uri=\"{identity}\""))
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    to_bytes(body, LARGEST_BODY).await.map_err(|_| error(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."))
}

/// Makes the next write on a connection fail.
#[derive(Debug, Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_thrown(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, Lines>> for Switch {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().switch.clone()
    }
}

struct Lines(TcpListener);

impl Listener for Lines {
    type Io = Line;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Line, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Line { stream, switch: Switch::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection that can be reset.
struct Line {
    stream: TcpStream,
    switch: Switch,
}

impl Line {
    /// Refuses to go on once the switch is thrown.
    fn check(&self) -> io::Result<()> {
        if self.switch.is_thrown() {
            // Without lingering the kernel sends RST instead of FIN when the socket is dropped.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
