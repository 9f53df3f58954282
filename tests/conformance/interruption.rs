//! Runs that meet, and runs that die.

use reqwest::Method;
use serde_json::Value;

use super::run::Run;
use super::{Scene, Service};

const FAMILY: &str = "interruption";

/// A lock that nobody will give back any more is found, named and freed.
pub(super) async fn unlock(scene: &Scene) {
    let refused = scene.gallerist(&["apply", "--auto-approve"]).await;
    let id = refused.exits(6).told("id");
    scene.gallerist(&["unlock", &id]).await.exits(0);
}

/// One latest, and nothing else but the given number of older versions.
async fn is_whole(scene: &Scene, version: &str, older: usize) {
    let all = scene.admin.images(&[("tag", &scene.mark()), ("visibility", "all")]).await;
    assert_eq!(all.len(), 1 + older, "no orphan, no second copy: {all:#?}");
    assert!(all.iter().all(|image| image["status"] == "active"), "{all:#?}");
    let latest = scene.image_of(FAMILY, version).await;
    assert_eq!((&latest["name"], &latest["visibility"]), (&Value::from(scene.latest(FAMILY)), &Value::from("public")));
}

pub(crate) async fn two_applies_at_once_have_one_winner(scene: &Scene) {
    let glance = scene.relay(Service::Image).await;
    scene.want(&[(FAMILY, "1")]);
    let mut uploading = glance.stop(Method::PUT, |path| path.ends_with("/file"));
    let first = scene.start(&["apply", "--auto-approve"]);
    uploading.arrived().await;
    let second: Run = scene.gallerist(&["apply", "--auto-approve"]).await;
    second.exits(6);
    let patient = scene.start(&["apply", "--auto-approve", "--lock-timeout", "10m"]);
    uploading.pass();
    first.ended().await.exits(0);
    patient.ended().await.exits(0);
    is_whole(scene, "1", 0).await;
    scene.settled().await;
}

pub(crate) async fn an_apply_killed_during_an_upload_leaves_nothing_behind(scene: &Scene) {
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    scene.want(&[(FAMILY, "2")]);
    scene.stall(FAMILY, "2", true);
    let glance = scene.relay(Service::Image).await;
    let run = scene.start(&["apply", "--auto-approve"]);
    let mut uploading = glance.stop(Method::PUT, |path| path.ends_with("/file"));
    uploading.arrived().await;
    // Glance has the first half, and waits for the rest.
    uploading.pass();
    while scene.image_of(FAMILY, "2").await["status"] == "queued" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    run.kill().await;
    assert_eq!(scene.image_of(FAMILY, "1").await["name"], scene.latest(FAMILY).as_str());

    scene.stall(FAMILY, "2", false);
    unlock(scene).await;
    scene.apply().await;
    is_whole(scene, "2", 1).await;
    scene.apply().await;
    is_whole(scene, "2", 0).await;
    scene.settled().await;
}

pub(crate) async fn an_apply_killed_between_the_halves_of_a_hand_over_is_finished(scene: &Scene) {
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let first = scene.image_of(FAMILY, "1").await["id"].as_str().expect("an image has an id").to_owned();
    scene.want(&[(FAMILY, "2")]);
    let glance = scene.relay(Service::Image).await;
    let old = first.clone();
    let mut hiding = glance.stop(Method::PATCH, move |path| path.contains(&old));
    let run = scene.start(&["apply", "--auto-approve"]);
    hiding.arrived().await;
    let both = scene.other.images(&[("name", &scene.latest(FAMILY)), ("visibility", "public")]).await;
    assert_eq!(both.len(), 2, "for the length of one request there are two: {both:#?}");
    run.kill().await;
    drop(hiding);

    unlock(scene).await;
    let second = scene.image_of(FAMILY, "2").await["id"].clone();
    scene.apply().await;
    is_whole(scene, "2", 1).await;
    assert_eq!(scene.image_of(FAMILY, "2").await["id"], second, "finished, not redone");
    assert_eq!(scene.downloads(FAMILY, "2"), 1);
    assert_eq!(scene.image_of(FAMILY, "1").await["visibility"], "community");
    scene.apply().await;
    is_whole(scene, "2", 0).await;
    scene.settled().await;
}

pub(crate) async fn a_boot_test_that_was_killed_is_cleared_away(scene: &Scene) {
    scene.configure("[boot_test]\nflavor = \"m1.nano\"\nnetwork = \"none\"\n");
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    scene.want(&[(FAMILY, "2")]);
    let nova = scene.relay(Service::Compute).await;
    let mut watching = nova.stop(Method::GET, |path| path.contains("/servers/") && !path.contains('?'));
    let run = scene.start(&["apply", "--auto-approve"]);
    watching.arrived().await;
    run.kill().await;
    drop(watching);
    let servers = async || {
        let found = scene.admin.get(Service::Compute, "/servers?name=gallerist-boot-test-").await;
        let servers = found["servers"].as_array().cloned().unwrap_or_default();
        let image = scene.images_of(&scene.admin, FAMILY, "2").await;
        let name =
            image.first().map(|image| format!("gallerist-boot-test-{}", image["id"].as_str().unwrap_or_default()));
        servers.into_iter().filter(|server| server["name"].as_str() == name.as_deref()).count()
    };
    assert_eq!(servers().await, 1, "the dead run has left its server");

    // The version whose test it was is wanted no more.
    scene.want(&[(FAMILY, "3")]);
    unlock(scene).await;
    scene.apply().await;
    assert_eq!(servers().await, 0);
    scene.apply().await;
    is_whole(scene, "3", 0).await;
    scene.settled().await;
}
