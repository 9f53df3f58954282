//! What belongs to others: never touched, and no obstacle, unless it is public and bears our name.

use serde_json::{Value, json};

use super::{Scene, Service, Session};

const FAMILY: &str = "foreign";
const NEIGHBOUR: &str = "neighbour";

/// An image as its owner sees it, with the projects it is shared with.
async fn whole(owner: &Session, id: &str) -> (Value, Value) {
    let path = format!("/images/{id}");
    let image = owner.get(Service::Image, &path).await;
    let members = if image["visibility"] == "shared" {
        owner.get(Service::Image, &format!("{path}/members")).await
    } else {
        Value::Null
    };
    (image, members)
}

async fn id_of(scene: &Scene, family: &str, version: &str) -> String {
    scene.image_of(family, version).await["id"].as_str().expect("an image has an id").to_owned()
}

pub(crate) async fn what_tenants_own_is_left_alone_and_blocks_nothing(scene: &Scene) {
    let (member, other, latest) = (&scene.member, &scene.other, scene.latest(FAMILY));
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let first = id_of(scene, FAMILY, "1").await;

    let ours = |version: &str| {
        let marks = ["gallerist".to_owned(), scene.mark(), format!("gallerist:family={FAMILY}")];
        let more = [format!("gallerist:version={version}"), "gallerist:superseded=2020-01-01".to_owned()];
        json!([marks.as_slice(), more.as_slice()].concat())
    };
    let server = member.server(&latest, &first).await;
    let snapshot = member.snapshot(&server, &latest).await;
    let foreign = [
        (member, member.image(json!({"name": latest})).await),
        (member, member.image(json!({"name": latest, "visibility": "shared"})).await),
        (other, other.image(json!({"name": latest, "visibility": "community"})).await),
        (other, other.image(json!({"name": latest, "tags": ours("0")})).await),
        (other, other.image(json!({"name": "mine", "visibility": "community", "tags": ours("2")})).await),
        (member, snapshot.clone()),
    ];
    let guest = json!({"member": other.project()});
    let path = format!("/images/{}/members", foreign[1].1);
    let (status, reply) = member.send(reqwest::Method::POST, Service::Image, &path, Some(&guest)).await;
    assert!(status.is_success(), "{status} {reply}");
    let mark = json!([{"op": "replace", "path": "/tags", "value": ours("1")}]);
    assert_eq!(member.patch_image(&snapshot, &mark).await.0, 200);
    let mut before = Vec::new();
    for (owner, id) in &foreign {
        before.push(whole(owner, id).await);
    }
    assert_eq!(before[5].0["base_image_ref"], first.as_str(), "the snapshot says what it was made from");

    scene.settled().await;
    scene.want(&[(FAMILY, "2")]);
    scene.apply().await;
    member.delete(Service::Compute, &format!("/servers/{server}")).await;
    scene.apply().await;
    assert_eq!(scene.admin.sees(&first).await, None, "a snapshot and namesakes keep nothing");
    let found = other.images(&[("name", &latest), ("visibility", "public")]).await;
    let ids: Vec<_> = found.iter().map(|image| &image["id"]).collect();
    assert_eq!(ids.len(), 1, "{found:#?}");
    scene.settled().await;

    for ((owner, id), before) in foreign.iter().zip(before) {
        assert_eq!(whole(owner, id).await, before);
    }
}

pub(crate) async fn a_foreign_public_image_of_that_name_holds_its_family_alone(scene: &Scene) {
    scene.want(&[(FAMILY, "1"), (NEIGHBOUR, "1")]);
    scene.apply().await;
    let mine = id_of(scene, FAMILY, "1").await;
    let mine_before = scene.admin.sees(&mine).await;
    let intruder = scene.member.image(json!({"name": scene.latest(FAMILY)})).await;
    let publish = json!([{"op": "replace", "path": "/visibility", "value": "public"}]);
    assert_eq!(scene.admin.patch_image(&intruder, &publish).await.0, 200);
    let before = whole(&scene.member, &intruder).await;

    scene.want(&[(FAMILY, "2"), (NEIGHBOUR, "2")]);
    let (holds, plan) = scene.holds().await;
    let held: Vec<_> = holds.iter().map(|(address, _, because)| (address.as_str(), because.as_str())).collect();
    assert!(matches!(held[..], [(address, "name_taken")] if address.starts_with(FAMILY)), "{held:?}\n{plan}");
    assert!(plan.json()["gallerist"]["holds"].to_string().contains(&intruder), "it says which image\n{plan}");
    scene.apply().await;
    assert_eq!(scene.images_of(&scene.admin, FAMILY, "2").await.len(), 0);
    assert_eq!(scene.admin.sees(&mine).await, mine_before);
    assert_eq!(scene.image_of(NEIGHBOUR, "2").await["visibility"], "public");
    assert_eq!(whole(&scene.member, &intruder).await, before);

    // The tenant may not withdraw it; whoever published it may.
    scene.admin.send(reqwest::Method::DELETE, Service::Image, &format!("/images/{intruder}"), None).await;
    scene.apply().await;
    assert_eq!(scene.image_of(FAMILY, "2").await["name"], scene.latest(FAMILY).as_str());
}
