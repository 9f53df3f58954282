//! The sandbox seen through HTTP, as any client sees it. What is asserted here was first seen on a real cloud.

mod catalogue;
mod misfortune;
mod usage;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Options, Sandbox};

const REGION: &str = "RegionOne";
const PATCH: &str = "application/openstack-images-v2.1-json-patch";

/// A client of one user.
struct User {
    client: Client,
    token: String,
    catalogue: Value,
}

impl User {
    async fn of(sandbox: &Sandbox, name: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let password = {
            let world = sandbox.world();
            world.identity.users.iter().find(|user| user.name == name).unwrap().password.clone()
        };
        let body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {
            "name": name, "domain": {"name": "Default"}, "password": password,
        }}}}});
        let response = client.post(format!("{}/auth/tokens", sandbox.auth_url())).json(&body).send().await.unwrap();
        assert_eq!(response.status(), 201);
        let token = response.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = response.json().await.unwrap();
        Self { client, token, catalogue: body["token"]["catalog"].clone() }
    }

    fn endpoint(&self, kind: &str) -> String {
        let services = self.catalogue.as_array().unwrap();
        let service = services.iter().find(|service| service["type"] == kind).unwrap();
        service["endpoints"][0]["url"].as_str().unwrap().to_owned()
    }

    fn request(&self, method: Method, kind: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.endpoint(kind)) };
        self.client.request(method, url).header("x-auth-token", &self.token)
    }

    async fn get(&self, kind: &str, path: &str) -> (StatusCode, Value) {
        answered(self.request(Method::GET, kind, path)).await
    }

    async fn create(&self, fields: Value) -> String {
        let (status, image) = answered(self.request(Method::POST, "image", "/v2/images").json(&fields)).await;
        assert_eq!(status, 201, "{image}");
        image["id"].as_str().unwrap().to_owned()
    }

    async fn patch(&self, id: &str, operations: Value) -> (StatusCode, Value) {
        let request = self.request(Method::PATCH, "image", &format!("/v2/images/{id}"));
        answered(request.header("content-type", PATCH).body(operations.to_string())).await
    }

    fn put(&self, id: &str, bytes: Vec<u8>) -> RequestBuilder {
        let request = self.request(Method::PUT, "image", &format!("/v2/images/{id}/file"));
        request.header("content-type", "application/octet-stream").body(bytes)
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let (status, page) = self.get("image", &format!("/v2/images?sort=name:asc&{query}")).await;
        assert_eq!(status, 200, "{page}");
        let images = page["images"].as_array().unwrap();
        images.iter().map(|image| image["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Status and body; a page of HTML as a string.
async fn answered(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn sandbox() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

fn qcow2() -> Value {
    json!({"name": "tiny", "disk_format": "qcow2", "container_format": "bare", "visibility": "private"})
}
