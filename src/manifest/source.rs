//! `source = { … }`: exactly one of a publisher's release, a URL, a file.

use std::path::Path;

use toml::de::DeValue;
use url::Url;

use super::codes::Code;
use super::contents::Source;
use super::files::Presence;
use super::reader::{Table, Value};
use super::values::UrlUse;
use crate::model::digest::{Algorithm, Digests};
use crate::model::name::VersionName;
use crate::model::source::Distro;
use crate::model::version::{Compression, DiskFormat};

/// The keys that choose a kind of source, each with those that go with it.
const KINDS: [(&str, &[&str]); 3] = [
    ("distro", &["release", "variant"]),
    ("url", &["version", "sha256", "sha512", "compression", "format", "built"]),
    ("file", &["version", "compression", "format", "built"]),
];

/// Digests that publishers print and that prove nothing.
const WEAK: [&str; 2] = ["md5", "sha1"];

/// Reads a source.
pub(super) fn read(value: Value<'_>) -> Option<Source> {
    let mut table = value.table("a source")?;
    let kinds: Vec<(&str, &[&str], Value<'_>)> =
        KINDS.iter().filter_map(|(key, others)| Some((*key, *others, table.take(key)?))).collect();
    let others: Vec<Value<'_>> =
        ["release", "variant", "version", "sha256", "sha512", "compression", "format", "built"]
            .into_iter()
            .filter_map(|key| table.take(key))
            .collect();
    for weak in WEAK.into_iter().filter_map(|key| table.take_refused(key)) {
        refuse_weak(weak);
    }
    let source = match kinds.as_slice() {
        [(kind, allowed, chosen)] => {
            for other in others.iter().filter(|other| !allowed.contains(&other.key())) {
                refuse_pair(*other, kind);
            }
            match *kind {
                "distro" => read_distro(*chosen, &mut table),
                "url" => read_url(*chosen, &mut table),
                _ => read_file(*chosen, &mut table),
            }
        }
        [] if KINDS.iter().any(|(key, _)| table.misspells(key)) => None,
        [] => {
            table.context.report(
                table
                    .context
                    .diagnostic(Code::SourceKind, table.span(), "the source does not say where the image comes from")
                    .label("needs `distro`, `url` or `file`"),
            );
            None
        }
        [(first, ..), others @ ..] => {
            for (_, _, other) in others {
                refuse_pair(*other, first);
            }
            None
        }
    };
    table.finish();
    source
}

fn refuse_pair(other: Value<'_>, kind: &str) {
    other.context.report(
        other
            .context
            .diagnostic(Code::SourceKind, other.key_span(), format!("`{}` does not go with `{kind}`", other.key()))
            .label(format!("this source is a `{kind}`")),
    );
}

fn refuse_weak(value: Value<'_>) {
    value.context.report(
        value
            .context
            .diagnostic(Code::WeakDigest, value.key_span(), format!("`{}` proves nothing any more", value.key()))
            .label("anyone can make a second file with this digest")
            .help("give `sha256` or `sha512`; where the publisher prints neither, compute it from a file you trust"),
    );
}

fn read_distro(distro: Value<'_>, table: &mut Table<'_>) -> Option<Source> {
    let chosen = distro.word(Distro::ALL, Distro::name);
    let release_value = table.take("release");
    let release = release_value.and_then(|value| value.path_word());
    let variant = table.take("variant").and_then(|value| value.path_word());
    let chosen = chosen?;
    match (chosen, release_value) {
        (Distro::Archlinux, Some(superfluous)) => {
            superfluous.context.report(
                superfluous
                    .context
                    .diagnostic(Code::SourceKind, superfluous.key_span(), "archlinux has no releases")
                    .label("leave this out"),
            );
            return None;
        }
        (Distro::Archlinux, None) => {}
        (_, Some(_)) => {
            release.as_ref()?;
        }
        (_, None) => {
            table.context.report(
                table
                    .context
                    .diagnostic(Code::SourceKind, table.span(), format!("which release of {chosen}?"))
                    .label("needs `release`")
                    .help("it is the publisher's own word: \"24.04\", \"12\", \"stable\""),
            );
            return None;
        }
    }
    Some(Source::Distro { distro: chosen, release, variant })
}

/// What both kinds of single files say of themselves.
struct Bytes {
    version: Option<VersionName>,
    compression: Compression,
    disk_format: DiskFormat,
    built: Option<jiff::civil::Date>,
}

fn read_bytes(file_name: &str, table: &mut Table<'_>) -> Bytes {
    let compression = table
        .take("compression")
        .and_then(|value| value.word(&Compression::ALL, Compression::name))
        .unwrap_or_else(|| Compression::from_file_name(file_name));
    Bytes {
        version: table.need("version").and_then(|value| value.name(VersionName::parse)),
        compression,
        disk_format: table
            .take("format")
            .and_then(|value| value.word(&DiskFormat::ALL, DiskFormat::name))
            .unwrap_or_else(|| format_from_file_name(file_name)),
        built: table.take("built").and_then(|value| value.date()),
    }
}

fn read_url(url: Value<'_>, table: &mut Table<'_>) -> Option<Source> {
    let parsed = url.url(UrlUse::File);
    let file_name = parsed.as_ref().and_then(Url::path_segments).and_then(Iterator::last).unwrap_or_default();
    let bytes = read_bytes(file_name, table);
    let digests: Vec<_> =
        [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| (algorithm, table.take(algorithm.name()))).into();
    if digests.iter().all(|(_, value)| value.is_none()) {
        let by_http = matches!(url.raw(), DeValue::String(text) if text.starts_with("http:"));
        let (detail, label) = if by_http {
            ("the image is fetched over http without a checksum", "anyone on the way can change this file")
        } else {
            ("the image is fetched without a checksum", "whoever holds the server can change this file")
        };
        table.context.report(
            url.diagnostic(Code::NoDigest, detail)
                .label(label)
                .help("add `sha256 = \"…\"` or `sha512 = \"…\"`, as the publisher prints it"),
        );
    }
    let digests = digests.into_iter().filter_map(|(algorithm, value)| value?.digest(algorithm));
    Some(Source::Url {
        digests: Digests::new(digests)?,
        url: parsed?,
        version: bytes.version?,
        compression: bytes.compression,
        disk_format: bytes.disk_format,
        built: bytes.built,
    })
}

fn read_file(file: Value<'_>, table: &mut Table<'_>) -> Option<Source> {
    let path = file.contained_file(Presence::Later);
    let file_name = path.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let bytes = read_bytes(file_name, table);
    Some(Source::File {
        version: bytes.version?,
        compression: bytes.compression,
        disk_format: bytes.disk_format,
        built: bytes.built,
        path: path?,
    })
}

/// What the end of a file's name says once a compression's ending is taken off; qcow2 where it says nothing, for that
/// is what nearly all publishers offer, and the bytes are inspected anyway.
fn format_from_file_name(name: &str) -> DiskFormat {
    let name = match Compression::from_file_name(name) {
        Compression::None => name,
        Compression::Xz | Compression::Bzip2 | Compression::Gzip | Compression::Zstd => {
            name.rsplit_once('.').map_or(name, |(stem, _)| stem)
        }
    };
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    DiskFormat::from_name(&ending).unwrap_or(DiskFormat::Qcow2)
}
