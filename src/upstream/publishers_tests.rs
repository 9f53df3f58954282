//! Every publisher against a small host of its own: what is found, what is refused, and that nothing which a server
//! could answer brings a reader down.

use proptest::prelude::*;
use rpgpie::tsk::Tsk;

use super::hosts::{Host, Signs, hosts, published};
use super::signature::{Distrust, Keyring};
use super::testing::{Files, ask, detached_by, fetch, public_key, serve_files, settings, throw_away_key};
use super::{UpstreamError, newest};
use crate::model::source::{
    Architecture::{Aarch64, X86_64},
    Distro, LeastTrust,
};
use crate::model::testing::{bounded, harm};
use crate::model::version::{Compression, Trust, Version};

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
async fn a_signature_over_the_image_is_as_good_as_one_over_its_digest() {
    let (key, other) = (throw_away_key(), throw_away_key());
    let host = hosts().into_iter().find(|host| host.ask.distro == Distro::FedoraCoreos).unwrap();
    let files = published(&host, &key);
    let signature = format!("{}.sig", host.image);
    files.put(&signature, detached_by(&key, b"image", false));
    let versions = found(&host, &files, &key, None).await.unwrap();
    let fingerprint = Keyring::load([public_key(&key).as_slice()]).unwrap().fingerprints().remove(0);
    assert_eq!(versions[0].assurance(), Trust::Signed { fingerprint });
    assert_eq!(versions[0].trust, Trust::Unverified, "of the digest, as long as nobody has seen the image");

    files.put(&signature, detached_by(&other, b"image", false));
    let refused = found(&host, &files, &key, None).await.unwrap_err().to_string();
    assert!(refused.contains("not one of the publisher's known keys"), "{refused}");
    assert!(found(&host, &files, &key, Some(LeastTrust::None)).await.unwrap()[0].signature.is_none());

    files.remove(&signature);
    let refused = found(&host, &files, &key, None).await.unwrap_err();
    assert!(matches!(&refused, UpstreamError::TooLittleTrust { .. }), "{refused}");
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

#[test]
fn no_answer_of_a_server_brings_a_reader_down() {
    bounded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let key = throw_away_key();
        for host in hosts() {
            let whole = published(&host, &key);
            let mirror = runtime.block_on(serve_files(&whole));
            let settings = settings(&mirror, Some(public_key(&key)), Some(LeastTrust::None));
            let paths: Vec<String> = whole.0.lock().unwrap().keys().cloned().collect();
            proptest!(ProptestConfig::with_cases(48), |(path in prop::sample::select(paths), harm in harm())| {
                let before = whole.0.lock().unwrap()[&path].clone();
                whole.put(&path, harm.done_to(&before));
                let result = runtime.block_on(newest(&host.ask, &settings, &fetch()));
                whole.put(&path, before);
                prop_assert!(result.is_err() || result.is_ok_and(|versions| !versions.is_empty()));
            });
        }
    });
}
