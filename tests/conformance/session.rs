//! One user's session over plain HTTP, written apart from gallerist's own OpenStack code, so that one mistake cannot
//! hide in both. It prepares what a test needs: images with bytes, servers, volumes; and it remembers what it has made.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// The part of clouds.yaml that a password login needs.
#[derive(Deserialize)]
struct Clouds {
    clouds: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Auth,
    region_name: Option<String>,
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

    /// The key of clouds.yaml that puts another endpoint in place of the catalogue's.
    pub(crate) fn override_key(self) -> &'static str {
        match self {
            Self::Image => "image_endpoint_override",
            Self::Compute => "compute_endpoint_override",
            Self::Volume => "block_storage_endpoint_override",
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
    project: String,
    /// What was made and not yet deleted, oldest first.
    made: Mutex<Vec<(Service, String)>>,
}

impl Session {
    /// Logs in as a password cloud of a clouds.yaml, for its own region where none is named.
    pub(crate) async fn login(clouds: &Path, name: &str, region: Option<&str>) -> Self {
        let file = std::fs::read_to_string(clouds).expect("clouds.yaml can be read");
        let mut clouds: Clouds = serde_saphyr::from_str(&file).expect("clouds.yaml has password clouds only");
        let entry = clouds.clouds.remove(name).unwrap_or_else(|| panic!("no cloud `{name}` in clouds.yaml"));
        let region = region.map(str::to_owned).or(entry.region_name).expect("a region was named");
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
        let project = text(&body["token"]["project"]["id"]);
        let catalogue = body["token"]["catalog"].clone();
        Self { http, token, region, catalogue, project, made: Mutex::default() }
    }

    /// Id of the project.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The public URL of a service in this session's region.
    pub(crate) fn endpoint(&self, service: Service) -> &str {
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

    /// Makes something at a path; its id, which stands where `id` says.
    async fn create(&self, service: Service, path: &str, body: Value, id: &str) -> String {
        let (status, reply) = self.send(Method::POST, service, path, Some(&body)).await;
        assert!(status.is_success(), "POST {path}: {status} {reply}");
        let id = text(reply.pointer(id).unwrap_or_else(|| panic!("no `{id}` in {reply}")));
        self.made().push((service, format!("{path}/{id}")));
        id
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Vec<(Service, String)>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes what stands at a path, which must be there, and waits until it is gone.
    pub(crate) async fn delete(&self, service: Service, path: &str) {
        let (status, body) = self.send(Method::DELETE, service, path, None).await;
        assert!(status.is_success(), "DELETE {path}: {status} {body}");
        self.made().retain(|(_, made)| made != path);
        while self.send(Method::GET, service, path, None).await.0 != StatusCode::NOT_FOUND {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Deletes what is left of what was made, newest first. What another has deleted already is no matter.
    pub(crate) async fn clear(&self) {
        let made = std::mem::take(&mut *self.made());
        let deletions = made.iter().rev().map(|(service, path)| self.send(Method::DELETE, *service, path, None));
        futures_util::stream::iter(deletions).buffered(8).for_each(|_| std::future::ready(())).await;
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

    /// Makes an image of one MiB; its id.
    pub(crate) async fn image(&self, fields: Value) -> String {
        let id = self.record(fields).await;
        let upload = self
            .request(Method::PUT, Service::Image, &format!("/images/{id}/file"))
            .header("Content-Type", "application/octet-stream")
            .body(vec![0x67; 1 << 20]);
        let (status, body) = answer(upload).await;
        assert!(status.is_success(), "uploading `{id}`: {status} {body}");
        id
    }

    /// Makes the record of a raw image, without bytes; its id.
    pub(crate) async fn record(&self, fields: Value) -> String {
        let mut record = json!({"disk_format": "raw", "container_format": "bare", "visibility": "private"});
        for (key, value) in fields.as_object().into_iter().flatten() {
            record[key] = value.clone();
        }
        self.create(Service::Image, "/images", record, "/id").await
    }

    /// Boots a server from an image and waits until it runs; its id.
    pub(crate) async fn server(&self, name: &str, image: &str) -> String {
        let server = json!({"server": {"name": name, "imageRef": image, "flavorRef": "1", "networks": "none"}});
        let id = self.create(Service::Compute, "/servers", server, "/server/id").await;
        self.settle(Service::Compute, &format!("/servers/{id}"), "/server/status", "ACTIVE", "ERROR").await;
        id
    }

    /// Makes an image of a server, as for a backup, and waits until it is there; its id.
    pub(crate) async fn snapshot(&self, server: &str, name: &str) -> String {
        let order = json!({"createImage": {"name": name}});
        let path = format!("/servers/{server}/action");
        let (status, reply) = self.send(Method::POST, Service::Compute, &path, Some(&order)).await;
        assert!(status.is_success(), "POST {path}: {status} {reply}");
        let id = text(&reply["image_id"]);
        let path = format!("/images/{id}");
        self.made().push((Service::Image, path.clone()));
        self.settle(Service::Image, &path, "/status", "active", "killed").await;
        id
    }

    /// Makes a volume from an image and waits until it is there; its id.
    pub(crate) async fn volume(&self, name: &str, image: &str) -> String {
        let volume = json!({"volume": {"name": name, "size": 1, "imageRef": image}});
        let id = self.create(Service::Volume, "/volumes", volume, "/volume/id").await;
        self.settle(Service::Volume, &format!("/volumes/{id}"), "/volume/status", "available", "error").await;
        id
    }

    /// An image as this user sees it; none where it does not.
    pub(crate) async fn sees(&self, image: &str) -> Option<Value> {
        let (status, body) = self.send(Method::GET, Service::Image, &format!("/images/{image}"), None).await;
        match status {
            StatusCode::OK => Some(body),
            StatusCode::NOT_FOUND => None,
            other => panic!("GET {image}: {other} {body}"),
        }
    }

    /// The bytes of an image.
    pub(crate) async fn download(&self, image: &str) -> Vec<u8> {
        let reply = self.request(Method::GET, Service::Image, &format!("/images/{image}/file")).send().await;
        let reply = reply.expect("Glance answers");
        assert_eq!(reply.status(), StatusCode::OK);
        reply.bytes().await.expect("the bytes arrive whole").to_vec()
    }

    /// Every image that a query finds, page by page, oldest first.
    pub(crate) async fn images(&self, query: &[(&str, &str)]) -> Vec<Value> {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let mut next = Some(format!("/images?limit=1000&sort=created_at:asc&{encoded}"));
        let mut images = Vec::new();
        while let Some(path) = next {
            let page = self.get(Service::Image, &path).await;
            images.extend(page["images"].as_array().expect("a page has images").iter().cloned());
            next = page["next"].as_str().map(|next| next.trim_start_matches("/v2").to_owned());
        }
        images
    }

    /// Waits for a state. The service's own end states bound it: it comes to the wanted one, or it fails.
    async fn settle(&self, service: Service, path: &str, status: &str, wanted: &str, failed: &str) {
        loop {
            let body = self.get(service, path).await;
            let status = body.pointer(status).unwrap_or_else(|| panic!("no `{status}` in {body}"));
            assert!(status != failed, "{body}");
            if status == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
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
