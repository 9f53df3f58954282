//! The mirror, faults, regions and tokens.

use std::sync::Arc;

use reqwest::{Client, Method};
use serde_json::json;

use super::{PATCH, REGION, User, answered, qcow2, sandbox};
use crate::model::image::Visibility;
use crate::sandbox::{Behaviour, Effect, Fault, Options, Sandbox, Service, project_id};

#[tokio::test]
async fn the_mirror_can_be_as_bad_as_any() {
    let sandbox = sandbox().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/dir/file", sandbox.mirror_url());
    sandbox.world().publish("dir/file", b"0123456789".to_vec());
    let whole = client.get(&url).send().await.unwrap();
    let etag = whole.headers()["etag"].clone();
    assert_eq!(whole.text().await.unwrap(), "0123456789");
    let head = client.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "10");
    let rest = client.get(&url).header("range", "bytes=7-").header("if-range", etag).send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.text().await.unwrap().as_str()), (206, "789"));
    sandbox.world().publish("dir/inner/file", Vec::new());
    let listing = client.get(format!("{}/dir/", sandbox.mirror_url())).send().await.unwrap().text().await.unwrap();
    assert!(listing.contains("<a href=\"file\">") && listing.contains("<a href=\"inner/\">"), "{listing}");
    for nothing in ["none/", "dir"] {
        let url = format!("{}/{nothing}", sandbox.mirror_url());
        assert_eq!(client.get(url).send().await.unwrap().status(), 404, "{nothing}");
    }
    let behave = |behaviour| sandbox.world().behave("dir/file", behaviour);
    behave(Behaviour::CutAfter(4));
    assert!(client.get(&url).send().await.unwrap().bytes().await.is_err());
    behave(Behaviour::Status(503, Some(7)));
    let busy = client.get(&url).send().await.unwrap();
    assert_eq!((busy.status().as_u16(), &busy.headers()["retry-after"]), (503, &"7".parse().unwrap()));
    behave(Behaviour::LoginPage);
    assert!(client.get(&url).send().await.unwrap().text().await.unwrap().contains("<html>"));
    behave(Behaviour::StallAfter(3));
    let mut stalled = client.get(&url).send().await.unwrap();
    assert_eq!(&stalled.chunk().await.unwrap().unwrap()[..], b"012");
}

#[tokio::test]
async fn faults_happen_to_the_request_they_are_for() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    let id = admin.create(qcow2()).await;
    let inject = |effect| {
        let fault = Fault::new(effect).service(Service::Image).method("PATCH").path("/v2/images/*").unwrap();
        sandbox.world().inject(fault);
    };
    let name = || sandbox.world().region(REGION).unwrap().image(&id).unwrap().name.clone().unwrap();
    let rename = |name: &str| {
        let request = admin.request(Method::PATCH, "image", &format!("/v2/images/{id}"));
        let body = json!([{"op": "replace", "path": "/name", "value": name}]);
        request.header("content-type", PATCH).body(body.to_string())
    };
    inject(Effect::ResetBefore);
    assert!(rename("before").send().await.is_err());
    assert_eq!(name(), "tiny");
    inject(Effect::ResetAfter);
    assert!(rename("after").send().await.is_err());
    assert_eq!(name(), "after", "performed, though nobody was told");
    inject(Effect::Status(503, Some(1)));
    let busy = rename("busy").send().await.unwrap();
    assert_eq!((busy.status().as_u16(), &busy.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    inject(Effect::HalfBody);
    assert!(rename("half").send().await.unwrap().bytes().await.is_err());
    inject(Effect::MalformedJson);
    assert!(answered(rename("malformed")).await.1.is_string());
    let stolen = id.clone();
    inject(Effect::Meanwhile(Arc::new(move |world| {
        world.region(REGION).expect("it is there").delete_image(&stolen);
    })));
    assert_eq!(answered(rename("late")).await.0, 404);
    inject(Effect::RevokedToken);
    let refused = rename("revoked").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Keystone uri="));
}

#[tokio::test]
async fn a_client_can_be_stopped_after_any_request() {
    let sandbox = sandbox().await;
    let admin = User::of(&sandbox, "admin").await;
    sandbox.world().forget_requests();
    sandbox.world().stop_after(1);
    assert_eq!(admin.get("image", "/v2/images").await.0, 200);
    assert!(admin.request(Method::GET, "image", "/v2/images").send().await.is_err());
    sandbox.world().heal();
    assert_eq!(admin.get("image", "/v2/images?limit=1").await.0, 200);
    let world = sandbox.world();
    let seen: Vec<_> = world.requests().iter().map(|request| (request.path.as_str(), request.status)).collect();
    assert_eq!(seen[0], ("/v2/images", Some(200)));
    assert_eq!(seen.last(), Some(&("/v2/images?limit=1", Some(200))));
    assert!(seen.iter().any(|(_, status)| status.is_none()), "{seen:?}");
}

#[tokio::test]
async fn regions_are_apart_and_identity_is_shared() {
    let sandbox = Sandbox::start(Options::with_regions(&["fra1", "dus2"])).await.unwrap();
    let demo = User::of(&sandbox, "demo").await;
    sandbox.world().region("dus2").unwrap().upload("demo", "x", Visibility::Private, "raw", b"x").unwrap();
    let images = demo.catalogue.as_array().unwrap().iter().find(|service| service["type"] == "image").unwrap();
    for (region, count) in [("fra1", 0), ("dus2", 1)] {
        let endpoints = images["endpoints"].as_array().unwrap();
        let endpoint = endpoints.iter().find(|endpoint| endpoint["region_id"] == region).unwrap();
        let url = format!("{}/v2/images", endpoint["url"].as_str().unwrap());
        let (_, page) = demo.get("image", &url).await;
        assert_eq!(page["images"].as_array().unwrap().len(), count, "{region}");
    }
    assert!(sandbox.world().region("nowhere").is_err());
    let (_, project) = demo.get("identity", &format!("/projects/{}", project_id("demo"))).await;
    assert_eq!(project["project"]["name"], "demo");
    sandbox.world().revoke_tokens();
    assert_eq!(demo.get("identity", "/auth/projects").await.0, 401);
}
