//! Metadata namespaces, as far as they serve as locks: a name that exactly one caller can take, and that is free again
//! after DELETE.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::record::time;
use super::{Glance, forbidden};
use crate::sandbox::answer::{Answer, Call, Refusal, empty, html, json_answer, with_header};
use crate::sandbox::identity::Caller;

/// One namespace.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Namespace {
    name: String,
    fields: Fields,
    owner: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Clone)]
struct Fields {
    display_name: Option<String>,
    description: Option<String>,
    visibility: String,
    protected: bool,
}

impl Fields {
    fn read(body: &Value) -> Self {
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        Self {
            display_name: text("display_name"),
            description: text("description"),
            visibility: text("visibility").unwrap_or_else(|| "private".to_owned()),
            protected: body["protected"].as_bool().unwrap_or(false),
        }
    }
}

impl Namespace {
    fn is_visible_to(&self, caller: &Caller) -> bool {
        caller.is_admin() || self.owner == caller.project_id || self.fields.visibility == "public"
    }

    fn view(&self) -> Value {
        let mut view = json!({"namespace": self.name});
        for (key, value) in [("display_name", &self.fields.display_name), ("description", &self.fields.description)] {
            if let Some(value) = value {
                view[key] = json!(value);
            }
        }
        for (key, value) in [
            ("visibility", json!(self.fields.visibility)),
            ("protected", json!(self.fields.protected)),
            ("owner", json!(self.owner)),
            ("created_at", json!(time(self.created_at))),
            ("updated_at", json!(time(self.updated_at))),
            ("self", json!(format!("/v2/metadefs/namespaces/{}", self.name))),
            ("schema", json!("/v2/schemas/metadefs/namespace")),
        ] {
            view[key] = value;
        }
        view
    }
}

/// Answers what is asked about namespaces.
pub(super) fn answer(glance: &mut Glance, call: &Call<'_>, now: Timestamp) -> Answer {
    match (call.method, &call.segments[3..]) {
        ("GET", []) => {
            let visible = glance.namespaces.values().filter(|namespace| namespace.is_visible_to(call.caller));
            let namespaces: Vec<Value> = visible.map(Namespace::view).collect();
            let body = json!({
                "namespaces": namespaces, "schema": "/v2/schemas/metadefs/namespaces",
                "first": "/v2/metadefs/namespaces",
            });
            Ok(json_answer(StatusCode::OK, &body))
        }
        ("POST", []) => create(glance, call, now),
        ("GET", [name]) => {
            let namespace = glance.namespaces.get(*name).filter(|namespace| namespace.is_visible_to(call.caller));
            let namespace = namespace.ok_or_else(|| html(StatusCode::NOT_FOUND, "The resource could not be found."))?;
            Ok(json_answer(StatusCode::OK, &namespace.view()))
        }
        ("PUT", [name]) => {
            administrator(call, "modify_metadef_namespace")?;
            let body = read(call)?;
            let namespace = glance.namespaces.get_mut(*name).ok_or_else(|| missing(name))?;
            (namespace.fields, namespace.updated_at) = (Fields::read(&body), now);
            Ok(json_answer(StatusCode::OK, &namespace.view()))
        }
        ("DELETE", [name]) => {
            administrator(call, "delete_metadef_namespace")?;
            let namespace = glance.namespaces.get(*name).ok_or_else(|| missing(name))?;
            if namespace.fields.protected {
                let message = format!("Metadata definition namespace {name} is protected and cannot be deleted.");
                return Err(html(StatusCode::FORBIDDEN, &message));
            }
            glance.namespaces.remove(*name);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(html(StatusCode::NOT_FOUND, "The resource could not be found.")),
    }
}

fn create(glance: &mut Glance, call: &Call<'_>, now: Timestamp) -> Answer {
    administrator(call, "add_metadef_namespace")?;
    let body = read(call)?;
    let name = body["namespace"]
        .as_str()
        .ok_or_else(|| html(StatusCode::BAD_REQUEST, "Provided object does not match schema 'namespace'"))?;
    if glance.namespaces.contains_key(name) {
        let message = format!("The metadata definition namespace={name} already exists.");
        return Err(html(StatusCode::CONFLICT, &message));
    }
    let owner = body["owner"].as_str().unwrap_or(&call.caller.project_id).to_owned();
    let namespace =
        Namespace { name: name.to_owned(), fields: Fields::read(&body), owner, created_at: now, updated_at: now };
    let answer = json_answer(StatusCode::CREATED, &namespace.view());
    glance.namespaces.insert(name.to_owned(), namespace);
    Ok(with_header(answer, "location", &format!("{}/v2/metadefs/namespaces/{name}", call.base)))
}

fn administrator(call: &Call<'_>, rule: &str) -> Result<(), Refusal> {
    if call.caller.is_admin() { Ok(()) } else { Err(forbidden(rule)) }
}

fn read(call: &Call<'_>) -> Result<Value, Refusal> {
    call.json().ok_or_else(|| html(StatusCode::BAD_REQUEST, "Malformed JSON in request body."))
}

fn missing(name: &str) -> Refusal {
    html(StatusCode::NOT_FOUND, &format!("Namespace {name} not found"))
}
