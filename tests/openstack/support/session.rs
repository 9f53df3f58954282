//! One user's session over plain HTTP, written apart from gallerist's own OpenStack code, so that one mistake cannot
//! hide in both. It prepares what a test needs: images with bytes, servers, volumes.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cloud;

/// The part of clouds.yaml that a password login needs.
#[derive(Deserialize)]
struct Clouds {
    clouds: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Auth,
    region_name: String,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(rename = "auth_url")]
    keystone: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    project_name: String,
}

/// A service of the catalogue, with the microversion that the suite speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Image,
    Compute,
    Volume,
}

impl Service {
    /// The type in the catalogue and the path below the endpoint that every request begins with.
    fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Image => ("image", "/v2"),
            Self::Compute => ("compute", ""),
            Self::Volume => ("block-storage", ""),
        }
    }

    /// The header `OpenStack-API-Version`; Glance has no microversions.
    fn microversion(self) -> Option<&'static str> {
        match self {
            Self::Image => None,
            Self::Compute => Some("compute 2.79"),
            Self::Volume => Some("volume 3.59"),
        }
    }
}

/// A token and the endpoints it may be used at.
pub(crate) struct Session {
    http: Client,
    token: String,
    region: String,
    catalogue: Value,
}

impl Session {
    /// Logs in as one of the password clouds of clouds.yaml (`lab-admin`, `lab-user`, `lab-other`, …).
    pub(crate) async fn login(name: &str) -> Self {
        let text = std::fs::read_to_string(cloud::directory().join("clouds.yaml")).expect("clouds.yaml can be read");
        let mut clouds: Clouds = serde_json::from_str(&text).expect("`up` writes clouds.yaml as JSON");
        let entry = clouds.clouds.remove(name).unwrap_or_else(|| panic!("no cloud `{name}` in clouds.yaml"));
        // No connection is kept: a test may restart the service between two requests.
        let http = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .expect("the client needs nothing of the machine");
        let domain = json!({"id": "default"});
        let reply = http
            .post(format!("{}/auth/tokens", entry.auth.keystone))
            .json(&json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": entry.auth.username, "domain": domain, "password": entry.auth.password}}},
                "scope": {"project": {"name": entry.auth.project_name, "domain": domain}}}}))
            .send()
            .await
            .expect("Keystone answers");
        assert_eq!(reply.status(), StatusCode::CREATED, "Keystone refused `{name}`");
        let token = reply.headers()["x-subject-token"].to_str().expect("a token is ASCII").to_owned();
        let body: Value = reply.json().await.expect("Keystone answers JSON");
        Self { http, token, region: entry.region_name, catalogue: body["token"]["catalog"].clone() }
    }

    /// The public URL of a service in this session's region.
    fn endpoint(&self, service: Service) -> &str {
        let (kind, _) = service.place();
        let entry = |values: &'_ Value, key: &str, wanted: &str| values[key] == wanted;
        self.catalogue
            .as_array()
            .into_iter()
            .flatten()
            .filter(|service| entry(service, "type", kind))
            .flat_map(|service| service["endpoints"].as_array().into_iter().flatten())
            .find(|point| entry(point, "region_id", &self.region) && entry(point, "interface", "public"))
            .and_then(|point| point["url"].as_str())
            .unwrap_or_else(|| panic!("no endpoint for `{kind}` in `{}`", self.region))
    }

    fn request(&self, method: Method, service: Service, path: &str) -> RequestBuilder {
        let (_, prefix) = service.place();
        let request = self
            .http
            .request(method, format!("{}{prefix}{path}", self.endpoint(service)))
            .header("X-Auth-Token", &self.token);
        match service.microversion() {
            Some(version) => request.header("OpenStack-API-Version", version),
            None => request,
        }
    }

    /// Sends one request; the status, and the body where it is JSON (Glance explains its refusals in HTML).
    pub(crate) async fn send(
        &self,
        method: Method,
        service: Service,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.request(method, service, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }

    /// What a GET answers, which must succeed.
    pub(crate) async fn get(&self, service: Service, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, service, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    async fn create(&self, service: Service, path: &str, body: Value) -> Value {
        let (status, reply) = self.send(Method::POST, service, path, Some(&body)).await;
        assert!(status.is_success(), "POST {path}: {status} {reply}");
        reply
    }

    /// Deletes what stands at a path, which must be there.
    pub(crate) async fn delete(&self, service: Service, path: &str) {
        let (status, body) = self.send(Method::DELETE, service, path, None).await;
        assert!(status.is_success(), "DELETE {path}: {status} {body}");
    }

    /// Applies one JSON patch to an image.
    pub(crate) async fn patch_image(&self, id: &str, patch: &Value) -> (StatusCode, Value) {
        answer(
            self.request(Method::PATCH, Service::Image, &format!("/images/{id}"))
                .body(patch.to_string())
                .header("Content-Type", "application/openstack-images-v2.1-json-patch"),
        )
        .await
    }

    /// Makes a private raw image of one MiB; its id.
    pub(crate) async fn image(&self, name: &str) -> String {
        let record = json!({"name": name, "visibility": "private", "disk_format": "raw", "container_format": "bare"});
        let id = text(&self.create(Service::Image, "/images", record).await["id"]);
        let upload = self
            .request(Method::PUT, Service::Image, &format!("/images/{id}/file"))
            .header("Content-Type", "application/octet-stream")
            .body(vec![0x67; 1 << 20]);
        let (status, body) = answer(upload).await;
        assert!(status.is_success(), "uploading `{name}`: {status} {body}");
        id
    }

    /// Boots a server from an image and waits until it runs; its id.
    pub(crate) async fn server(&self, name: &str, image: &str) -> String {
        let server = json!({"server": {"name": name, "imageRef": image, "flavorRef": "1", "networks": "none"}});
        let id = text(&self.create(Service::Compute, "/servers", server).await["server"]["id"]);
        self.settle(Service::Compute, &format!("/servers/{id}"), "server", "ACTIVE", "ERROR").await;
        id
    }

    /// Makes a volume from an image and waits until it is there; its id.
    pub(crate) async fn volume(&self, name: &str, image: &str) -> String {
        let volume = json!({"volume": {"name": name, "size": 1, "imageRef": image}});
        let id = text(&self.create(Service::Volume, "/volumes", volume).await["volume"]["id"]);
        self.settle(Service::Volume, &format!("/volumes/{id}"), "volume", "available", "error").await;
        id
    }

    /// Waits for a state. The service's own end states bound it: it comes to the wanted one, or it fails.
    async fn settle(&self, service: Service, path: &str, kind: &str, wanted: &str, failed: &str) {
        loop {
            let body = self.get(service, path).await;
            let status = &body[kind]["status"];
            assert!(status != failed, "{body}");
            if status == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let reply = request.send().await.expect("the service answers");
    let status = reply.status();
    let body = reply.text().await.expect("the answer arrives whole");
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn text(value: &Value) -> String {
    value.as_str().expect("an id is a string").to_owned()
}
