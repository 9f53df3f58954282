//! The login: one token per cloud, shared by all its regions.
//!
//! The problem: osauth's own authentication types cannot renew a token that a service refuses although it has not yet
//! expired, reject catalogues with a `null` region, and print passwords in their debug form. The idea: our own
//! [`osauth::AuthType`]. Logins are single-flight: whoever finds the token missing, near its end or refused takes the
//! lock, and all who waited behind find the new token there. What this does not solve: Keystone's middleware caches
//! tokens, so a revoked one may go on working for minutes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use osauth::{EndpointFilters, Error, ErrorKind};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::RwLock;

use super::catalogue::{Token, TokenBody};
use super::clouds::{Credentials, Identity, Scope};
use super::error::{ApiError, ErrorKind as ApiErrorKind, Service};

/// The header that carries the token.
pub(super) const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-auth-token");
const LOGIN_PATH: &str = "/v3/auth/tokens";
/// Tokens are renewed this long before their end, or in the last quarter of a shorter life.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// A token as it is in use.
pub(super) struct Session {
    header: HeaderValue,
    renew_at: Option<Timestamp>,
    pub(super) token: Token,
}

impl Session {
    fn is_fresh(&self) -> bool {
        self.renew_at.is_none_or(|end| Timestamp::now() < end)
    }
}

/// The way into one cloud. Clones share the token.
#[derive(Clone)]
pub(super) struct Keystone {
    inner: Arc<Inner>,
}

struct Inner {
    url: Url,
    credentials: Credentials,
    scope: Scope,
    session: RwLock<Option<Arc<Session>>>,
}

impl fmt::Debug for Keystone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keystone({})", self.inner.url)
    }
}

impl Keystone {
    /// The way in through this Keystone, whose URL ends before `/v3`. No request is made yet.
    pub(super) fn new(url: Url, credentials: Credentials, scope: Scope) -> Self {
        Self { inner: Arc::new(Inner { url, credentials, scope, session: RwLock::new(None) }) }
    }

    /// The token in use; logs in where there is none or it is near its end.
    pub(super) async fn session(&self, client: &Client) -> Result<Arc<Session>, Error> {
        self.session_other_than(client, None).await
    }

    /// A token that is not the one a service has just refused. Of many callers with the same refused token one logs in.
    pub(super) async fn renewed(&self, client: &Client, refused: &HeaderValue) -> Result<Arc<Session>, Error> {
        self.session_other_than(client, Some(refused)).await
    }

    async fn session_other_than(&self, client: &Client, refused: Option<&HeaderValue>) -> Result<Arc<Session>, Error> {
        let usable = |session: &Arc<Session>| session.is_fresh() && refused != Some(&session.header);
        if let Some(session) = self.inner.session.read().await.as_ref().filter(|session| usable(session)) {
            return Ok(Arc::clone(session));
        }
        let mut current = self.inner.session.write().await;
        if let Some(session) = current.as_ref().filter(|session| usable(session)) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.log_in(client).await?);
        *current = Some(Arc::clone(&session));
        Ok(session)
    }

    async fn log_in(&self, client: &Client) -> Result<Session, Error> {
        let url = format!("{}{LOGIN_PATH}", self.inner.url.as_str().trim_end_matches('/'));
        let body = request_body(&self.inner.credentials, &self.inner.scope);
        let sent = client.post(url).json(&body).send().await;
        let response = sent.map_err(|error| Error::new(ErrorKind::ProtocolError, super::http::chain(&error)))?;
        let status = response.status();
        let header = response.headers().get("x-subject-token").cloned();
        let bytes =
            super::http::bounded_body(response).await.map_err(|text| Error::new(ErrorKind::ProtocolError, text))?;
        if !status.is_success() {
            let answer = ApiError::from_answer(Service::Keystone, "POST", LOGIN_PATH, status.as_u16(), &bytes, None);
            return Err(Error::new(status.into(), answer.message));
        }
        let malformed = |what: &str| Error::new(ErrorKind::InvalidResponse, what.to_owned());
        let mut header = header.ok_or_else(|| malformed("the answer to the login holds no token"))?;
        header.set_sensitive(true);
        // The parser's own message could quote the body, which holds the token's facts; it is left out.
        let TokenBody { token } = serde_json::from_slice(&bytes)
            .map_err(|_| malformed("the answer to the login is not a token of the Identity API v3"))?;
        let renew_at = token.expires_at.map(|end| end - renewal_margin(end.duration_since(Timestamp::now())));
        Ok(Session { header, renew_at, token })
    }
}

/// How long before its end a token with this much life left is renewed.
fn renewal_margin(life: SignedDuration) -> SignedDuration {
    MARGIN.min(life / 4)
}

#[async_trait]
impl osauth::AuthType for Keystone {
    async fn authenticate(&self, client: &Client, request: RequestBuilder) -> Result<RequestBuilder, Error> {
        Ok(request.header(TOKEN_HEADER, self.session(client).await?.header.clone()))
    }

    async fn get_endpoint(&self, client: &Client, service_type: &str, filters: &EndpointFilters) -> Result<Url, Error> {
        let session = self.session(client).await?;
        let known = [Service::Keystone, Service::Glance, Service::Nova, Service::Cinder];
        let own = [service_type];
        let types =
            known.iter().map(|service| service.types()).find(|types| types.contains(&service_type)).unwrap_or(&own);
        session.token.endpoint(types, filters).ok_or_else(|| {
            let region = filters.region.as_deref().map_or(String::new(), |region| format!(" in region `{region}`"));
            Error::new(ErrorKind::EndpointNotFound, format!("the catalogue has no `{service_type}` service{region}"))
        })
    }

    /// Logs in, unless that has just been done.
    async fn refresh(&self, client: &Client) -> Result<(), Error> {
        let current = self.inner.session.read().await.as_ref().map(|session| session.header.clone());
        match current {
            Some(header) => self.renewed(client, &header).await.map(drop),
            None => self.session(client).await.map(drop),
        }
    }
}

/// A failed login, or an endpoint that is not there, as an error of ours.
pub(super) fn lower_error(error: &Error) -> ApiError {
    let (status, kind) = match error.kind() {
        ErrorKind::AuthenticationFailed => (Some(401), ApiErrorKind::Unauthorized),
        ErrorKind::AccessDenied => (Some(403), ApiErrorKind::Forbidden),
        ErrorKind::ResourceNotFound => (Some(404), ApiErrorKind::NotFound),
        ErrorKind::EndpointNotFound => (None, ApiErrorKind::NoService),
        ErrorKind::ProtocolError | ErrorKind::OperationTimedOut => (None, ApiErrorKind::Connection),
        ErrorKind::InternalServerError => (None, ApiErrorKind::Server),
        ErrorKind::InvalidResponse => (None, ApiErrorKind::Malformed),
        // Whatever kinds osauth may add, the request was not accepted.
        ErrorKind::TooManyItems
        | ErrorKind::InvalidInput
        | ErrorKind::IncompatibleApiVersion
        | ErrorKind::Conflict
        | ErrorKind::OperationFailed
        | ErrorKind::InvalidConfig
        | _ => (None, ApiErrorKind::Refused),
    };
    // osauth's Display is `description: message`; only the message is ours.
    let text = error.to_string();
    let message = text.strip_prefix(&format!("{}: ", error.kind())).unwrap_or(&text);
    ApiError::new(Service::Keystone, "POST", LOGIN_PATH, kind, message).with_status(status)
}

/// The body of the login. Source: Identity API v3, "Authentication and token management".
fn request_body(credentials: &Credentials, scope: &Scope) -> Value {
    let identity = match credentials {
        Credentials::Password { user, password } => {
            let mut user = identity_value(user);
            user["password"] = json!(password.expose_secret());
            json!({"methods": ["password"], "password": {"user": user}})
        }
        Credentials::Token(token) => json!({"methods": ["token"], "token": {"id": token.expose_secret()}}),
        Credentials::ApplicationCredential { credential, user, secret } => {
            let mut body = match credential {
                Identity::Id(id) => json!({"id": id}),
                Identity::Name { name, .. } => json!({"name": name}),
            };
            if let (Identity::Name { .. }, Some(user)) = (credential, user) {
                body["user"] = identity_value(user);
            }
            body["secret"] = json!(secret.expose_secret());
            json!({"methods": ["application_credential"], "application_credential": body})
        }
    };
    let mut body = json!({"auth": {"identity": identity}});
    // An application credential is bound to its project; Keystone refuses a scope beside it.
    if !matches!(credentials, Credentials::ApplicationCredential { .. }) {
        match scope {
            Scope::Project(project) => body["auth"]["scope"] = json!({"project": identity_value(project)}),
            Scope::Domain(domain) => body["auth"]["scope"] = json!({"domain": identity_value(domain)}),
            Scope::System => body["auth"]["scope"] = json!({"system": {"all": true}}),
            Scope::Unscoped => {}
        }
    }
    body
}

fn identity_value(identity: &Identity) -> Value {
    match identity {
        Identity::Id(id) => json!({"id": id}),
        Identity::Name { name, domain: None } => json!({"name": name}),
        Identity::Name { name, domain: Some(domain) } => json!({"name": name, "domain": identity_value(domain)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, domain: Option<Identity>) -> Identity {
        Identity::Name { name: name.to_owned(), domain: domain.map(Box::new) }
    }

    #[test]
    fn bodies_follow_the_identity_api() {
        let password = Credentials::Password {
            user: named("admin", Some(Identity::Id("default".to_owned()))),
            password: "secret".into(),
        };
        assert_eq!(
            request_body(&password, &Scope::Project(named("p", Some(named("Default", None))))),
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {"name": "admin", "domain": {"id": "default"}, "password": "secret"}}},
                "scope": {"project": {"name": "p", "domain": {"name": "Default"}}},
            }})
        );
        let credential = Credentials::ApplicationCredential {
            credential: named("ci", None),
            user: Some(Identity::Id("u1".to_owned())),
            secret: "s".into(),
        };
        assert_eq!(
            request_body(&credential, &Scope::System),
            json!({"auth": {"identity": {"methods": ["application_credential"],
                "application_credential": {"name": "ci", "user": {"id": "u1"}, "secret": "s"}}}})
        );
    }

    #[test]
    fn short_tokens_are_not_renewed_on_every_request() {
        assert_eq!(renewal_margin(SignedDuration::from_hours(1)), MARGIN);
        assert_eq!(renewal_margin(SignedDuration::from_mins(8)), SignedDuration::from_mins(2));
    }

    #[test]
    fn nothing_secret_is_in_the_debug_form() {
        let credentials = Credentials::Password { user: named("admin", None), password: "hunter2".into() };
        let keystone = Keystone::new(Url::parse("http://k:5000/").unwrap(), credentials, Scope::Unscoped);
        assert_eq!(format!("{keystone:?}"), "Keystone(http://k:5000/)");
    }
}
