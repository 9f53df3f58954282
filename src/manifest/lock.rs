//! images.lock.toml: every family pinned to one exact version.
//!
//! The problem: a plan that was reviewed on Monday must find the same bytes on Friday, and people must be able to read
//! in a pull request what has moved. The idea: one `[[version]]` a family, sorted, with nothing in it that changes
//! without the bytes changing; the file is written whole, so the same versions are always the same bytes. What this
//! does not solve: whether the bytes are still there. The digests say whether they are still the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use super::codes::Code;
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader::{Table, Value};
use super::values::UrlUse;
use super::{files, syntax};
use crate::model::digest::{Algorithm, Digest, Digests};
use crate::model::name::{FamilyName, VersionName};
use crate::model::source::Architecture;
use crate::model::version::{
    Compression, DetachedSignature, DiskFormat, Origin, PackageDialect, PackageList, Trust, Version,
};

/// A version and the processor it was chosen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The family's architecture when it was locked; a family that has changed its own is not locked any more.
    pub architecture: Architecture,
    /// The version.
    pub version: Version,
}

/// A whole images.lock.toml.
pub type Lock = BTreeMap<FamilyName, Locked>;

/// Reads images.lock.toml.
///
/// # Errors
/// Every mistake of the file, in its order.
pub fn load(path: &Path) -> Result<Lock, Vec<Diagnostic>> {
    let text = files::open(path)?;
    read(&path.display().to_string(), text)
}

/// Reads the text of an images.lock.toml called `name`.
///
/// # Errors
/// Every mistake of the text, in its order.
pub fn read(name: &str, text: String) -> Result<Lock, Vec<Diagnostic>> {
    let file = Arc::new(SourceFile { name: name.to_owned(), text });
    syntax::walk(&file, Path::new("."), "images.lock.toml", read_versions).map(|(lock, _)| lock)
}

const HEADER: &str = "\
# Written by `gallerist lock`; the exact version of every family. Commit it, review it, do not edit it:
# to hold or skip a version, use `pin` and `skip` in images.toml.
";

/// The text of images.lock.toml. Versions that are files of this machine are left out: images.toml already names them
/// exactly.
///
/// # Errors
/// A value that TOML cannot hold: a size beyond 63 bits.
pub fn write(lock: &Lock) -> Result<String, toml::ser::Error> {
    let version = lock.iter().filter_map(|(family, locked)| Row::new(family, locked)).collect::<Vec<_>>();
    let body = if version.is_empty() { String::new() } else { toml::to_string(&Rows { version })? };
    Ok(format!("{HEADER}\n{body}"))
}

#[derive(Serialize)]
struct Rows<'a> {
    version: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    family: &'a str,
    architecture: &'static str,
    version: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha512: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_sha512: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    built: Option<Date>,
    compression: &'static str,
    disk_format: &'static str,
    trust: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<PackageRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureRow<'a>>,
}

#[derive(Serialize)]
struct SignatureRow<'a> {
    fingerprint: &'a str,
    signature: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct PackageRow<'a> {
    url: &'a str,
    dialect: &'static str,
}

impl<'a> Row<'a> {
    fn new(family: &'a FamilyName, locked: &'a Locked) -> Option<Self> {
        let version = &locked.version;
        let Origin::Url(url) = &version.origin else { return None };
        let digits = |digests: Option<&'a Digests>, algorithm| Some(digests?.of(algorithm)?.hexadecimal());
        Some(Self {
            family: family.as_str(),
            architecture: locked.architecture.name(),
            version: version.name.as_str(),
            url,
            sha256: digits(Some(&version.published), Algorithm::Sha256),
            sha512: digits(Some(&version.published), Algorithm::Sha512),
            stored_sha256: digits(version.stored.as_ref(), Algorithm::Sha256),
            stored_sha512: digits(version.stored.as_ref(), Algorithm::Sha512),
            size: version.size,
            built: version.built,
            compression: version.compression.name(),
            disk_format: version.disk_format.name(),
            trust: version.trust.to_string(),
            signature: version
                .signature
                .as_ref()
                .map(|DetachedSignature { fingerprint, signature, key }| SignatureRow { fingerprint, signature, key }),
            packages: version
                .packages
                .as_ref()
                .map(|packages| PackageRow { url: &packages.url, dialect: dialect_word(packages.dialect) }),
        })
    }
}

const DIALECTS: [PackageDialect; 3] =
    [PackageDialect::UbuntuManifest, PackageDialect::DebianBuild, PackageDialect::FlatcarPackages];

const fn dialect_word(dialect: PackageDialect) -> &'static str {
    match dialect {
        PackageDialect::UbuntuManifest => "ubuntu-manifest",
        PackageDialect::DebianBuild => "debian-build",
        PackageDialect::FlatcarPackages => "flatcar-packages",
    }
}

fn read_versions(mut root: Table<'_>) -> Option<Lock> {
    let versions = match root.take("version") {
        Some(value) => value.list()?,
        None => Vec::new(),
    };
    root.finish();
    let mut lock = Lock::new();
    for element in versions {
        let Some(mut table) = element.table("a locked version") else { continue };
        let family_value = table.need("family");
        let family = family_value.and_then(|value| value.name(FamilyName::parse));
        let locked = read_version(&mut table);
        table.finish();
        let (Some(family), Some(place)) = (family, family_value) else { continue };
        if lock.contains_key(&family) {
            place.context.report(
                place
                    .diagnostic(Code::Twice, format!("`{family}` is locked twice"))
                    .label("locked before in this file"),
            );
        }
        if let Some(locked) = locked {
            lock.insert(family, locked);
        }
    }
    Some(lock)
}

fn read_version(table: &mut Table<'_>) -> Option<Locked> {
    let architecture = table.need("architecture").and_then(|value| value.word(Architecture::ALL, Architecture::name));
    let name = table.need("version").and_then(|value| value.name(VersionName::parse));
    let url = table.need("url").and_then(read_url);
    let [sha256, sha512, stored_sha256, stored_sha512] = [
        ("sha256", Algorithm::Sha256),
        ("sha512", Algorithm::Sha512),
        ("stored_sha256", Algorithm::Sha256),
        ("stored_sha512", Algorithm::Sha512),
    ]
    .map(|(key, algorithm)| table.take(key).map(|value| value.digest(algorithm)));
    if sha256.is_none() && sha512.is_none() {
        table.context.report(
            table
                .context
                .diagnostic(Code::NoDigest, table.span(), "a version is locked without a checksum")
                .label("needs `sha256` or `sha512`"),
        );
    }
    let digests = |found: [Option<Option<Digest>>; 2]| Digests::new(found.into_iter().flatten().flatten());
    let size =
        table.take("size").and_then(|value| value.whole("a whole number of bytes", 0..=i64::MAX.cast_unsigned()));
    let built = table.take("built").and_then(|value| value.date());
    let compression = table.need("compression").and_then(|value| value.word(&Compression::ALL, Compression::name));
    let disk_format = table.need("disk_format").and_then(|value| value.word(&DiskFormat::ALL, DiskFormat::name));
    let trust = table.need("trust").and_then(read_trust);
    let signature = table.take("signature").and_then(read_signature);
    let packages = table.take("packages").and_then(read_packages);
    Some(Locked {
        architecture: architecture?,
        version: Version {
            name: name?,
            origin: Origin::Url(url?),
            published: digests([sha256, sha512])?,
            stored: digests([stored_sha256, stored_sha512]),
            size,
            compression: compression?,
            disk_format: disk_format?,
            built,
            trust: trust?,
            signature,
            packages,
        },
    })
}

/// A URL as written: put into its normal form it would be another text at the next `lock`.
fn read_url(value: Value<'_>) -> Option<String> {
    value.url(UrlUse::File)?;
    value.text().map(str::to_owned)
}

fn read_signature(value: Value<'_>) -> Option<DetachedSignature> {
    let mut table = value.table("a signature")?;
    let [fingerprint, signature, key] =
        ["fingerprint", "signature", "key"].map(|key| Some(table.need(key)?.text()?.to_owned()));
    table.finish();
    Some(DetachedSignature { fingerprint: fingerprint?, signature: signature?, key: key? })
}

fn read_trust(value: Value<'_>) -> Option<Trust> {
    let text = value.text()?;
    let fingerprint = text.strip_prefix("signed:").filter(|fingerprint| {
        (16..=64).contains(&fingerprint.len())
            && fingerprint.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    });
    let plain = [Trust::Https, Trust::Declared, Trust::Unverified];
    let trust = fingerprint
        .map(|fingerprint| Trust::Signed { fingerprint: fingerprint.to_owned() })
        .or_else(|| plain.into_iter().find(|trust| trust.to_string() == text));
    if trust.is_none() {
        value.context.report(
            value
                .diagnostic(Code::NotAllowed, "this is no word for what vouches for a version")
                .label("one of: signed:<FINGERPRINT>, https, declared, none"),
        );
    }
    trust
}

fn read_packages(value: Value<'_>) -> Option<PackageList> {
    let mut table = value.table("a package list")?;
    let url = table.need("url").and_then(read_url);
    let dialect = table.need("dialect").and_then(|value| value.word(&DIALECTS, dialect_word));
    table.finish();
    Some(PackageList { url: url?, dialect: dialect? })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jiff::civil::date;

    pub(in crate::manifest) fn lock() -> Lock {
        let digest = |algorithm: Algorithm, digit: &str| {
            Digest::from_hexadecimal(algorithm, &digit.repeat(algorithm.bytes() * 2)).unwrap()
        };
        let version = |name: &str, compression, stored| Version {
            name: VersionName::parse(name).unwrap(),
            origin: Origin::Url(format!("https://x.example/{name}.qcow2?a=\"b")),
            published: Digests::new([digest(Algorithm::Sha256, "a"), digest(Algorithm::Sha512, "b")]).unwrap(),
            stored,
            size: Some(12_345),
            compression,
            disk_format: DiskFormat::Qcow2,
            built: Some(date(2026, 10, 15)),
            trust: Trust::Signed { fingerprint: "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81".to_owned() },
            signature: None,
            packages: Some(PackageList {
                url: "https://x.example/packages".to_owned(),
                dialect: PackageDialect::DebianBuild,
            }),
        };
        let family = |name: &str| FamilyName::parse(name).unwrap();
        let coreos = Version {
            signature: Some(DetachedSignature {
                fingerprint: "36F612DCF27F7D1A48A835E4DBFCF71C6D9F90A6".to_owned(),
                signature: "-----BEGIN PGP SIGNATURE-----\n\nwsAz\n=BPrE\n".to_owned(),
                key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n".to_owned(),
            }),
            ..version("44.1", Compression::Xz, Some(digest(Algorithm::Sha256, "c").into()))
        };
        let bare = Version {
            origin: Origin::Url("https://x.example/y".to_owned()),
            size: None,
            built: None,
            signature: None,
            packages: None,
            trust: Trust::Https,
            published: digest(Algorithm::Sha512, "d").into(),
            ..version("1", Compression::None, None)
        };
        Lock::from([
            (family("fedora-coreos"), Locked { architecture: Architecture::X86_64, version: coreos }),
            (family("bare"), Locked { architecture: Architecture::Aarch64, version: bare }),
        ])
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = write(&lock()).unwrap();
        let back = read("images.lock.toml", text).unwrap();
        assert_eq!(back, lock());
        assert_eq!(read("images.lock.toml", write(&Lock::new()).unwrap()).unwrap(), Lock::new());
    }

    #[test]
    fn files_of_this_machine_are_not_locked() {
        let mut lock = lock();
        for locked in lock.values_mut() {
            locked.version.origin = Origin::File("/somewhere".into());
        }
        assert_eq!(write(&lock).unwrap(), write(&Lock::new()).unwrap());
    }

    #[test]
    fn mistakes_are_found_at_their_place() {
        let good = write(&lock()).unwrap();
        for (from, to, code, line) in [
            ("family = \"bare\"", "family = \"fedora-coreos\"", "E0111", 15),
            ("trust = \"https\"", "trust = \"signed:zz\"", "E0104", 12),
            ("sha512 = \"ddd", "sha512 = \"d", "E0122", 9),
            ("sha512 = \"ddd", "sha_512 = \"ddd", "E0120", 4),
            ("dialect = \"debian-build\"", "dialect = \"debian\"", "E0104", 30),
            ("compression = \"xz\"", "compresion = \"xz\"", "E0102", 24),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from} in\n{good}");
            let found = read("images.lock.toml", text.clone()).unwrap_err();
            assert_eq!((found[0].code.name(), found[0].start().line), (code, line), "{text}");
        }
    }
}
