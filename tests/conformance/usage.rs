//! Who uses a version keeps it, whatever has been decided meanwhile and whoever could not be asked.

use reqwest::Method;

use super::{Scene, Service};

const FAMILY: &str = "usage";

/// A version that the next apply would delete; its id.
pub(crate) async fn condemned(scene: &Scene) -> String {
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    scene.want(&[(FAMILY, "2")]);
    scene.apply().await;
    scene.image_of(FAMILY, "1").await["id"].as_str().expect("an image has an id").to_owned()
}

pub(crate) async fn who_boots_from_a_condemned_version_keeps_it(scene: &Scene) {
    let old = condemned(scene).await;
    let before = scene.admin.sees(&old).await.expect("it is there");
    let glance = scene.relay(Service::Image).await;
    // The plan is made, the question whether anybody uses it has been asked again and answered with no.
    let mut deactivating = glance.stop(Method::POST, |path| path.ends_with("/actions/deactivate"));
    let run = scene.start(&["apply", "--auto-approve"]);
    deactivating.arrived().await;
    let server = scene.other.server(&scene.title(FAMILY), &old).await;
    deactivating.pass();
    run.ended().await.exits(5).answers(&server);
    let mut after = scene.admin.sees(&old).await.expect("it is still there");
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before, "and as it was");

    scene.apply().await;
    assert!(scene.admin.sees(&old).await.is_some());
    scene.other.delete(Service::Compute, &format!("/servers/{server}")).await;
    scene.apply().await;
    assert_eq!(scene.admin.sees(&old).await, None);
}

/// While some source of usage cannot be asked, nothing is deleted; afterwards it is.
pub(crate) async fn who_cannot_be_asked_keeps_everything<Away>(scene: &Scene, take_away: impl FnOnce() -> Away) {
    let old = condemned(scene).await;
    let away = take_away();
    let (holds, plan) = scene.holds().await;
    let held: Vec<_> = holds.iter().map(|(_, operation, because)| (operation.as_str(), because.as_str())).collect();
    assert_eq!(held, [("delete", "usage_unknown")], "{plan}");
    scene.apply().await;
    assert!(scene.admin.sees(&old).await.is_some());
    drop(away);
    scene.apply().await;
    assert_eq!(scene.admin.sees(&old).await, None);
}
