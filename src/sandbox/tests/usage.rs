//! Nova and Cinder: who uses an image, and who seems not to.

use reqwest::Method;
use serde_json::{Value, json};

use super::{REGION, User, answered, sandbox};
use crate::model::image::Visibility;
use crate::sandbox::{Cell, ServerState, VolumeState};

#[tokio::test]
async fn servers_and_volumes_are_found_by_their_image() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let (image, server, volume) = {
        let mut world = sandbox.world();
        let region = world.region(REGION).unwrap();
        let image = region.upload("admin", "public", Visibility::Public, "raw", b"x").unwrap();
        region.image(&image).unwrap().properties.insert("os_distro".to_owned(), "debian".to_owned());
        let server = region.boot("demo", &image, "web").unwrap();
        let volume = region.volume("other", &image).unwrap();
        (image, server, volume)
    };
    let ids = |page: &Value, key: &str| -> Vec<String> {
        page[key].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let servers = format!("/servers?all_tenants=1&image={image}&limit=1");
    let (_, page) = admin.get("compute", &servers).await;
    assert_eq!(ids(&page, "servers"), [server.as_str()]);
    assert!(page["servers_links"][0]["href"].as_str().unwrap().contains("marker="));
    let (_, page) = admin.get("compute", &format!("/servers?image={image}")).await;
    assert!(ids(&page, "servers").is_empty(), "without all_tenants only the own project is asked");

    sandbox.world().region(REGION).unwrap().server(&server).unwrap().state = ServerState::SoftDeleted;
    for (query, found) in [("", 0), ("&status=SOFT_DELETED", 0), ("&deleted=true&status=SOFT_DELETED", 1)] {
        let (_, page) = admin.get("compute", &format!("{servers}{query}")).await;
        assert_eq!(ids(&page, "servers").len(), found, "{query}");
    }

    let filter = format!("/volumes?all_tenants=1&glance_metadata=%7B%27image_id%27%3A%27{image}%27%7D");
    let volumes = |path: String, version: &'static str| {
        let request = admin.request(Method::GET, "block-storage", &path);
        answered(request.header("openstack-api-version", format!("volume {version}")))
    };
    let (_, page) = volumes(filter.clone(), "3.4").await;
    assert_eq!(ids(&page, "volumes"), [volume.as_str()]);
    let (_, page) = volumes("/volumes?all_tenants=1&glance_metadata=image_id".to_owned(), "3.4").await;
    assert!(ids(&page, "volumes").is_empty(), "a filter that cannot be read matches nothing");
    let (_, page) = volumes("/volumes?all_tenants=1&glance_metadata=image_id".to_owned(), "3.0").await;
    assert_eq!(ids(&page, "volumes").len(), 1, "and is ignored by old microversions");
    let (_, page) = volumes(format!("/volumes/{volume}"), "3.4").await;
    assert_eq!(page["volume"]["volume_image_metadata"]["os_distro"], "debian");
    sandbox.world().region(REGION).unwrap().volume_record(&volume).unwrap().state = VolumeState::Stuck;
    let (_, page) = volumes(filter, "3.4").await;
    assert!(ids(&page, "volumes").is_empty(), "a volume that is being filled has no image metadata yet");
}

#[tokio::test]
async fn a_cell_that_is_down_looks_like_nobody() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let image = {
        let mut world = sandbox.world();
        let region = world.region(REGION).unwrap();
        let image = region.upload("admin", "public", Visibility::Public, "raw", b"x").unwrap();
        region.boot("demo", &image, "web").unwrap();
        region.set_cell(Cell::Down);
        image
    };
    let (status, page) = admin.get("compute", &format!("/servers?all_tenants=1&image={image}&limit=1")).await;
    assert_eq!((status.as_u16(), page["servers"].as_array().unwrap().len()), (200, 0));
    assert_eq!(admin.get("compute", "/os-hypervisors/statistics").await.0, 500);
    let new = |path: &str| {
        let request = admin.request(Method::GET, "compute", path);
        answered(request.header("openstack-api-version", "compute 2.69"))
    };
    let (_, services) = new("/os-services").await;
    assert!(services["services"].as_array().unwrap().iter().any(|service| service["status"] == "UNKNOWN"));
    let (_, page) = new("/servers?all_tenants=1").await;
    assert_eq!(page["servers"][0]["status"], "UNKNOWN");
}

#[tokio::test]
async fn nothing_boots_from_an_image_that_is_not_active() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let image = {
        let mut world = sandbox.world();
        world.region(REGION).unwrap().upload("admin", "public", Visibility::Public, "raw", b"x").unwrap()
    };
    let boot = || {
        let request = admin.request(Method::POST, "compute", "/servers");
        let server = json!({"name": "x", "imageRef": image, "flavorRef": "3", "networks": "none"});
        answered(request.header("openstack-api-version", "compute 2.52").json(&json!({"server": server})))
    };
    let (status, server) = boot().await;
    assert_eq!(status, 202, "{server}");
    let path = format!("/servers/{}", server["server"]["id"].as_str().unwrap());
    assert_eq!(admin.get("compute", &path).await.1["server"]["status"], "ACTIVE");
    let console = json!({"os-getConsoleOutput": {}});
    let (_, output) = answered(admin.request(Method::POST, "compute", &format!("{path}/action")).json(&console)).await;
    assert!(output["output"].as_str().unwrap().contains("login:"));
    let deactivate = admin.request(Method::POST, "image", &format!("/v2/images/{image}/actions/deactivate"));
    assert_eq!(answered(deactivate).await.0, 204);
    let (status, refusal) = boot().await;
    assert_eq!(status, 400);
    assert_eq!(refusal["badRequest"]["message"], format!("Image {image} is not active."));
    let volume = json!({"volume": {"size": 1, "imageRef": image}});
    assert_eq!(answered(admin.request(Method::POST, "block-storage", "/volumes").json(&volume)).await.0, 400);
}
