//! A publisher's host for tests: files from memory or from a folder, with directory listings as Apache writes them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use pgp::composed::{ArmorOptions, KeyType};
use pgp::types::KeyVersion;
use rpgpie::certificate::Certificate;
use rpgpie::detached;
use rpgpie::tsk::Tsk;
use url::Url;

use super::fetch::{Fetch, Patience};
use super::{Ask, Settings};
use crate::model::source::{Architecture, Distro, LeastTrust};

/// What a host serves: path to content.
#[derive(Debug, Clone, Default)]
pub(super) struct Files(pub(super) Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Files {
    pub(super) fn new<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Self {
        let files = files.into_iter().map(|(path, content)| (path.to_owned(), content)).collect();
        Self(Arc::new(Mutex::new(files)))
    }

    pub(super) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.0.lock().unwrap().insert(path.to_owned(), content.into());
    }

    pub(super) fn remove(&self, path: &str) {
        self.0.lock().unwrap().remove(path);
    }

    fn answer(&self, path: &str) -> Response {
        let files = self.0.lock().unwrap();
        if let Some(content) = files.get(path) {
            return ([(header::CONTENT_TYPE, "application/octet-stream")], content.clone()).into_response();
        }
        let names: Vec<String> = files
            .keys()
            .filter_map(|name| name.strip_prefix(path))
            .map(|rest| rest.split_once('/').map_or_else(|| rest.to_owned(), |(folder, _)| format!("{folder}/")))
            .collect();
        listing(path, names)
    }
}

fn listing(path: &str, mut names: Vec<String>) -> Response {
    names.sort();
    names.dedup();
    if names.is_empty() || !path.ends_with('/') {
        return StatusCode::NOT_FOUND.into_response();
    }
    let rows: Vec<String> =
        names.iter().map(|name| format!("<tr><td><a href=\"{name}\">{name}</a></td></tr>")).collect();
    let rows = rows.join("\n");
    Html(format!("<!DOCTYPE HTML>\n<html><h1>Index of {path}</h1><a href=\"?C=N;O=D\">Name</a>{rows}</html>"))
        .into_response()
}

fn from_folder(root: &std::path::Path, path: &str) -> Response {
    let place = root.join(path.trim_start_matches('/'));
    if let Ok(content) = std::fs::read(&place) {
        return content.into_response();
    }
    let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() { format!("{name}/") } else { name }
    };
    listing(path, entries.map(name).collect())
}

/// Serves on loopback until the test's runtime ends.
pub(super) async fn serve(answer: impl Fn(Request) -> Response + Clone + Send + Sync + 'static) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().fallback(move |request: Request| std::future::ready(answer(request)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

pub(super) async fn serve_files(files: &Files) -> Url {
    let files = files.clone();
    serve(move |request| files.answer(request.uri().path())).await
}

pub(super) async fn serve_folder(root: PathBuf) -> Url {
    serve(move |request| from_folder(&root, request.uri().path())).await
}

pub(super) fn hasty() -> Patience {
    Patience { retries: 2, pause: Duration::from_millis(1), ..Patience::default() }
}

pub(super) fn fetch() -> Fetch {
    Fetch::new(None, hasty()).unwrap()
}

pub(super) fn ask(distro: Distro, release: &str, architecture: Architecture) -> Ask {
    let release = (!release.is_empty()).then(|| release.to_owned());
    Ask { distro, release, variant: None, architecture, depth: 1 }
}

pub(super) fn settings(mirror: &Url, keys: Option<Vec<u8>>, least: Option<LeastTrust>) -> Settings {
    Settings { mirror: Some(mirror.clone()), keys: keys.map(|key| vec![key]), least }
}

/// A key that exists for one test.
pub(super) fn throw_away_key() -> Tsk {
    let name = Some("test".to_owned());
    Tsk::generate(KeyVersion::V4, KeyType::Ed25519Legacy, None, name, Vec::new(), None).unwrap()
}

pub(super) fn public_key(key: &Tsk) -> Vec<u8> {
    let mut file = Vec::new();
    Certificate::from(key.clone()).save(true, &mut file).unwrap();
    file
}

pub(super) fn detached_by(key: &Tsk, data: &[u8], armored: bool) -> Vec<u8> {
    let signatures =
        detached::sign(data, std::slice::from_ref(key), &[], rpgpie::message::SignatureMode::Binary).unwrap();
    let mut file = Vec::new();
    rpgpie::signature::save(&signatures, armored, &mut file).unwrap();
    file
}

pub(super) fn clear_signed_by(key: &Tsk, text: &str) -> String {
    let message = rpgpie::csf::sign(text.as_bytes(), std::slice::from_ref(key), &[]).unwrap();
    message.to_armored_string(ArmorOptions::default()).unwrap()
}
