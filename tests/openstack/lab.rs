//! The cloud itself: what the other themes take for granted about the services they run against. Where one of these
//! fails, a newer OpenStack has changed, and with it a reason behind one of gallerist's rules.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Cloud, Service, login, openstack};

/// The path that asks Cinder for the volumes made from an image.
fn volumes_of(image: &str) -> String {
    format!("/volumes/detail?all_tenants=1&glance_metadata=%7B%27image_id%27%3A%27{image}%27%7D")
}

fn servers_of(image: &str) -> String {
    format!("/servers?all_tenants=1&image={image}&limit=1")
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry["id"].as_str()).collect()
}

#[tokio::test]
async fn a_member_cannot_publish_an_image() {
    let _cloud = Cloud::shared().await;
    let demo = login("lab-user").await;
    let image = demo.image(json!({"name": "lab: to be published"})).await;
    let publish = json!([{"op": "replace", "path": "/visibility", "value": "public"}]);
    assert_eq!(demo.patch_image(&image, &publish).await.0, 403);
    let seen = openstack("lab-user", &["image", "show", &image]).expect("the owner sees it");
    assert_eq!(seen["visibility"], "private");
    let admin = login("lab-admin").await;
    assert_eq!(admin.patch_image(&image, &publish).await.0, 200);
    let seen = openstack("lab-other", &["image", "show", &image]).expect("everybody sees a public image");
    assert_eq!(seen["visibility"], "public");
}

#[tokio::test]
async fn each_region_has_images_of_its_own() {
    let _cloud = Cloud::shared().await;
    let image = login("lab-admin-two").await.image(json!({"name": "lab: in region two"})).await;
    let path = format!("/images/{image}");
    assert_eq!(login("lab-admin-two").await.get(Service::Image, &path).await["status"], "active");
    let (status, _) = login("lab-admin").await.send(Method::GET, Service::Image, &path, None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_server_names_its_image_until_it_is_deleted() {
    let _cloud = Cloud::shared().await;
    let (admin, demo) = (login("lab-admin").await, login("lab-user").await);
    let image = demo.image(json!({"name": "lab: booted"})).await;
    let server = demo.server("lab-booted", &image).await;
    let found = admin.get(Service::Compute, &servers_of(&image)).await;
    assert_eq!(ids(&found["servers"]), [server.as_str()]);
    let path = format!("/servers/{server}");
    demo.delete(Service::Compute, &path).await;
    assert_eq!(ids(&admin.get(Service::Compute, &servers_of(&image)).await["servers"]), Vec::<&str>::new());
}

#[tokio::test]
async fn a_volume_keeps_the_metadata_of_its_image() {
    let _cloud = Cloud::shared().await;
    let (admin, demo) = (login("lab-admin").await, login("lab-user").await);
    let image = demo.image(json!({"name": "lab: copied"})).await;
    let volume = demo.volume("lab-copied", &image).await;
    assert_eq!(ids(&admin.get(Service::Volume, &volumes_of(&image)).await["volumes"]), [volume.as_str()]);
    let seen = openstack("lab-user", &["volume", "show", &volume]).expect("the owner sees it");
    assert_eq!(seen["volume_image_metadata"]["image_id"], image);
}

#[tokio::test]
async fn a_reader_in_the_admin_project_may_not_ask_for_everybodys_servers() {
    let _cloud = Cloud::shared().await;
    let auditor = login("lab-auditor").await;
    let (status, _) = auditor.send(Method::GET, Service::Compute, "/servers?all_tenants=1", None).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_cell_that_is_down_hides_its_servers_and_fails_the_canary() {
    const CANARY: &str = "/os-hypervisors/statistics";
    let cloud = Cloud::alone().await;
    let (admin, demo) = (login("lab-admin").await, login("lab-user").await);
    let image = demo.image(json!({"name": "lab: in two cells"})).await;
    let server = demo.server("lab-in-two-cells", &image).await;
    let _more = cloud.with_servers_in_second_cell(3, &server);
    demo.delete(Service::Compute, &format!("/servers/{server}")).await;
    let in_use = || async {
        let found = admin.get(Service::Compute, &format!("/servers?all_tenants=1&image={image}")).await;
        ids(&found["servers"]).iter().filter(|id| **id != server).count()
    };
    assert_eq!(in_use().await, 3);
    assert_eq!(admin.send(Method::GET, Service::Compute, CANARY, None).await.0, 200);

    let down = cloud.without_second_cell();
    assert_eq!(in_use().await, 0, "Nova says nobody uses the image, and does not say that it did not ask");
    assert_eq!(admin.send(Method::GET, Service::Compute, CANARY, None).await.0, 500);
    let services = admin.get(Service::Compute, "/os-services").await;
    assert!(services["services"].as_array().into_iter().flatten().any(|service| service["status"] == "UNKNOWN"));
    drop(down);

    assert_eq!(in_use().await, 3);
    assert_eq!(admin.send(Method::GET, Service::Compute, CANARY, None).await.0, 200);
}

#[tokio::test]
async fn a_restorable_server_is_found_only_among_the_deleted_ones() {
    let cloud = Cloud::alone().await;
    let (admin, demo) = (login("lab-admin").await, login("lab-user").await);
    let image = demo.image(json!({"name": "lab: restorable"})).await;
    let server = demo.server("lab-restorable", &image).await;
    let path = format!("/servers/{server}");
    let restorable = cloud.with_soft_delete();
    // Restorable servers stay to be seen.
    assert_eq!(demo.send(Method::DELETE, Service::Compute, &path, None).await.0, 204);
    while admin.get(Service::Compute, &path).await["server"]["status"] != "SOFT_DELETED" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ids(&admin.get(Service::Compute, &servers_of(&image)).await["servers"]), Vec::<&str>::new());
    let deleted = format!("{}&deleted=true&status=SOFT_DELETED", servers_of(&image));
    assert_eq!(ids(&admin.get(Service::Compute, &deleted).await["servers"]), [server.as_str()]);
    drop(restorable);
}

#[tokio::test]
async fn cinder_can_be_stopped_and_comes_back() {
    let cloud = Cloud::alone().await;
    let stopped = cloud.without("cinder");
    let error = openstack("lab-admin", &["volume", "list"]).expect_err("nobody listens");
    assert!(error.contains("Unable to establish connection"), "{error}");
    drop(stopped);
    login("lab-admin").await.get(Service::Volume, "/volumes").await;
}
