//! The shipped images.toml against publishers in their own layouts: from nothing to nine public images, and what happens
//! when a publisher is not to be trusted, or not there.

use std::collections::BTreeSet;
use std::io::Write as _;

use gallerist::sandbox::exhibition::{Edition, Exhibit, Exhibition, Vouching};
use gallerist::sandbox::{Effect, Fault, Service};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::support::gallery::Gallery;

const APPLY: [&str; 2] = ["apply", "--auto-approve"];

fn newest() -> Vec<Exhibit> {
    Exhibition::newest(Edition::First)
}

fn signs(exhibit: &Exhibit) -> bool {
    exhibit.vouching == Vouching::Signature
}

/// One exhibit of each publisher.
fn one_each() -> Vec<Exhibit> {
    let mut seen = BTreeSet::new();
    newest().into_iter().filter(|exhibit| seen.insert(exhibit.distro)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_cloud_has_nine_public_images_after_one_apply() {
    let gallery = Gallery::open().await;
    gallery.run(&APPLY).ends_with(0).says("9 added");
    assert_eq!(newest().len(), 9);
    gallery.shows_only(Edition::First, |_| true);
    for exhibit in newest() {
        let path = format!("/mirror/{}", exhibit.image);
        let world = gallery.world();
        let asked =
            world.requests().iter().filter(|request| request.service == Service::Mirror && request.path == path);
        assert_eq!(asked.count(), 1, "{path} is downloaded once");
    }
    gallery.run(&["plan", "--detailed-exitcode"]).ends_with(0).says("No changes.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_what_vouches_for_each_version() {
    let gallery = Gallery::open().await;
    let plan = gallery.run(&["plan", "--format", "json"]).ends_with(0).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap();
    for exhibit in newest() {
        let address = format!("{}/{}", exhibit.family, exhibit.version);
        let change = changes.iter().find(|change| change["address"] == address.as_str()).unwrap();
        let trust = match exhibit.vouching {
            Vouching::Signature => format!("signed:{}", gallery.exhibition.fingerprint()),
            Vouching::Connection => "none".to_owned(),
        };
        assert_eq!(change["gallerist"]["trust"], trust.as_str(), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_signs_with_another_key_is_refused_and_nobody_else_suffers() {
    for refused in one_each().into_iter().filter(signs) {
        let gallery = Gallery::open().await;
        gallery.trust(refused.distro, Exhibition::new().unwrap().public_key());
        gallery.run(&APPLY).ends_with(0).says("which is not one of the publisher's known keys");
        gallery.shows_only(Edition::First, |exhibit| exhibit.distro != refused.distro);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_whose_signatures_are_gone_is_refused() {
    let signing = || one_each().into_iter().filter(signs);
    for bare in signing() {
        let gallery = Gallery::open().await;
        for exhibit in newest().iter().filter(|exhibit| exhibit.distro == bare.distro) {
            let list = exhibit.list.strip_suffix(".sjson");
            let beside = list.map_or_else(|| format!("{}.sig", exhibit.image), |list| format!("{list}.json.gpg"));
            gallery.world().withdraw(&beside);
            if exhibit.distro != "fedora-coreos" {
                gallery.world().withdraw(&exhibit.list);
            }
        }
        gallery.run(&APPLY).ends_with(0).says("it has no signature");
        gallery.shows_only(Edition::First, |exhibit| exhibit.distro != bare.distro);
    }
    assert_eq!(signing().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_list_is_refused_and_nobody_else_suffers() {
    // Fedora CoreOS signs no list.
    for altered in one_each().into_iter().filter(|exhibit| signs(exhibit) && exhibit.distro != "fedora-coreos") {
        let gallery = Gallery::open().await;
        gallery.alter(&altered.list, |list| {
            let at = list.windows(4).position(|text| text == b"sha2" || text == b"SHA5").unwrap();
            let digit = at + list[at..].iter().skip(12).position(u8::is_ascii_digit).unwrap() + 12;
            list[digit] = if list[digit] == b'0' { b'1' } else { b'0' };
        });
        gallery.run(&APPLY).ends_with(0).says("they were altered");
        gallery.shows_only(Edition::First, |exhibit| exhibit.distro != altered.distro);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_image_is_refused_and_nobody_else_suffers() {
    for altered in one_each() {
        let gallery = Gallery::open().await;
        let whole = gallery.world().published(&altered.image).unwrap();
        gallery.alter(&altered.image, |image| {
            let last = image.len() - 1;
            image[last] ^= 1;
        });
        let run = gallery.run(&APPLY).ends_with(5);
        run.says(&format!("{}/{}", altered.family, altered.version));
        gallery.shows_only(Edition::First, |exhibit| exhibit.family != altered.family);
        gallery.world().publish(&altered.image, whole);
        gallery.run(&APPLY).ends_with(0);
        gallery.shows_only(Edition::First, |_| true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_altered_with_its_image_does_not_deceive_the_signature_over_the_image() {
    let gallery = Gallery::open().await;
    let [one, other] = ["fedora-coreos", "rocky"].map(|distro| {
        let exhibit = one_each().into_iter().find(|exhibit| exhibit.distro == distro).unwrap();
        let published = gallery.world().published(&exhibit.image).unwrap().to_vec();
        (exhibit, published)
    });
    let mut forged = liblzma::write::XzEncoder::new(Vec::new(), 0);
    forged.write_all(&other.0.stored).unwrap();
    let forged = forged.finish().unwrap();
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    gallery.alter(&one.0.list, |list| {
        let text = String::from_utf8(list.clone()).unwrap();
        let text = text.replace(&digest(&one.1), &digest(&forged));
        *list = text.replace(&digest(&one.0.stored), &digest(&other.0.stored)).into_bytes();
    });
    gallery.alter(&one.0.image, |image| *image = forged);
    gallery.run(&APPLY).ends_with(5).says("they were altered");
    gallery.shows_only(Edition::First, |exhibit| exhibit.distro != "fedora-coreos");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_down_holds_its_own_families() {
    let hosts: BTreeSet<String> =
        newest().iter().filter_map(|exhibit| Some(exhibit.image.split_once('/')?.0.to_owned())).collect();
    for host in hosts {
        let gallery = Gallery::open().await;
        let down = Fault::new(Effect::Status(503, Some(0))).service(Service::Mirror);
        gallery.world().inject(down.path(&format!("/mirror/{host}/*")).unwrap().always());
        gallery.run(&APPLY).ends_with(0).says("503 Service Unavailable");
        gallery.shows_only(Edition::First, |exhibit| !exhibit.image.starts_with(&host));
        gallery.world().heal();
        gallery.run(&APPLY).ends_with(0);
        gallery.shows_only(Edition::First, |_| true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_stays_while_its_publisher_is_down() {
    let gallery = Gallery::open().await;
    gallery.run(&APPLY).ends_with(0);
    gallery.publish(Edition::Second);
    let down = Fault::new(Effect::Status(503, Some(0))).service(Service::Mirror);
    gallery.world().inject(down.path("/mirror/cloud-images.ubuntu.com/*").unwrap().always());
    gallery.run(&APPLY).ends_with(0);
    let visible: Vec<String> = gallery
        .images()
        .into_iter()
        .filter(|image| image.visibility == gallerist::model::image::Visibility::Public)
        .filter_map(|image| image.name)
        .collect();
    assert_eq!(visible.len(), 9, "{visible:?}");
    let newer = Exhibition::newest(Edition::Second);
    let there =
        |family: &str| newer.iter().find(|exhibit| exhibit.family == family).and_then(|it| gallery.image_of(it));
    assert!(there("debian-12").is_some(), "Debian's new version has taken over");
    assert!(there("ubuntu-24.04").is_none(), "nobody could say that Ubuntu has a new one");
}
