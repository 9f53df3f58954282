//! The mission: the shipped images.toml, a cloud without a catalogue, one apply.
//!
//! The publishers are small ones on loopback, each in its own layout and signing with a key made for the occasion, so the
//! file is the shipped one with nothing but their mirrors and keys added. What the cloud then holds is fetched back with
//! the `openstack` client, as a tenant would, and compared byte by byte with what was published, decompressed.

use std::collections::{BTreeMap, BTreeSet};

use gallerist::sandbox::exhibition::{Edition, Exhibit, Exhibition};
use gallerist::sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::conformance::Scene;
use crate::promises::estate;
use crate::support::{Cloud, openstack, save};

/// The name of the catalogue in the shipped file.
const CATALOGUE: &str = "public-images";
const KEY_FILE: &str = "publishers.asc";
/// Somebody to whom the administrator's project is a stranger.
const TENANT: &str = "lab-other";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_file_fills_an_empty_catalogue_in_one_apply() {
    let cloud = Cloud::shared().await;
    Scene::play_in(estate(cloud), CATALOGUE.to_owned(), fill).await;
}

async fn fill(scene: &Scene) {
    let publishers = Sandbox::start(Options::default()).await.expect("there are free ports");
    let exhibition = Exhibition::new().expect("a key can be made");
    exhibition.publish(Edition::First, &mut publishers.world()).expect("everything can be signed");
    scene.write(KEY_FILE, exhibition.public_key().as_bytes());
    scene.write("images.toml", Exhibition::images_toml(publishers.mirror_url(), KEY_FILE).as_bytes());
    let admin = scene.estate().admin;

    scene
        .gallerist(&["--os-cloud", admin, "plan"])
        .await
        .exits(0)
        .answers("Plan: 9 to add, 0 to change, 0 to destroy.");
    scene.gallerist(&["--os-cloud", admin, "apply", "--auto-approve"]).await.exits(0).answers("9 added");

    let seen = seen_by_tenants(scene);
    let exhibits = Exhibition::newest(Edition::First);
    let families: BTreeSet<&str> = exhibits.iter().map(|exhibit| exhibit.family).collect();
    assert_eq!((exhibits.len(), families.len()), (9, 9));
    assert_eq!(seen.keys().map(String::as_str).collect::<BTreeSet<_>>(), families);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for Exhibit { family, version, image, stored, .. } in &exhibits {
        let found = &seen[*family];
        let name = found["Name"].as_str().unwrap_or_default();
        assert!(name.ends_with(" - Latest"), "{name}");
        assert!(
            found["Tags"].as_array().is_some_and(|tags| tags.contains(&format!("gallerist:version={version}").into()))
        );
        let id = found["ID"].as_str().expect("an image has an id");
        assert!(save(TENANT, id, folder.path()) == *stored, "the bytes of `{name}` are not those that were published");
        let path = format!("/mirror/{image}");
        let world = publishers.world();
        assert_eq!(world.requests().iter().filter(|request| request.path == path).count(), 1, "downloads of {path}");
    }

    scene.gallerist(&["--os-cloud", admin, "apply", "--auto-approve"]).await.changes_nothing();
}

/// The public images of the catalogue by family, as the client lists them to a tenant.
fn seen_by_tenants(scene: &Scene) -> BTreeMap<String, Value> {
    let mark = scene.mark();
    let listed = openstack(TENANT, &["image", "list", "--public", "--long", "--tag", &mark]).expect("tenants may look");
    let mut seen = BTreeMap::new();
    for image in listed.as_array().into_iter().flatten() {
        let tags = image["Tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let family = tags.filter_map(|tag| tag.strip_prefix("gallerist:family=")).collect();
        assert!(seen.insert(family, image.clone()).is_none(), "two public images of one family in {listed}");
    }
    seen
}
