//! Every publisher against small files in its own format: what is found, what is refused, and that nothing which a
//! server could answer brings a reader down.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rpgpie::tsk::Tsk;

use super::signature::Distrust;
use super::testing::{
    Files, ask, clear_signed_by, detached_by, fetch, public_key, serve_files, settings, throw_away_key,
};
use super::{Ask, UpstreamError, Version, newest};
use crate::model::source::{
    Architecture::{Aarch64, X86_64},
    Distro, LeastTrust,
};
use crate::model::version::{Compression, Trust};

/// How a publisher signs one of its files.
#[derive(Clone, Copy)]
enum Signs {
    /// The file is replaced by a clear-signed one of this name.
    Clear(&'static str),
    /// A signature lies beside it under this name.
    Beside(&'static str),
}

/// A publisher's host with the newest build and an older one, and what must be found there.
struct Host {
    ask: Ask,
    files: BTreeMap<String, String>,
    /// The list that states digests, and how it is signed.
    list: &'static str,
    signs: Option<Signs>,
    newest: &'static str,
    image: &'static str,
}

fn hex(fill: char, digits: usize) -> String {
    fill.to_string().repeat(digits)
}

fn host(ask: Ask, list: &'static str, newest: &'static str, image: &'static str, files: &[(&str, String)]) -> Host {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
    Host { ask, files, list, signs: None, newest, image }
}

fn signed(host: Host, signs: Signs) -> Host {
    Host { signs: Some(signs), ..host }
}

fn simplestreams(products: &str, label: &str, base: &str) -> String {
    let item = |serial: &str, fill| {
        format!(
            r#""{serial}": {{"label": "{label}", "items": {{
                "disk1.img": {{"ftype": "disk1.img", "path": "{base}noble/release-{serial}/x-{serial}.img",
                    "sha256": "{}", "size": 1000, "md5": "0"}},
                "manifest": {{"ftype": "manifest", "path": "{base}noble/release-{serial}/x.manifest"}},
                "lxd.tar.xz": {{"path": "{base}noble/release-{serial}/x-{serial}.img", "sha256": "{}"}}}}}}"#,
            hex(fill, 64),
            hex('f', 64)
        )
    };
    let beta = item("20260901", 'e').replace(label, "beta1");
    let versions = [item("20260725.1", 'a'), item("20260725", 'b'), item("20260705", 'c'), beta].join(",");
    format!(
        r#"{{"format": "products:1.0", "products": {{
            "{products}24.04:amd64": {{"versions": {{{versions}}}}},
            "{products}24.04:amd64v3": {{"versions": {{}}}}, "{products}22.04:amd64": 7}}}}"#
    )
}

fn bsd(file: &str) -> String {
    format!("# {file}: 1000 bytes\nSHA256 ({file}) = {}\n", hex('a', 64))
}

fn hosts() -> Vec<Host> {
    let gnu = |file: &str, digits| format!("{}  {file}\n", hex('a', digits));
    let server = simplestreams("com.ubuntu.cloud:server:", "release", "server/releases/");
    let minimal = simplestreams("com.ubuntu.cloud:minimal:", "minimal release", "");
    let json = "/releases/streams/v1/com.ubuntu.cloud:released:download.json";
    let minimal_json = "/minimal/releases/streams/v1/com.ubuntu.cloud:released:download.json";
    let image = "/releases/server/releases/noble/release-20260725.1/x-20260725.1.img";
    let stream = format!(
        r#"{{"architectures": {{"x86_64": {{"artifacts": {{"openstack": {{"release": "44.20260707.3.1", "formats":
            {{"qcow2.xz": {{"disk": {{"location": "https://builds.coreos.fedoraproject.org/prod/x.qcow2.xz",
            "sha256": "{}", "uncompressed-sha256": "{}"}}}}}}}}}}}}, "riscv64": {{}}}}}}"#,
        hex('a', 64),
        hex('b', 64)
    );
    let debian = |serial: &str| {
        let file = format!("debian-12-genericcloud-amd64-{serial}");
        gnu(&format!("{file}.qcow2"), 128) + &gnu(&format!("{file}.json"), 128)
    };
    let flatcar = "flatcar_production_openstack_image.img";
    let digests = format!("# MD5 HASH\n{}# SHA512 HASH\n{}", gnu(flatcar, 32), gnu(flatcar, 128));
    let rocky =
        [bsd("Rocky-9-GenericCloud-Base-9.8-20260525.0.x86_64.qcow2"), bsd("Rocky-9-Azure.latest.x86_64.qcow2")]
            .concat()
            + &bsd("Rocky-9-GenericCloud-Base-9.8-20251123.2.x86_64.qcow2")
            + &bsd("Rocky-9-GenericCloud-Base.latest.x86_64.qcow2");
    let alma = gnu("AlmaLinux-9-GenericCloud-9.8-20260526.x86_64.qcow2", 64)
        + &gnu("AlmaLinux-9-GenericCloud-ext4-9.9-20260601.x86_64.qcow2", 64)
        + &gnu("AlmaLinux-9-GenericCloud-latest.x86_64.qcow2", 64);
    let centos = bsd("CentOS-Stream-GenericCloud-9-20260714.1.x86_64.qcow2")
        + &bsd("CentOS-Stream-GenericCloud-9-20260714.0.x86_64.qcow2")
        + &bsd("CentOS-Stream-GenericCloud-9-latest.x86_64.qcow2")
        + &bsd("CentOS-Stream-GenericCloud-x86_64-9-20260801.0.x86_64.qcow2");
    let leap = "Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2";
    let alpine = "nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2";
    let arch = "Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2";
    vec![
        signed(
            host(ask(Distro::Ubuntu, "24.04", X86_64), json, "20260725.1", image, &[(json, server.clone())]),
            Signs::Clear("/releases/streams/v1/com.ubuntu.cloud:released:download.sjson"),
        ),
        signed(
            host(ask(Distro::Ubuntu, "24.04", X86_64), json, "20260725.1", image, &[(json, server)]),
            Signs::Beside("/releases/streams/v1/com.ubuntu.cloud:released:download.json.gpg"),
        ),
        signed(
            host(
                ask(Distro::UbuntuMinimal, "24.04", X86_64),
                minimal_json,
                "20260725.1",
                "/minimal/releases/noble/release-20260725.1/x-20260725.1.img",
                &[(minimal_json, minimal)],
            ),
            Signs::Clear("/minimal/releases/streams/v1/com.ubuntu.cloud:released:download.sjson"),
        ),
        host(
            ask(Distro::Debian, "12", X86_64),
            "/images/cloud/bookworm/20260712-2537/SHA512SUMS",
            "20260712-2537",
            "/images/cloud/bookworm/20260712-2537/debian-12-genericcloud-amd64-20260712-2537.qcow2",
            &[
                ("/images/cloud/bookworm/20260712-2537/SHA512SUMS", debian("20260712-2537")),
                ("/images/cloud/bookworm/20260712-999/SHA512SUMS", debian("20260712-999")),
                ("/images/cloud/bookworm/20260801-2600/SHA512SUMS", gnu("debian-12-genericcloud-arm64-x.qcow2", 128)),
                ("/images/cloud/bookworm/daily/x", String::new()),
                ("/images/cloud/bookworm/latest/SHA512SUMS", gnu("debian-12-genericcloud-amd64.qcow2", 128)),
            ],
        ),
        host(
            ask(Distro::FedoraCoreos, "stable", X86_64),
            "/streams/stable.json",
            "44.20260707.3.1",
            "/prod/x.qcow2.xz",
            &[("/streams/stable.json", stream)],
        ),
        host(
            ask(Distro::Rocky, "9", X86_64),
            "/pub/rocky/9/images/x86_64/CHECKSUM",
            "9.8-20260525.0",
            "/pub/rocky/9/images/x86_64/Rocky-9-GenericCloud-Base-9.8-20260525.0.x86_64.qcow2",
            &[("/pub/rocky/9/images/x86_64/CHECKSUM", rocky)],
        ),
        signed(
            host(
                ask(Distro::Flatcar, "stable", Aarch64),
                "/arm64-usr/4593.2.5/flatcar_production_openstack_image.img.DIGESTS",
                "4593.2.5",
                "/arm64-usr/4593.2.5/flatcar_production_openstack_image.img",
                &[
                    ("/arm64-usr/4593.2.5/flatcar_production_openstack_image.img.DIGESTS", digests),
                    (
                        "/arm64-usr/current/version.txt",
                        "FLATCAR_VERSION_ID=4593.2.5\nFLATCAR_BUILD_ID=\"2026-08-11-2350\"\n".to_owned(),
                    ),
                    ("/releases-json/releases-stable.json", r#"{"4593.2.4": {"architectures": ["arm64"]}}"#.to_owned()),
                ],
            ),
            Signs::Clear("/arm64-usr/4593.2.5/flatcar_production_openstack_image.img.DIGESTS.asc"),
        ),
        signed(
            host(
                ask(Distro::Almalinux, "9", X86_64),
                "/almalinux/9/cloud/x86_64/images/CHECKSUM",
                "9.8-20260526",
                "/almalinux/9/cloud/x86_64/images/AlmaLinux-9-GenericCloud-9.8-20260526.x86_64.qcow2",
                &[("/almalinux/9/cloud/x86_64/images/CHECKSUM", alma)],
            ),
            Signs::Beside("/almalinux/9/cloud/x86_64/images/CHECKSUM.asc"),
        ),
        host(
            ask(Distro::CentosStream, "9", X86_64),
            "/centos/9-stream/x86_64/images/CHECKSUM",
            "20260714.1",
            "/centos/9-stream/x86_64/images/CentOS-Stream-GenericCloud-9-20260714.1.x86_64.qcow2",
            &[("/centos/9-stream/x86_64/images/CHECKSUM", centos)],
        ),
        signed(
            host(
                ask(Distro::FedoraCloud, "44", X86_64),
                "/pub/fedora/linux/releases/44/Cloud/x86_64/images/plain",
                "44-1.7",
                "/pub/fedora/linux/releases/44/Cloud/x86_64/images/Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2",
                &[(
                    "/pub/fedora/linux/releases/44/Cloud/x86_64/images/plain",
                    bsd("Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2"),
                )],
            ),
            Signs::Clear("/pub/fedora/linux/releases/44/Cloud/x86_64/images/Fedora-Cloud-44-1.7-x86_64-CHECKSUM"),
        ),
        signed(
            host(
                ask(Distro::OpensuseLeap, "16.0", Aarch64),
                "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2.sha256",
                "18.10",
                "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2",
                &[
                    (
                        "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2.sha256",
                        gnu(leap, 64),
                    ),
                    (
                        "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.9.qcow2.sha256",
                        gnu("other", 64),
                    ),
                ],
            ),
            Signs::Beside(
                "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2.sha256.asc",
            ),
        ),
        host(
            ask(Distro::Alpine, "3.23", X86_64),
            "/alpine/v3.23/releases/cloud/nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2.sha512",
            "3.23.4-r0",
            "/alpine/v3.23/releases/cloud/nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2",
            &[(&format!("/alpine/v3.23/releases/cloud/{alpine}.sha512"), hex('a', 128))],
        ),
        host(
            ask(Distro::Archlinux, "", X86_64),
            "/images/v20260715.556894/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2.SHA256",
            "20260715.556894",
            "/images/v20260715.556894/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2",
            &[
                (&format!("/images/v20260715.556894/{arch}.SHA256"), gnu(arch, 64)),
                ("/images/v20260701.1/x", String::new()),
                ("/images/latest/x", String::new()),
            ],
        ),
    ]
}

/// The host's files, its list signed by this key.
fn published(host: &Host, key: &Tsk) -> Files {
    let files = Files::new(host.files.iter().map(|(path, text)| (path.as_str(), text.clone().into_bytes())));
    let list = &host.files[host.list];
    match host.signs {
        Some(Signs::Clear(path)) => {
            files.remove(host.list);
            files.put(path, clear_signed_by(key, list));
        }
        Some(Signs::Beside(path)) => files.put(path, detached_by(key, list.as_bytes(), path.ends_with(".asc"))),
        None => {}
    }
    files
}

async fn found(
    host: &Host,
    files: &Files,
    key: &Tsk,
    least: Option<LeastTrust>,
) -> Result<Vec<Version>, UpstreamError> {
    let mirror = serve_files(files).await;
    newest(&host.ask, &settings(&mirror, Some(public_key(key)), least), &fetch()).await
}

fn distrust(result: Result<Vec<Version>, UpstreamError>) -> Option<Distrust> {
    match result {
        Err(UpstreamError::Distrusted { distrust, .. }) => Some(distrust),
        _ => None,
    }
}

#[tokio::test]
async fn the_newest_version_is_found_with_its_digest_and_what_vouches_for_it() {
    let key = throw_away_key();
    for host in hosts() {
        let least = host.signs.is_none().then_some(LeastTrust::None);
        let versions = found(&host, &published(&host, &key), &key, least).await.unwrap();
        let version = &versions[0];
        assert_eq!(version.name.as_str(), host.newest, "{}", host.ask);
        assert!(version.origin.to_string().ends_with(host.image), "{} {}", version.origin, host.image);
        assert!(version.published.iter().all(|digest| digest.hexadecimal().bytes().all(|digit| digit == b'a')));
        assert_eq!(matches!(version.trust, Trust::Signed { .. }), host.signs.is_some(), "{}", host.ask);
        assert_eq!(version.stored.is_some(), version.compression == Compression::Xz);
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_by_every_signing_publisher() {
    let (key, other) = (throw_away_key(), throw_away_key());
    for host in hosts().into_iter().filter(|host| host.signs.is_some()) {
        let refused = found(&host, &published(&host, &other), &key, None).await.unwrap_err().to_string();
        assert!(refused.contains("not one of the publisher's known keys"), "{}: {refused}", host.ask);
    }
}

#[tokio::test]
async fn an_altered_list_is_refused_by_every_signing_publisher_whatever_is_accepted() {
    let key = throw_away_key();
    for host in hosts().into_iter().filter(|host| host.signs.is_some()) {
        let files = published(&host, &key);
        let list = match host.signs {
            Some(Signs::Clear(path)) => path,
            Some(Signs::Beside(_)) | None => host.list,
        };
        let whole = String::from_utf8(files.0.lock().unwrap()[list].clone()).unwrap();
        files.put(list, whole.replacen("aaaa", "dddd", 1));
        for least in [None, Some(LeastTrust::None)] {
            let refused = distrust(found(&host, &files, &key, least).await);
            assert!(matches!(refused, Some(Distrust::Altered(_))), "{}: {refused:?}", host.ask);
        }
    }
}

#[tokio::test]
async fn a_missing_signature_is_refused_unless_less_is_accepted() {
    let key = throw_away_key();
    for host in hosts() {
        let Some(Signs::Beside(signature)) = host.signs else { continue };
        let files = published(&host, &key);
        files.remove(signature);
        let refused = found(&host, &files, &key, None).await.unwrap_err();
        assert!(matches!(&refused, UpstreamError::TooLittleTrust { .. }), "{refused}");
        let accepted = found(&host, &files, &key, Some(LeastTrust::None)).await.unwrap();
        assert_eq!(accepted[0].trust, Trust::Unverified);
    }
}

#[tokio::test]
async fn plain_http_needs_to_be_allowed() {
    let key = throw_away_key();
    for host in hosts().into_iter().filter(|host| host.signs.is_none()) {
        for least in [None, Some(LeastTrust::Https), Some(LeastTrust::Signed)] {
            let refused = found(&host, &published(&host, &key), &key, least).await.unwrap_err();
            assert!(matches!(&refused, UpstreamError::TooLittleTrust { .. }), "{refused}");
        }
    }
}

#[tokio::test]
async fn what_is_missing_is_told_with_what_there_is() {
    let key = throw_away_key();
    for (host, wanted) in hosts().iter().zip(["24.04 for amd64", "24.04 for amd64", "24.04 for amd64", "arm64"]) {
        let architecture = if wanted == "arm64" { X86_64 } else { Aarch64 };
        let mut other = ask(host.ask.distro, host.ask.release.as_deref().unwrap(), architecture);
        other.variant = (wanted == "arm64").then(|| "nothing".to_owned());
        let mirror = serve_files(&published(host, &key)).await;
        let settings = settings(&mirror, Some(public_key(&key)), Some(LeastTrust::None));
        let refused = newest(&other, &settings, &fetch()).await.unwrap_err();
        assert!(matches!(&refused, UpstreamError::Missing { .. }), "{refused}");
        assert!(refused.to_string().contains(wanted), "{refused}");
    }
}

#[tokio::test]
async fn a_location_on_another_host_is_refused() {
    let key = throw_away_key();
    let host = hosts().into_iter().find(|host| host.ask.distro == Distro::FedoraCoreos).unwrap();
    let files = published(&host, &key);
    for elsewhere in ["https://elsewhere.example", "http://builds.coreos.fedoraproject.org", "file://"] {
        let list = host.files[host.list].replace("https://builds.coreos.fedoraproject.org", elsewhere);
        files.put(host.list, list);
        let refused = found(&host, &files, &key, Some(LeastTrust::None)).await.unwrap_err();
        assert!(refused.to_string().contains("where the publisher's files are"), "{refused}");
    }
}

#[tokio::test]
async fn a_debian_mirror_that_lists_nothing_still_tells_its_newest_build() {
    let description = r#"{"items": [{"kind": "Build", "data": {"info": {"version": "20260712-2537"}}}]}"#;
    let key = throw_away_key();
    let host = hosts().into_iter().find(|host| host.ask.distro == Distro::Debian).unwrap();
    let list = host.files[host.list].clone();
    let mirror = super::testing::serve(move |request| {
        use axum::response::IntoResponse as _;
        match request.uri().path() {
            "/images/cloud/bookworm/latest/debian-12-genericcloud-amd64.json" => description.into_response(),
            "/images/cloud/bookworm/20260712-2537/SHA512SUMS" => list.clone().into_response(),
            _ => axum::http::StatusCode::NOT_FOUND.into_response(),
        }
    })
    .await;
    let settings = settings(&mirror, Some(public_key(&key)), Some(LeastTrust::None));
    let versions = newest(&host.ask, &settings, &fetch()).await.unwrap();
    assert_eq!(versions[0].name.as_str(), "20260712-2537");
    assert!(versions[0].packages.is_some());
}

/// What a hostile or broken server could do to a file.
#[derive(Debug, Clone)]
enum Harm {
    Replace(Vec<u8>),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
}

fn harm() -> impl Strategy<Value = Harm> {
    let pieces = prop::sample::select(vec!["{", "[", "\"", "null", "1e999", "\0", "../", "http:", "-----", "\u{feff}"]);
    prop_oneof![
        any::<Vec<u8>>().prop_map(Harm::Replace),
        any::<prop::sample::Index>().prop_map(Harm::Cut),
        (any::<prop::sample::Index>(), pieces.prop_map(|piece| piece.as_bytes().to_vec()))
            .prop_map(|(at, piece)| Harm::Insert(at, piece)),
    ]
}

#[test]
fn no_answer_of_a_server_brings_a_reader_down() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = throw_away_key();
    for host in hosts() {
        let whole = published(&host, &key);
        let mirror = runtime.block_on(serve_files(&whole));
        let settings = settings(&mirror, Some(public_key(&key)), Some(LeastTrust::None));
        let mut runner = prop::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
        let paths: Vec<String> = whole.0.lock().unwrap().keys().cloned().collect();
        runner
            .run(&(prop::sample::select(paths), harm()), |(path, harm)| {
                let before = whole.0.lock().unwrap()[&path].clone();
                let mut content = before.clone();
                match harm {
                    Harm::Replace(bytes) => content = bytes,
                    Harm::Cut(at) => content.truncate(at.index(before.len() + 1)),
                    Harm::Insert(at, piece) => {
                        let at = at.index(before.len() + 1);
                        content.splice(at..at, piece);
                    }
                }
                whole.put(&path, content);
                let result = runtime.block_on(newest(&host.ask, &settings, &fetch()));
                whole.put(&path, before);
                prop_assert!(result.is_err() || result.is_ok_and(|versions| !versions.is_empty()));
                Ok(())
            })
            .unwrap();
    }
}
