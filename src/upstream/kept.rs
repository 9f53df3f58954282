//! What an earlier run has read, on disk: one small JSON file with the server's validators, one with the bytes.
//!
//! The files are named after a digest of the URL. Both carry the digest of the bytes, so that a half-written pair is
//! no pair, and whatever cannot be read is treated as not there.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

/// What a server gave to recognise an unchanged file by.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Validators {
    /// `ETag`.
    pub(super) etag: Option<String>,
    /// `Last-Modified`.
    pub(super) modified: Option<String>,
}

/// A file as an earlier run has read it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) validators: Validators,
    pub(super) body: Arc<[u8]>,
}

#[derive(Serialize, Deserialize)]
struct Label {
    url: String,
    sha256: String,
    validators: Validators,
}

impl Kept {
    /// The file of that URL, if it is there and whole.
    pub(super) fn read(folder: &Path, url: &Url) -> Option<Self> {
        let (label, body) = paths(folder, url);
        let label: Label = serde_json::from_slice(&std::fs::read(label).ok()?).ok()?;
        let body = std::fs::read(body).ok()?;
        (label.url == url.as_str() && label.sha256 == hex::encode(Sha256::digest(&body)))
            .then(|| Self { validators: label.validators, body: body.into() })
    }

    /// Keeps the file for later runs.
    pub(super) fn write(&self, folder: &Path, url: &Url) -> io::Result<()> {
        let (label, body) = paths(folder, url);
        let text = serde_json::to_vec(&Label {
            url: url.to_string(),
            sha256: hex::encode(Sha256::digest(&self.body)),
            validators: self.validators.clone(),
        })?;
        std::fs::create_dir_all(folder)?;
        replace(&body, &self.body)?;
        replace(&label, &text)
    }
}

fn paths(folder: &Path, url: &Url) -> (PathBuf, PathBuf) {
    let name = hex::encode(Sha256::digest(url.as_str()));
    (folder.join(format!("{name}.json")), folder.join(format!("{name}.body")))
}

/// Another run may write the same file at the same time: each writes its own and the last rename stands.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.part", uuid::Uuid::new_v4()));
    let mut file = std::fs::File::create_new(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        std::fs::remove_file(&unfinished).ok();
    }
    written
}
