//! The life of a version: it appears, is replaced, is kept for who uses it, and goes.

use serde_json::json;

use super::{Scene, Service};

const FAMILY: &str = "rotation";

/// Name and visibility as a tenant is shown them.
async fn looks(scene: &Scene, id: &str) -> (String, String) {
    let image = scene.shown(&scene.other, scene.estate().other, id).await.expect("a tenant is shown the image");
    let text = |key: &str| image[key].as_str().unwrap_or_default().to_owned();
    (text("name"), text("visibility"))
}

fn look(name: &str, visibility: &str) -> (String, String) {
    (name.to_owned(), visibility.to_owned())
}

/// The plan leaves the old version where it is, names who uses it, and so does the next apply.
async fn is_kept(scene: &Scene, id: &str, user: &str) {
    let (holds, plan) = scene.holds().await;
    let address = format!("{FAMILY}/1");
    let held = holds
        .iter()
        .any(|(held, operation, because)| held.starts_with(&address) && operation == "delete" && because == "in_use");
    assert!(held, "the deletion must be held\n{plan}");
    let document = plan.json();
    let users = document["gallerist"]["holds"][0]["users"].to_string();
    assert!(users.contains(user), "the hold must name {user}\n{plan}");
    scene.gallerist(&["plan"]).await.exits(0).answers(user);
    scene.apply().await;
    assert!(scene.admin.sees(id).await.is_some());
}

pub(crate) async fn a_new_version_takes_the_name_and_the_old_one_goes_when_nobody_uses_it(scene: &Scene) {
    let (latest, title) = (scene.latest(FAMILY), scene.title(FAMILY));
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let first = scene.image_of(FAMILY, "1").await;
    let first_id = first["id"].as_str().expect("an image has an id");
    assert_eq!((&first["name"], &first["visibility"]), (&json!(latest), &json!("public")));
    assert_eq!((&first["status"], &first["protected"]), (&json!("active"), &json!(true)));
    assert_eq!(scene.other.download(first_id).await, scene.bytes(FAMILY, "1"));
    scene.settled().await;

    scene.want(&[(FAMILY, "2")]);
    scene.apply().await;
    let second = scene.image_of(FAMILY, "2").await;
    let second_id = second["id"].as_str().expect("an image has an id");
    let uploaded =
        first["created_at"].as_str().and_then(|time| time.get(..10)).expect("Glance dates begin with the day");
    let dated = format!("{title} - {uploaded}");
    assert_eq!(looks(scene, first_id).await, look(&dated, "community"));
    assert_eq!(looks(scene, second_id).await, look(&latest, "public"));

    let server = scene.other.server(&title, first_id).await;
    is_kept(scene, first_id, &server).await;
    scene.other.delete(Service::Compute, &format!("/servers/{server}")).await;
    // Made from a volume now, which no filter of Nova finds.
    let volume = scene.other.volume(&title, first_id).await;
    is_kept(scene, first_id, &volume).await;
    scene.other.delete(Service::Volume, &format!("/volumes/{volume}")).await;

    scene.apply().await;
    assert_eq!(scene.shown(&scene.other, scene.estate().other, first_id).await, None);
    assert_eq!(scene.image_of(FAMILY, "2").await, second);
    scene.gallerist(&["apply", "--auto-approve"]).await.changes_nothing();
}
