//! A recorded cloud stands in for the cloud itself, and holds nothing that opens it.

use serde_json::{Value, json};

use super::{Run, Scene};

/// Families in every state a plan knows: in use and due, unused and due, changed by hand, with a new version.
const KEPT: &str = "kept";
const DUE: &str = "due";
const TOUCHED: &str = "touched";
const FAMILIES: [&str; 3] = [KEPT, DUE, TOUCHED];
const SNAPSHOT: &str = "cloud.json";

/// A cloud that a plan has much to say about.
pub(crate) async fn prepare(scene: &Scene) {
    for version in ["1", "2"] {
        scene.want(&FAMILIES.map(|family| (family, version)));
        scene.apply().await;
    }
    let id = |image: Value| image["id"].as_str().expect("an image has an id").to_owned();
    let (used, touched) = (id(scene.image_of(KEPT, "1").await), id(scene.image_of(TOUCHED, "2").await));
    scene.other.server(&scene.title(KEPT), &used).await;
    scene.other.volume(&scene.title(KEPT), &used).await;
    let patch = json!([{"op": "replace", "path": "/name", "value": "Peter's | `odd` \u{202e}name"}]);
    assert_eq!(scene.admin.patch_image(&touched, &patch).await.0, 200);
    scene.want(&FAMILIES.map(|family| (family, "3")));
}

/// The answer without what tells where the plan came from: the one line in which the two may differ.
fn without_source(format: &str, run: &Run) -> String {
    let answer = run.exits(2).answer();
    let told = match format {
        "json" => {
            let mut document = run.json();
            let source = document["gallerist"]["live"].take();
            assert!(source.is_object(), "{run}");
            document["timestamp"].take();
            return document.to_string();
        }
        "human" => "Read    ",
        "markdown" => "<sub>Plan ",
        other => panic!("no source line is known of `{other}`"),
    };
    let (source, rest): (Vec<_>, Vec<_>) = answer.lines().partition(|line| line.starts_with(told));
    assert_eq!(source.len(), 1, "{run}");
    rest.join("\n")
}

/// A plan in every form that people review.
pub(crate) async fn plans(scene: &Scene, words: &[&str]) -> Vec<String> {
    let mut plans = Vec::new();
    for format in ["human", "json", "markdown"] {
        let words = [&["plan", "--detailed-exitcode", "--format", format], words].concat();
        plans.push(without_source(format, &scene.gallerist(&words).await));
    }
    plans
}

pub(crate) async fn a_plan_from_a_snapshot_is_the_plan_of_its_cloud(scene: &Scene) {
    prepare(scene).await;
    let live = plans(scene, &[]).await;
    assert!(live[0].contains("DELETE") && live[0].contains("in use by"), "{}", live[0]);
    scene.gallerist(&["snapshot", "-o", SNAPSHOT]).await.exits(0);
    assert_eq!(plans(scene, &["--snapshot", SNAPSHOT]).await, live);

    // With a lock file it needs neither a cloud nor a publisher.
    scene.gallerist(&["lock"]).await.exits(0);
    let locked = plans(scene, &[]).await;
    let secrets = scene.secrets();
    std::fs::remove_file(scene.path("clouds.yaml")).expect("the scene has written it");
    scene.forget_requests();
    assert_eq!(plans(scene, &["--snapshot", SNAPSHOT]).await, locked);
    assert_eq!(scene.requests(), 0);

    let text = std::fs::read_to_string(scene.path(SNAPSHOT)).expect("it was written");
    for word in secrets.iter().map(String::as_str).chain(["password", "token", "secret", "gAAAA", "direct_url"]) {
        assert!(!text.contains(word), "`{word}` is in the snapshot");
    }
}

/// What a plan does and refuses, without where and when.
async fn essence(scene: &Scene) -> Value {
    let run = scene.gallerist(&["plan", "--detailed-exitcode", "--format", "json"]).await;
    let mut document = run.exits(2).json();
    document["timestamp"].take();
    document["gallerist"]["live"].take();
    for site in document["gallerist"]["sites"].as_array_mut().into_iter().flatten() {
        site["auth_url"].take();
        site["user"].take();
    }
    document
}

pub(crate) async fn a_twin_has_the_plan_of_its_cloud_and_can_be_applied(scene: &Scene) {
    prepare(scene).await;
    scene.gallerist(&["snapshot", "-o", SNAPSHOT]).await.exits(0);
    let of_the_cloud = essence(scene).await;
    let mut twin = scene.start(&["sandbox", "--from", SNAPSHOT]);
    let clouds = twin.tells("clouds.yaml: ").await;
    let clouds = std::fs::read(clouds).expect("the twin has written it");
    scene.write("clouds.yaml", &clouds);
    assert_eq!(essence(scene).await, of_the_cloud);

    // The rehearsal: everything happens on the twin, and nothing on the cloud.
    scene.apply().await;
    let (_, again) = scene.holds().await;
    assert_eq!(again.json()["gallerist"]["summary"]["create"], 0, "{again}");
    for family in FAMILIES {
        assert_eq!(scene.images_of(&scene.admin, family, "3").await.len(), 0);
    }
    assert_eq!(scene.image_of(DUE, "1").await["status"], "active");
    twin.kill().await;
}
