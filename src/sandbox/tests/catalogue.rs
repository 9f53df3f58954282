//! Glance: the life of an image, lists, rights.

use reqwest::Method;
use serde_json::{Value, json};

use super::{REGION, User, answered, qcow2, sandbox};
use crate::model::image::Visibility;
use crate::sandbox::image;

#[tokio::test]
async fn an_image_lives_from_creation_to_deletion() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let id = admin.create(qcow2()).await;
    let bytes = image::qcow2(3 << 30, b"payload");
    assert_eq!(admin.put(&id, bytes.clone()).send().await.unwrap().status(), 204);
    let path = format!("/v2/images/{id}");
    let (_, record) = admin.get("image", &path).await;
    assert_eq!(record["status"], "active");
    assert_eq!(record["virtual_size"], 3_u64 << 30);
    assert_eq!(record["size"], bytes.len());
    let digest = hex::encode(<sha2::Sha512 as sha2::Digest>::digest(&bytes));
    assert_eq!(record["os_hash_value"], digest);
    let part = admin.request(Method::GET, "image", &format!("{path}/file")).header("range", "bytes=0-3");
    let part = part.send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(&part.bytes().await.unwrap()[..], b"QFI\xfb");

    let (status, record) = admin
        .patch(
            &id,
            json!([
                {"op": "replace", "path": "/name", "value": "Tiny - Latest"},
                {"op": "replace", "path": "/visibility", "value": "public"},
                {"op": "replace", "path": "/protected", "value": true},
                {"op": "replace", "path": "/tags", "value": ["b", "a", "a"]},
                {"op": "add", "path": "/a~1b", "value": "c"},
            ]),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(record["a/b"], "c");
    assert_eq!(record["tags"], json!(["a", "b"]));
    let delete = || admin.request(Method::DELETE, "image", &path);
    assert_eq!(answered(delete()).await.0, 403);
    assert_eq!(admin.patch(&id, json!([{"op": "replace", "path": "/protected", "value": false}])).await.0, 200);
    assert_eq!(answered(delete()).await.0, 204);
    assert_eq!(answered(delete()).await.0, 404);
    let mut again = qcow2();
    again["id"] = json!(id);
    let request = admin.request(Method::POST, "image", "/v2/images").json(&again);
    assert_eq!(answered(request).await.0, 409, "ids once used are taken for ever");
}

#[tokio::test]
async fn a_patch_is_all_or_nothing() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let id = admin.create(qcow2()).await;
    let rename = json!({"op": "replace", "path": "/name", "value": "x"});
    for (operation, status) in [
        (json!({"op": "remove", "path": "/nope"}), 409),
        (json!({"op": "replace", "path": "/nope", "value": "x"}), 409),
        (json!({"op": "test", "path": "/name", "value": "tiny"}), 400),
        (json!({"op": "replace", "path": "/size", "value": 1}), 403),
        (json!({"op": "add", "path": "/os_glance_x", "value": "1"}), 403),
        (json!({"op": "remove", "path": "/name"}), 403),
        (json!({"op": "add", "path": "/property", "value": 1}), 400),
        (json!({"op": "add", "path": "/tags/-", "value": "x"}), 400),
        (json!({"op": "replace", "path": "/visibility", "value": "x"}), 400),
        (json!({"op": "replace", "path": "/name", "value": "\u{1f600}"}), 400),
    ] {
        let (found, page) = admin.patch(&id, json!([rename, operation])).await;
        assert_eq!(found, status, "{operation}");
        assert!(page.as_str().unwrap().contains(&format!("<h1>{status} ")), "{page}");
    }
    let (_, image) = admin.get("image", &format!("/v2/images/{id}")).await;
    assert_eq!(image["name"], "tiny");
    let request = admin.request(Method::PATCH, "image", &format!("/v2/images/{id}")).json(&json!([rename]));
    assert_eq!(answered(request).await.0, 415);
}

#[tokio::test]
async fn refused_and_broken_uploads_leave_the_image_queued() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let id = admin.create(qcow2()).await;
    let status = || sandbox.world().region(REGION).unwrap().image(&id).unwrap().status.name();

    let (found, page) = answered(admin.put(&id, b"raw".to_vec())).await;
    assert_eq!(found, 415);
    assert!(page.as_str().unwrap().contains("does not match stream data raw"));
    let (_, record) = admin.get("image", &format!("/v2/images/{id}")).await;
    assert_eq!((&record["status"], &record["size"]), (&json!("queued"), &Value::Null));
    assert!(record["os_hash_value"].is_string(), "the digest of the refused bytes stays");

    let short = admin.put(&id, image::qcow2(1 << 20, b"")).header("x-openstack-image-size", "1");
    assert_eq!(answered(short).await.0, 400);
    assert_eq!(status(), "queued");

    let blocks = futures_util::stream::iter([Ok(vec![0; 4096]), Err(std::io::Error::other("broken off"))]);
    let broken = admin.put(&id, Vec::new()).body(reqwest::Body::wrap_stream(blocks));
    assert!(broken.send().await.is_err());
    while status() != "queued" {
        tokio::task::yield_now().await;
    }
    assert_eq!(answered(admin.put(&id, image::qcow2(1 << 20, b""))).await.0, 204);
    assert_eq!(answered(admin.put(&id, image::qcow2(1 << 20, b""))).await.0, 409);
}

#[tokio::test]
async fn everybody_sees_what_is_theirs_to_see() {
    let sandbox = sandbox().await;
    {
        let mut world = sandbox.world();
        let region = world.region(REGION).unwrap();
        for visibility in Visibility::ALL {
            for project in ["admin", "demo", "other"] {
                let name = format!("{project} {visibility}");
                region.upload(project, &name, *visibility, "raw", b"x").unwrap();
            }
        }
        let hidden = region.upload("admin", "hidden", Visibility::Public, "raw", b"x").unwrap();
        region.image(&hidden).unwrap().hidden = true;
    }
    let demo = User::of(&sandbox, "demo").await;
    let admin = User::of(&sandbox, "admin").await;
    let public = ["admin public", "demo public", "other public"];
    let mut own = vec!["admin public", "demo community", "demo private", "demo public", "demo shared", "other public"];
    assert_eq!(demo.names("").await, own);
    own.extend(["admin community", "other community"]);
    own.sort_unstable();
    assert_eq!(demo.names("visibility=all").await, own);
    assert_eq!(demo.names("visibility=public").await, public);
    assert_eq!(demo.names("visibility=private").await, ["demo private"]);
    assert_eq!(demo.names("os_hidden=true").await, ["hidden"]);
    assert_eq!(admin.names("").await.len(), 10, "other projects' community images are missing");
    assert_eq!(admin.names("visibility=all").await.len(), 12, "the hidden one is missing");
    assert_eq!(admin.names("visibility=private").await.len(), 3);
    let (status, _) = demo.get("image", "/v2/images?visibility=public,community").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    {
        let mut world = sandbox.world();
        let region = world.region(REGION).unwrap();
        for number in 0..30 {
            let name = format!("Image {number:02}");
            let id = region.upload("admin", &name, Visibility::Public, "raw", b"x").unwrap();
            let image = region.image(&id).unwrap();
            image.tags.insert(format!("even={}", number % 2 == 0));
            image.properties.insert("os_distro".to_owned(), "debian".to_owned());
        }
    }
    assert_eq!(admin.names("").await.len(), 25, "the default page");
    assert_eq!(admin.names("limit=1000").await.len(), 30);
    assert_eq!(admin.names("name=IMAGE 07 ").await, ["Image 07"]);
    assert_eq!(admin.names(r#"name=in:"Image 07","image 08""#).await, ["Image 07", "Image 08"]);
    assert_eq!(admin.names("tag=even%3Dtrue&limit=100").await.len(), 15);
    assert_eq!(admin.names("tag=even%3Dtrue&tag=even%3Dfalse").await.len(), 0);
    assert_eq!(admin.names("os_distro=debian&limit=2").await.len(), 2);
    assert!(admin.names("nonsense=1").await.is_empty());

    let mut seen = Vec::new();
    let mut path = "/v2/images?limit=10&sort=name%3Adesc".to_owned();
    let mut pages = 0;
    loop {
        let (status, page) = admin.get("image", &path).await;
        assert_eq!(status, 200);
        pages += 1;
        seen.extend(page["images"].as_array().unwrap().iter().map(|image| image["name"].clone()));
        // A marker that has been deleted meanwhile still marks its place.
        if let Some(last) = page["images"].as_array().unwrap().last() {
            sandbox.world().region(REGION).unwrap().delete_image(last["id"].as_str().unwrap());
        }
        match page["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, 4, "three full ones and an empty one");
    assert_eq!(seen.len(), 30);
    for bad in ["limit=-1", "limit=x", "marker=x", "os_hidden=all", "sort=colour", "sort=name:up"] {
        assert_eq!(admin.get("image", &format!("/v2/images?{bad}")).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn members_may_not_do_what_administrators_may() {
    let sandbox = sandbox().await;
    let demo = User::of(&sandbox, "demo").await;
    let auditor = User::of(&sandbox, "auditor").await;
    let public = {
        let mut world = sandbox.world();
        world.region(REGION).unwrap().upload("admin", "public", Visibility::Public, "raw", b"x").unwrap()
    };
    let rename = json!([{"op": "replace", "path": "/name", "value": "x"}]);
    assert_eq!(demo.patch(&public, rename.clone()).await.0, 403);
    assert_eq!(auditor.patch(&public, rename).await.0, 403);
    let delete = demo.request(Method::DELETE, "image", &format!("/v2/images/{public}"));
    assert_eq!(answered(delete).await.0, 403);
    let deactivate = demo.request(Method::POST, "image", &format!("/v2/images/{public}/actions/deactivate"));
    assert_eq!(answered(deactivate).await.0, 403);
    let own = demo.create(qcow2()).await;
    assert_eq!(demo.patch(&own, json!([{"op": "replace", "path": "/visibility", "value": "public"}])).await.0, 403);
    let namespace = demo.request(Method::POST, "image", "/v2/metadefs/namespaces").json(&json!({"namespace": "x"}));
    assert_eq!(answered(namespace).await.0, 403);
    assert_eq!(demo.get("compute", "/servers?all_tenants=1").await.0, 403);
    assert_eq!(demo.get("compute", "/os-hypervisors/statistics").await.0, 403);
    assert_eq!(demo.get("identity", "/projects").await.0, 403);
}

#[tokio::test]
async fn a_namespace_has_one_holder() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let take = || {
        let request = admin.request(Method::POST, "image", "/v2/metadefs/namespaces");
        request.json(&json!({"namespace": "a::lock", "description": "me"}))
    };
    assert_eq!(answered(take()).await.0, 201);
    assert_eq!(answered(take()).await.0, 409);
    let (_, namespace) = admin.get("image", "/v2/metadefs/namespaces/a::lock").await;
    assert_eq!(namespace["description"], "me");
    let free = || admin.request(Method::DELETE, "image", "/v2/metadefs/namespaces/a::lock");
    assert_eq!(answered(free()).await.0, 204);
    assert_eq!(answered(free()).await.0, 404);
    assert_eq!(answered(take()).await.0, 201);
}

#[tokio::test]
async fn web_download_fetches_from_the_mirror() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    sandbox.world().publish("good.qcow2", image::qcow2(1 << 30, b"x"));
    for (file, wanted, task) in [("good.qcow2", "active", "success"), ("none.qcow2", "queued", "failure")] {
        let id = admin.create(qcow2()).await;
        let request = json!({"method": {"name": "web-download", "uri": format!("{}/{file}", sandbox.mirror_url())}});
        let import = admin.request(Method::POST, "image", &format!("/v2/images/{id}/import")).json(&request);
        assert_eq!(answered(import).await.0, 202);
        let tasks = loop {
            let (_, tasks) = admin.get("image", &format!("/v2/images/{id}/tasks")).await;
            if tasks["tasks"][0]["status"] != "processing" {
                break tasks;
            }
        };
        assert_eq!(tasks["tasks"][0]["status"], task);
        let (_, record) = admin.get("image", &format!("/v2/images/{id}")).await;
        assert_eq!(record["status"], wanted);
        assert_eq!(record["os_glance_failed_import"], if task == "success" { "" } else { "file" });
    }
}
