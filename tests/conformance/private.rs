//! A tenant's own image, from a local file, without any right in the cloud.

use serde_json::{Value, json};

use super::{Scene, Service, scene::ONE};

const FAMILY: &str = "private";

fn want(scene: &Scene, version: &str) {
    let (title, head) = (scene.title(FAMILY), scene.head(scene.estate().member, &[ONE]));
    scene.write(&format!("disk-{version}.qcow2"), &scene.bytes(FAMILY, version));
    let file = format!(
        "{head}\n[[image]]\nfamily = \"{FAMILY}\"\nname = \"{title}\"\nvisibility = \"private\"\nsource = {{ file = \
         \"disk-{version}.qcow2\", version = \"{version}\" }}\n[image.properties]\nhw_disk_bus = \"scsi\"\nhw_scsi_model = \
         \"virtio-scsi\"\nhw_qemu_guest_agent = true\nos_require_quiesce = true\n"
    );
    scene.write("images.toml", file.as_bytes());
}

/// The only image of a version, which nobody else sees.
async fn own(scene: &Scene, version: &str) -> Value {
    let found = scene.images_of(&scene.member, FAMILY, version).await;
    let [image] = found.as_slice() else { panic!("one image of version {version}: {found:#?}") };
    let id = image["id"].as_str().expect("an image has an id");
    assert_eq!(scene.other.sees(id).await, None, "nobody else sees it");
    image.clone()
}

async fn is_kept(scene: &Scene, old: &str, user: &str) {
    let (holds, plan) = scene.holds().await;
    let held = holds.iter().any(|(_, operation, because)| operation == "delete" && because == "in_use");
    assert!(held, "the deletion must be held\n{plan}");
    assert!(plan.json()["gallerist"]["holds"].to_string().contains(user), "the hold must name {user}\n{plan}");
    scene.apply().await;
    assert!(scene.member.sees(old).await.is_some());
}

pub(crate) async fn a_member_keeps_an_image_of_its_own(scene: &Scene) {
    let title = scene.title(FAMILY);
    want(scene, "1");
    scene.apply().await;
    let first = own(scene, "1").await;
    assert_eq!((&first["name"], &first["visibility"]), (&json!(title), &json!("private")));
    for (key, value) in [
        ("hw_disk_bus", "scsi"),
        ("hw_scsi_model", "virtio-scsi"),
        ("hw_qemu_guest_agent", "true"),
        ("os_require_quiesce", "true"),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    scene.settled().await;

    want(scene, "2");
    scene.apply().await;
    let id = first["id"].as_str().expect("an image has an id");
    let (old, new) = (own(scene, "1").await, own(scene, "2").await);
    let uploaded =
        first["created_at"].as_str().and_then(|time| time.get(..10)).expect("Glance dates begin with the day");
    assert_eq!((&old["id"], &old["name"]), (&first["id"], &json!(format!("{title} - {uploaded}"))));
    assert_eq!(old["visibility"], "private");
    assert_eq!((&new["name"], &new["visibility"]), (&json!(title), &json!("private")));

    let server = scene.member.server(&title, id).await;
    is_kept(scene, id, &server).await;
    scene.member.delete(Service::Compute, &format!("/servers/{server}")).await;
    let volume = scene.member.volume(&title, id).await;
    is_kept(scene, id, &volume).await;
    scene.member.delete(Service::Volume, &format!("/volumes/{volume}")).await;

    let share = json!([{"op": "replace", "path": "/visibility", "value": "shared"}]);
    assert_eq!(scene.member.patch_image(id, &share).await.0, 200);
    let guest = json!({"member": scene.other.project()});
    let members = format!("/images/{id}/members");
    let (status, reply) = scene.member.send(reqwest::Method::POST, Service::Image, &members, Some(&guest)).await;
    assert!(status.is_success(), "{status} {reply}");
    for _ in 0..2 {
        is_kept(scene, id, scene.other.project()).await;
        let seen = scene.other.sees(id).await;
        assert!(seen.is_some_and(|image| image["visibility"] == "shared"), "who it is shared with keeps it");
    }
    let guest = format!("{members}/{}", scene.other.project());
    let (status, reply) = scene.member.send(reqwest::Method::DELETE, Service::Image, &guest, None).await;
    assert!(status.is_success(), "{status} {reply}");

    scene.apply().await;
    assert_eq!(scene.member.sees(id).await, None);
    own(scene, "2").await;
    scene.settled().await;
}
