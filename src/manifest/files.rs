//! Files that images.toml names, and images.toml itself.
//!
//! The problem: whoever opens a pull request writes paths that a runner with credentials will later read and upload;
//! `/etc/shadow`, `../..` and a symbolic link would each publish what is not theirs. The idea: a path is relative, has
//! no `..`, and what it leads to after all links lies inside the folder of images.toml. What this does not solve: a
//! link that is put there after the check. Whoever can do that already writes to the runner.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::codes::Code;
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader::{Value, shown};

/// No file that people write is larger.
const LARGEST: u64 = 4 << 20;

/// What a path must lead to now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// A file that can be read.
    Needed,
    /// Nothing yet: it may be built later.
    Later,
}

/// Why a file could not be read, and what to do.
struct Unreadable {
    problem: String,
    help: &'static str,
}

/// The folder of a file, as a path that can be opened.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads a file that people write: bounded, UTF-8, without a byte order mark.
pub(super) fn open(path: &Path) -> Result<String, Vec<Diagnostic>> {
    read_text(path).map_err(|unreadable| {
        let name = path.display().to_string();
        let detail = format!("`{}` cannot be read: {}", shown(&name), unreadable.problem);
        let file = Arc::new(SourceFile { name, text: String::new() });
        vec![Diagnostic::new(Code::Unreadable, &file, 0..0, detail).help(unreadable.help)]
    })
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    let unreadable = |problem: String, help| Unreadable { problem, help };
    let refused = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            unreadable(
                "there is no such file".to_owned(),
                "run in the folder of images.toml, name it with `-c PATH`, or write one with `gallerist init`",
            )
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            unreadable("the file may not be read".to_owned(), "let the user who runs gallerist read it")
        } else {
            unreadable(error.to_string(), "name a file that can be read")
        }
    };
    let metadata = fs::metadata(path).map_err(refused)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "this is a folder" } else { "this is not a regular file" };
        return Err(unreadable(what.to_owned(), "name the file itself"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(refused)?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(
            format!("the file is larger than {} MiB", LARGEST >> 20),
            "a catalogue of a thousand families has less than one; is this the right file?",
        ));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable(
            "the file begins with a byte order mark".to_owned(),
            "save it as plain UTF-8, without byte order mark",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        unreadable(format!("the file is not UTF-8: line {line} has other bytes"), "save it as UTF-8")
    })
}

impl Value<'_> {
    /// A path inside the folder of images.toml, made absolute or at least relative to the working directory.
    pub(super) fn contained_file(&self, presence: Presence) -> Option<PathBuf> {
        let text = self.filled()?;
        let path = Path::new(text);
        let escape = |label: &str| {
            self.context.report(
                self.diagnostic(
                    Code::OutsideFolder,
                    format!("`{}` leads outside the folder of images.toml", shown(text)),
                )
                .label(label)
                .note("a pull request could otherwise publish any file of the machine that runs gallerist")
                .help("put the file beside images.toml, or below"),
            );
        };
        for component in path.components() {
            match component {
                Component::Prefix(_) | Component::RootDir => {
                    escape("an absolute path");
                    return None;
                }
                Component::ParentDir => {
                    escape("`..` is not allowed in a path");
                    return None;
                }
                Component::CurDir | Component::Normal(_) => {}
            }
        }
        let whole = self.context.folder.join(path);
        let inside = match (whole.canonicalize(), self.context.folder.canonicalize()) {
            (Ok(whole), Ok(folder)) => whole.starts_with(folder),
            (Err(error), _) | (_, Err(error)) => {
                let may_come =
                    presence == Presence::Later && error.kind() == io::ErrorKind::NotFound && !whole.is_symlink();
                self.context.report(if may_come {
                    self.diagnostic(Code::FileNotThere, format!("`{}` is not there yet", shown(text)))
                        .label("plan and apply will need it")
                } else {
                    self.diagnostic(Code::NoSuchFile, format!("`{}` cannot be read", shown(text)))
                        .label(error.to_string())
                });
                return Some(whole);
            }
        };
        if !inside {
            escape("a symbolic link on the way leads out");
            return None;
        }
        if !whole.is_file() {
            let detail = format!("`{}` is not a regular file", shown(text));
            self.context.report(self.diagnostic(Code::NoSuchFile, detail).label("a folder or a device"));
            return None;
        }
        Some(whole)
    }
}
