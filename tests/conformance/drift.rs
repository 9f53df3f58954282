//! What `drift` says once somebody has worked on the cloud by hand, and which of that wakes anybody.

use gallerist::sandbox::exhibition::Edition;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Scene, Service};

/// Families that something happens to: a property, the name, an older version.
const PROPERTY: &str = "property";
const RENAMED: &str = "renamed";
const PRUNED: &str = "pruned";
/// A family whose publisher brings out a newer version.
const PUBLISHED: &str = "debian-12";
const BEFORE: &str = "20261013-2601";
const BASELINE: &str = "before.json";

fn want(scene: &Scene, pruned: &str) {
    scene.want(&[(PROPERTY, "1"), (RENAMED, "1"), (PRUNED, pruned)]);
    let (title, mirror) = (scene.title(PUBLISHED), scene.mirror());
    scene.add(&format!(
        "\n[[image]]\nfamily = \"{PUBLISHED}\"\nname = \"{title}\"\nsource = {{ distro = \"debian\", release = \"12\" }}\n\
         \n[publisher.debian]\nmirror = \"{mirror}/cloud.debian.org\"\ntrust = \"none\"\n\
         \n[defaults.properties]\nhw_disk_bus = \"scsi\"\n\n[lifecycle.delete]\nwhen = \"never\"\n"
    ));
}

/// A catalogue in which everything is as it should be, and the report that says so.
async fn settle(scene: &Scene) {
    scene.publish(Edition::First);
    for pruned in ["1", "2"] {
        want(scene, pruned);
        scene.apply().await;
    }
    let report = format!("json={BASELINE}");
    let run = scene.gallerist(&["drift", "--format", "json", "--report", &report]).await;
    assert_eq!(found(&run.exits(0).json(), &[]), Vec::<String>::new(), "{run}");
}

/// `class address state`, one a finding; of the public images that nobody manages only these, for other tests have some.
fn found(report: &Value, own: &[&str]) -> Vec<String> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("a report has findings").iter();
    let findings =
        findings.filter(|finding| finding["class"] != "unmanaged" || own.contains(&&*text(finding, "address")));
    findings.map(|finding| ["class", "address", "state"].map(|key| text(finding, key)).join(" ")).collect()
}

/// Drift since the beginning: what is found, and the exit code without any choice of classes.
async fn drift(scene: &Scene, code: i32, own: &[&str]) -> (Vec<String>, Value) {
    let run = scene.gallerist(&["drift", "--format", "json", "--baseline", BASELINE]).await;
    let report = run.exits(code).json();
    (found(&report, own), report)
}

async fn id_of(scene: &Scene, family: &str, version: &str) -> String {
    scene.image_of(family, version).await["id"].as_str().expect("an image has an id").to_owned()
}

async fn set(scene: &Scene, family: &str, attribute: &str, value: &str) {
    let id = id_of(scene, family, "1").await;
    let patch = json!([{"op": "replace", "path": attribute, "value": value}]);
    assert_eq!(scene.admin.patch_image(&id, &patch).await.0, 200);
}

/// An old version is deleted, protected or not.
async fn prune(scene: &Scene) {
    let id = id_of(scene, PRUNED, "1").await;
    let patch = json!([{"op": "replace", "path": "/protected", "value": false}]);
    assert_eq!(scene.admin.patch_image(&id, &patch).await.0, 200);
    scene.admin.delete(Service::Image, &format!("/images/{id}")).await;
}

/// A public image that no catalogue knows.
async fn hang(scene: &Scene) -> String {
    let id = scene.member.image(json!({"name": scene.title("by hand")})).await;
    let publish = json!([{"op": "replace", "path": "/visibility", "value": "public"}]);
    assert_eq!(scene.admin.patch_image(&id, &publish).await.0, 200);
    id
}

pub(crate) async fn each_difference_alone_is_told_in_its_class(scene: &Scene) {
    settle(scene).await;

    set(scene, PROPERTY, "/hw_disk_bus", "virtio").await;
    let (findings, report) = drift(scene, 2, &[]).await;
    assert_eq!(findings, ["changed property/1 new"]);
    assert_eq!(report["findings"][0]["change"]["before"]["hw_disk_bus"], "scsi");
    assert_eq!(report["findings"][0]["change"]["after"]["hw_disk_bus"], "virtio");
    scene.apply().await;
    assert_eq!(drift(scene, 0, &[]).await.0, Vec::<String>::new(), "apply has put it back");

    set(scene, RENAMED, "/name", "Peter's").await;
    let (findings, report) = drift(scene, 2, &[]).await;
    assert_eq!(findings, ["changed renamed/1 new"]);
    assert_eq!(report["findings"][0]["change"]["before"]["name"], scene.latest(RENAMED).as_str());
    scene.apply().await;
    assert_eq!(drift(scene, 0, &[]).await.0, Vec::<String>::new(), "and it has its name again");

    let stranger = hang(scene).await;
    let (findings, _) = drift(scene, 0, &[&stranger]).await;
    assert_eq!(findings, [format!("unmanaged {stranger} new")]);
    let (status, reply) = scene.admin.send(Method::DELETE, Service::Image, &format!("/images/{stranger}"), None).await;
    assert!(status.is_success(), "{status} {reply}");

    scene.publish(Edition::Second);
    let outdated = format!("outdated {PUBLISHED}/{BEFORE} new");
    assert_eq!(drift(scene, 0, &[]).await.0, [outdated]);
    scene.apply().await;

    prune(scene).await;
    assert_eq!(drift(scene, 2, &[]).await.0, ["missing pruned/1 new"]);
}

pub(crate) async fn all_differences_at_once_are_told_each_in_its_class(scene: &Scene) {
    settle(scene).await;
    set(scene, PROPERTY, "/hw_disk_bus", "virtio").await;
    set(scene, RENAMED, "/name", "Peter's").await;
    prune(scene).await;
    scene.publish(Edition::Second);
    let stranger = hang(scene).await;
    let expected = [
        "changed property/1 new".to_owned(),
        "changed renamed/1 new".to_owned(),
        "missing pruned/1 new".to_owned(),
        format!("outdated {PUBLISHED}/{BEFORE} new"),
        format!("unmanaged {stranger} new"),
    ];
    assert_eq!(drift(scene, 2, &[&stranger]).await.0, expected);

    // Only the first three wake anybody, unless somebody asks for more.
    for (classes, code) in [("changed", 2), ("missing", 2), ("outdated", 2), ("unmanaged", 2), ("stale,broken", 0)] {
        scene.gallerist(&["drift", "--baseline", BASELINE, "--fail-on", classes]).await.exits(code);
    }
    scene.gallerist(&["drift", "--baseline", BASELINE]).await.exits(2).answers("pruned/1");
}

/// Nothing of the lifecycle keeps it: the next apply would delete it if nobody used it.
pub(crate) async fn an_old_version_that_was_deleted_while_in_use_is_missed(scene: &Scene) {
    for version in ["1", "2"] {
        scene.want(&[(PRUNED, version)]);
        scene.apply().await;
    }
    let old = id_of(scene, PRUNED, "1").await;
    let server = scene.other.server(&scene.title(PRUNED), &old).await;
    scene.gallerist(&["drift", "--report", &format!("json={BASELINE}")]).await.exits(0);
    prune(scene).await;
    let (findings, report) = drift(scene, 2, &[]).await;
    assert_eq!(findings, ["missing pruned/1 new"]);
    assert_eq!(report["findings"][0]["change"]["after"]["used_by"], json!([format!("server {server}")]));
    // As soon as nobody uses it any more it is what the next apply would have made of it.
    scene.other.delete(Service::Compute, &format!("/servers/{server}")).await;
    assert_eq!(drift(scene, 0, &[]).await.0, Vec::<String>::new());
}
