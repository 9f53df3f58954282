//! The send layer against a small server that fails on demand.

use std::collections::VecDeque;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response as HttpResponse};

use super::*;
use crate::openstack::clouds::{Credentials, Scope, Verification};
use crate::openstack::glance::{Filter, Glance, Seen};

/// Answers in the order they are given, and what was asked for. Every login gives another token.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<(u16, Option<&'static str>, String)>>,
    asked: Mutex<Vec<String>>,
    logins: AtomicU64,
}

async fn login(State(script): State<Arc<Script>>) -> HttpResponse {
    let number = script.logins.fetch_add(1, Ordering::SeqCst) + 1;
    (StatusCode::CREATED, [("x-subject-token", format!("token-{number}"))], r#"{"token": {"catalog": []}}"#)
        .into_response()
}

async fn any(State(script): State<Arc<Script>>, uri: Uri, headers: HeaderMap) -> HttpResponse {
    let token = headers.get("x-auth-token").and_then(|token| token.to_str().ok()).unwrap_or("none");
    script.asked.lock().unwrap().push(format!("{uri} {token}"));
    let (status, retry_after, body) = script.answers.lock().unwrap().pop_front().unwrap_or((404, None, String::new()));
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.parse().unwrap());
    }
    response
}

async fn service(answers: &[(u16, Option<&'static str>, &str)]) -> (Endpoint, Arc<Script>) {
    let script = Arc::new(Script::default());
    script
        .answers
        .lock()
        .unwrap()
        .extend(answers.iter().map(|(status, after, body)| (*status, *after, (*body).to_owned())));
    let router = Router::new()
        .route("/v3/auth/tokens", axum::routing::post(login))
        .fallback(any)
        .with_state(Arc::clone(&script));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let keystone = Keystone::new(url.clone(), Credentials::Token("t".into()), Scope::Unscoped);
    let tls = Tls { verification: Verification::Full, authorities: None, certificate: None };
    let transport = Transport::log_in(keystone, &tls).await.unwrap();
    (Endpoint::new(transport, Service::Glance, url, "v2"), script)
}

fn asked(script: &Script) -> Vec<String> {
    script.asked.lock().unwrap().clone()
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_repeated() {
    let (endpoint, script) = service(&[(401, None, ""), (200, None, "{}")]).await;
    endpoint.send(Request::new(Method::POST, "images")).await.unwrap();
    assert_eq!(asked(&script), ["/v2/images token-1", "/v2/images token-2"]);
    script.answers.lock().unwrap().extend([(401, None, String::new()), (401, None, String::new())]);
    let error = endpoint.send(Request::get("images")).await.err().unwrap();
    assert_eq!((error.kind(), asked(&script).len()), (ErrorKind::Unauthorized, 4));
    assert!(!error.to_string().contains("token-"), "{error}");
}

#[tokio::test]
async fn many_callers_with_one_refused_token_log_in_once() {
    let (endpoint, script) = service(&[]).await;
    let transport = &endpoint.transport;
    let refused = HeaderValue::from_static("token-1");
    let renewals = (0..20).map(|_| transport.keystone.renewed(transport.api.inner(), &refused));
    assert!(futures_util::future::join_all(renewals).await.iter().all(Result::is_ok));
    assert_eq!(script.logins.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_the_service_asks_to_repeat_is_repeated_also_when_it_is_a_write() {
    let (endpoint, script) = service(&[(429, Some("0"), ""), (503, Some("0"), ""), (200, None, "{}")]).await;
    endpoint.send(Request::new(Method::PATCH, "images/a")).await.unwrap();
    assert_eq!(asked(&script).len(), 3);
}

#[tokio::test]
async fn a_failed_read_is_repeated_and_a_failed_write_is_not() {
    let (endpoint, script) = service(&[(500, None, ""), (200, None, "{}"), (500, None, "x"), (503, None, "x")]).await;
    endpoint.send(Request::get("images")).await.unwrap();
    for status in [500, 503] {
        let error = endpoint.send(Request::new(Method::POST, "images")).await.err().unwrap();
        assert_eq!((error.kind(), error.status), (ErrorKind::Server, Some(status)));
    }
    assert_eq!(asked(&script).len(), 4);
    assert_eq!(endpoint.transport.requests(), 4);
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_malformed() {
    let (endpoint, _) = service(&[(200, None, "<html>")]).await;
    let error = endpoint.send(Request::get("images")).await.unwrap().json::<Value>().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn redirects_do_not_carry_the_token_away() {
    let (endpoint, script) = service(&[(302, None, "")]).await;
    let error = endpoint.send(Request::get("images")).await.err().unwrap();
    assert_eq!((error.kind(), asked(&script).len()), (ErrorKind::Refused, 1));
}

#[tokio::test]
async fn listings_are_read_to_the_end_filtered_again_and_must_have_one() {
    let page = |name: &str, next: Option<&str>| {
        let image = serde_json::json!({"id": name, "name": name, "status": "active", "visibility": "public"});
        serde_json::json!({"images": [image], "next": next}).to_string()
    };
    let (one, two) = (page("one", Some("/v2/images?marker=one")), page("two", None));
    let (endpoint, script) = service(&[(200, None, &one), (200, None, &two)]).await;
    let glance = Glance::new(endpoint);
    let filter = Filter { names: vec!["two".to_owned()], ..Filter::new(Seen::All) };
    let found = glance.list(&filter).await.unwrap();
    assert_eq!(found.into_values().map(|image| image.attributes.name).collect::<Vec<_>>(), ["two"]);
    assert!(asked(&script)[1].contains("&name=in") && asked(&script)[1].contains("marker=one"));

    script.answers.lock().unwrap().extend([(200, None, one.clone()), (200, None, one)]);
    assert_eq!(glance.list(&filter).await.err().unwrap().kind(), ErrorKind::Malformed);
}

#[test]
fn only_urls_without_a_version_get_one() {
    for (url, root) in [
        ("http://h:9292", "http://h:9292/v2/images"),
        ("http://h/image/", "http://h/image/v2/images"),
        ("http://h/image/v2/", "http://h/image/v2/images"),
        ("http://h/v2.1/project", "http://h/v2.1/project/images"),
        ("http://h/volume", "http://h/volume/v2/images"),
    ] {
        assert_eq!(join(&versioned(Url::parse(url).unwrap(), "v2"), "images").as_str(), root);
    }
}
