//! A catalogue that somebody curated by hand is taken over.

use serde_json::{Value, json};

use super::Scene;

const FAMILY: &str = "adopted";

pub(crate) async fn what_was_made_by_hand_is_taken_over_and_keeps_its_id(scene: &Scene) {
    // What another tool may have left: the bytes of version 1 under the bare title, and tags of its own.
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let made = scene.image_of(FAMILY, "1").await;
    let id = made["id"].as_str().expect("an image has an id").to_owned();
    let patch = json!([
        {"op": "replace", "path": "/tags", "value": ["managed_by_somebody"]},
        {"op": "replace", "path": "/name", "value": scene.title(FAMILY)},
    ]);
    assert_eq!(scene.admin.patch_image(&id, &patch).await.0, 200);
    let tenants = scene.other.image(json!({"name": scene.title(FAMILY), "visibility": "community"})).await;
    let before = scene.admin.sees(&id).await.expect("it is there");

    let run = scene.gallerist(&["adopt", "--read-bytes", "--out", "adopt.json"]).await;
    run.exits(0).answers(&format!("~ {FAMILY}/1  latest, proven"));
    assert!(!run.answer().contains(&tenants), "{run}");
    assert_eq!(scene.admin.sees(&id).await.as_ref(), Some(&before), "so far nothing was written");
    let plan = std::fs::read_to_string(scene.path("adopt.json")).expect("it was written");
    let plan: Value = serde_json::from_str(&plan).expect("a saved plan is JSON");
    let reviewed = plan["gallerist"]["plan_id"].as_str().expect("a plan has an id");
    scene.gallerist(&["apply", "--auto-approve", "--expect-plan", reviewed, "adopt.json"]).await.exits(0);
    let after = scene.admin.sees(&id).await.expect("it is still there");
    let without_tags = |mut image: Value| {
        image["tags"].take();
        image["updated_at"].take();
        image
    };
    assert_eq!(without_tags(after.clone()), without_tags(before));
    assert!(after["tags"].as_array().is_some_and(|tags| tags.contains(&json!("managed_by_somebody"))), "{after}");
    assert_eq!(scene.image_of(FAMILY, "1").await["id"], id.as_str());

    scene.apply().await;
    assert_eq!(scene.image_of(FAMILY, "1").await["name"], scene.latest(FAMILY).as_str());
    scene.want(&[(FAMILY, "2")]);
    scene.apply().await;
    let old = scene.image_of(FAMILY, "1").await;
    assert_eq!((&old["id"], &old["visibility"]), (&json!(id), &json!("community")));
}
