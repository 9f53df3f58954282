//! What the whole reader does with whole files: broken ones, right ones, hostile ones.

mod broken;
mod hostile;
mod right;
mod schema;

use std::fs;
use std::path::Path;

use super::contents::Manifest;
use super::diagnostic::Diagnostic;
use crate::model::name::FamilyName;

const CATALOGUE: &str = "[catalogue]\nname = \"test\"\n";
const IMAGE: &str =
    "[[image]]\nfamily = \"rocky-9\"\nname = \"Rocky Linux 9\"\nsource = { distro = \"rocky\", release = \"9\" }\n";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/ubuntu-cloudimg.asc"), "key").unwrap();
    fs::write(folder.path().join("my-image.qcow2"), "QFI").unwrap();
    folder
}

fn read(text: &str) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    super::read("images.toml", text.to_owned(), folder().path())
}

fn found(text: &str) -> Vec<Diagnostic> {
    read(text).map_or_else(|found| found, |(_, warnings)| warnings)
}

fn valid(text: &str) -> Manifest {
    match read(text) {
        Ok((manifest, warnings)) => {
            assert_eq!(warnings, [], "{}", listed(&warnings));
            schema::fits(text);
            manifest
        }
        Err(found) => panic!("{}", listed(&found)),
    }
}

/// A fragment made a whole file: what it leaves out goes behind it, so that lines keep their numbers.
fn completed(fragment: &str) -> String {
    if fragment.starts_with("## A whole file") {
        return fragment.to_owned();
    }
    let mut text = format!("{fragment}\n");
    if !fragment.contains("[catalogue]") {
        text.push_str(CATALOGUE);
    }
    if !fragment.contains("[[image]]") {
        text.push_str(IMAGE);
    }
    text
}

/// The diagnostics in short, for a test that has failed.
fn listed(found: &[Diagnostic]) -> String {
    let line = |mistake: &Diagnostic| {
        let start = mistake.start();
        format!("{} {}:{} {} ({})\n", mistake.code, start.line, start.column, mistake.detail, mistake.label)
    };
    found.iter().map(line).collect()
}

fn family<'a>(manifest: &'a Manifest, name: &str) -> &'a super::FamilySpec {
    &manifest.families[&FamilyName::parse(name).unwrap()]
}
