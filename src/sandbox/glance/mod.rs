//! Glance v2.
//!
//! `record` is one image, `attributes` what may be written to it, `patch` the PATCH, `list` finds, `data` takes and gives
//! bytes, `import` fetches them, `members` shares, `metadefs` keeps the namespaces that serve as locks. Behaves like Glance 33
//! (2026.2) with a file store: it protects nothing that is in use, has no compare-and-swap, and forgets no id.

mod attributes;
pub(super) mod data;
pub(super) mod import;
mod list;
mod members;
mod metadefs;
mod patch;
mod record;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Answer, Call, Refusal, empty, html, html_with_detail, json_answer, with_header};
use super::identity::{Caller, Role};
use crate::model::image::{Status, Visibility};

pub(super) use self::data::receive;
pub(super) use self::record::time;
pub use self::record::{Data, ImageRecord, Membership};

/// The images of a region.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// The images there are, by id.
    pub(super) images: BTreeMap<String, ImageRecord>,
    /// The images there were: their ids stay taken, and a page may still begin behind one.
    pub(super) deleted: BTreeMap<String, ImageRecord>,
    /// Imports, in order.
    pub(super) tasks: Vec<import::Task>,
    /// Metadata namespaces, by name.
    pub(super) namespaces: BTreeMap<String, metadefs::Namespace>,
    /// How it takes bytes in.
    pub(super) settings: Settings,
}

/// How a Glance takes bytes in, as its operator has set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The import methods on offer, of `glance-direct`, `web-download` and `glance-download`.
    pub import_methods: Vec<String>,
    /// The stores, the default one first.
    pub stores: Vec<String>,
    /// The format that the plugin `image_conversion` makes of what is imported, where it is among the plugins. Here it
    /// makes `raw` of the qcow2 images that [`crate::sandbox::image`] makes, and of nothing else.
    pub conversion: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let methods = ["glance-direct", "web-download", "glance-download"];
        Self { import_methods: methods.map(str::to_owned).into(), stores: vec!["file".to_owned()], conversion: None }
    }
}

impl Settings {
    /// The stores that an import or an upload names, or why it cannot.
    fn stores(&self, named: &[String]) -> Result<String, String> {
        match named.iter().find(|store| !self.stores.contains(store)) {
            Some(unknown) => Err(format!("Store for identifier {unknown} not found")),
            None if named.is_empty() => Ok(self.stores.first().cloned().unwrap_or_default()),
            None => Ok(named.join(",")),
        }
    }
}

impl Glance {
    /// The image of that id, if the caller may know of it.
    pub(super) fn visible(&mut self, id: &str, caller: &Caller) -> Result<&mut ImageRecord, Refusal> {
        self.images.get_mut(id).filter(|image| image.is_visible_to(caller)).ok_or_else(|| missing(id))
    }

    /// The image of that id, if the caller may do that to it.
    fn owned(&mut self, id: &str, caller: &Caller, rule: &str) -> Result<&mut ImageRecord, Refusal> {
        let image = self.visible(id, caller)?;
        if image.belongs_to(caller) && caller.role > Role::Reader { Ok(image) } else { Err(forbidden(rule)) }
    }
}

/// Answers everybody, with or without a token.
pub(super) fn open(call: &Call<'_>) -> Option<Answer> {
    let status = match call.segments.as_slice() {
        ["versions"] => StatusCode::OK,
        ["v2", ..] => return None,
        _ => StatusCode::MULTIPLE_CHOICES,
    };
    let versions: Vec<Value> = (0..=18)
        .rev()
        .map(|minor| {
            json!({
                "id": format!("v2.{minor}"), "status": if minor == 18 { "CURRENT" } else { "SUPPORTED" },
                "links": [{"rel": "self", "href": format!("{}/v2/", call.base)}],
            })
        })
        .collect();
    Some(Ok(json_answer(status, &json!({"versions": versions}))))
}

/// Answers a caller with a token, apart from the requests that stream.
pub(super) fn answer(glance: &mut Glance, call: &Call<'_>, now: Timestamp) -> Answer {
    let caller = call.caller;
    match (call.method, call.segments.as_slice()) {
        ("GET", ["v2", "images"]) => list::list(glance, call),
        ("POST", ["v2", "images"]) => create(glance, call, now),
        (_, ["v2", "images"]) => Err(not_allowed(call, "GET, POST")),
        ("GET", ["v2", "images", id]) => Ok(json_answer(StatusCode::OK, &glance.visible(id, caller)?.view())),
        ("PATCH", ["v2", "images", id]) => patch::patch(glance, id, call, now),
        ("DELETE", ["v2", "images", id]) => delete(glance, id, caller),
        (_, ["v2", "images", _]) => Err(not_allowed(call, "DELETE, GET, PATCH")),
        ("GET", ["v2", "images", id, "file"]) => data::download(glance.visible(id, caller)?, call),
        ("POST", ["v2", "images", id, "actions", action @ ("deactivate" | "reactivate")]) => {
            activate(glance.owned(id, caller, action)?, action, now)
        }
        ("PUT" | "DELETE", ["v2", "images", id, "tags", tag]) => {
            change_tag(glance.owned(id, caller, "modify_image")?, call.method, tag, now)
        }
        ("GET", ["v2", "images", id, "tasks"]) => {
            glance.visible(id, caller)?;
            let tasks: Vec<Value> =
                glance.tasks.iter().filter(|task| task.image_id == *id).map(import::Task::view).collect();
            Ok(json_answer(StatusCode::OK, &json!({"tasks": tasks})))
        }
        (_, ["v2", "images", id, "members", ..]) => members::answer(glance, id, call, now),
        (_, ["v2", "metadefs", "namespaces", ..]) => metadefs::answer(glance, call, now),
        ("GET", ["v2", "info", "import"]) => {
            let methods = json!({
                "description": "Import methods available.", "type": "array", "value": glance.settings.import_methods,
            });
            Ok(json_answer(StatusCode::OK, &json!({"import-methods": methods})))
        }
        ("GET", ["v2", "info", "stores"]) => {
            let store = |(place, id): (usize, &String)| {
                if place == 0 { json!({"id": id, "default": "true"}) } else { json!({"id": id}) }
            };
            let stores: Vec<Value> = glance.settings.stores.iter().enumerate().map(store).collect();
            Ok(json_answer(StatusCode::OK, &json!({"stores": stores})))
        }
        _ => Err(html(StatusCode::NOT_FOUND, "The resource could not be found.")),
    }
}

/// Why an unknown image is not found.
fn missing(id: &str) -> Refusal {
    html(StatusCode::NOT_FOUND, &format!("No image found with ID {id}"))
}

/// What Glance's policy says when it refuses.
fn forbidden(rule: &str) -> Refusal {
    html(StatusCode::FORBIDDEN, &format!("You are not authorized to complete {rule} action."))
}

/// The policy on who may see an image: only administrators show one to everybody.
fn may_show(caller: &Caller, visibility: Visibility) -> Result<(), Refusal> {
    match visibility {
        Visibility::Public if !caller.is_admin() => Err(forbidden("publicize_image")),
        Visibility::Public | Visibility::Community | Visibility::Shared | Visibility::Private => Ok(()),
    }
}

fn not_allowed(call: &Call<'_>, allowed: &str) -> Refusal {
    let message = format!("The method {} is not allowed for this resource. ", call.method);
    html(StatusCode::METHOD_NOT_ALLOWED, &message).with_header("allow", allowed)
}

fn create(glance: &mut Glance, call: &Call<'_>, now: Timestamp) -> Answer {
    let caller = call.caller;
    if caller.role == Role::Reader {
        return Err(forbidden("add_image"));
    }
    let body = call.json().ok_or_else(|| html(StatusCode::BAD_REQUEST, "Malformed JSON in request body."))?;
    let fields = body.as_object().ok_or_else(|| {
        html(StatusCode::BAD_REQUEST, "Provided object does not match schema 'image': it is not of type 'object'")
    })?;
    let mut image = ImageRecord::new(Uuid::new_v4().to_string(), caller.project_id.clone(), now);
    for (key, value) in fields {
        if key == "id" {
            image.id = attributes::identifier(value)?;
        } else {
            attributes::set(&mut image, key, value)?;
        }
    }
    may_show(caller, image.visibility)?;
    if !image.belongs_to(caller) {
        let owner = image.owner.unwrap_or_default();
        let detail = format!("You are not permitted to create images owned by '{owner}'");
        return Err(html_with_detail(StatusCode::FORBIDDEN, "Access was denied to this resource.", &detail));
    }
    if glance.images.contains_key(&image.id) || glance.deleted.contains_key(&image.id) {
        return Err(html(StatusCode::CONFLICT, &format!("Image ID {} already exists!", image.id)));
    }
    let response = json_answer(StatusCode::CREATED, &image.view());
    let response = with_header(response, "location", &format!("{}/v2/images/{}", call.base, image.id));
    let response = with_header(response, "openstack-image-import-methods", &glance.settings.import_methods.join(","));
    glance.images.insert(image.id.clone(), image);
    Ok(with_header(response, "openstack-image-store-ids", &glance.settings.stores.join(",")))
}

fn delete(glance: &mut Glance, id: &str, caller: &Caller) -> Answer {
    if glance.visible(id, caller).is_err() {
        return Err(html(StatusCode::NOT_FOUND, &format!("Failed to find image {id} to delete")));
    }
    if glance.owned(id, caller, "delete_image")?.protected {
        let message = format!("Image {id} is protected and cannot be deleted.");
        return Err(html(StatusCode::FORBIDDEN, &message));
    }
    if let Some(mut image) = glance.images.remove(id) {
        image.data.bytes = None;
        glance.deleted.insert(id.to_owned(), image);
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

fn activate(image: &mut ImageRecord, action: &str, now: Timestamp) -> Answer {
    if !matches!(image.status, Status::Active | Status::Deactivated) {
        let message = format!("Not allowed to {action} image in status '{}'", image.status);
        return Err(html(StatusCode::FORBIDDEN, &message));
    }
    image.status = if action == "deactivate" { Status::Deactivated } else { Status::Active };
    image.updated_at = now;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn change_tag(image: &mut ImageRecord, method: &str, tag: &str, now: Timestamp) -> Answer {
    if method == "PUT" {
        image.tags.insert(attributes::tag(&json!(tag))?);
    } else if !image.tags.remove(tag) {
        return Err(html(StatusCode::NOT_FOUND, "The resource could not be found."));
    }
    image.updated_at = now;
    Ok(empty(StatusCode::NO_CONTENT))
}
