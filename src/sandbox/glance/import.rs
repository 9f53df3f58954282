//! Interoperable import: Glance takes staged bytes (`glance-direct`), or fetches them itself from the web (`web-download`)
//! or from the Glance of another region (`glance-download`).
//!
//! The request is answered with 202 at once; the work goes on behind it. As with the real service a failure tells next to
//! nothing, and shows differently each time: the image is queued again or stays `importing`, and
//! `os_glance_failed_import` names the store, or is empty where another region could not be read.

use std::sync::Arc;

use axum::http::StatusCode;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::data::{Intake, Received};
use super::record::ImageRecord;
use super::{Glance, Settings};
use crate::model::image::Status;
use crate::sandbox::answer::{Answer, Refusal, empty, html};
use crate::sandbox::identity::Caller;
use crate::sandbox::image;
use crate::sandbox::server::Shared;

/// The beginnings of the properties that `glance-download` takes along; Glance's own default.
const TAKEN_ALONG: [&str; 5] = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"];
/// The largest disk that is converted.
const LARGEST_DISK: u64 = 256 << 20;

/// One import.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Task {
    id: String,
    /// The image it fills.
    pub(super) image_id: String,
    owner: String,
    user: String,
    request: Value,
    stores: String,
    status: &'static str,
    message: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Task {
    /// The task as Glance shows it.
    pub(super) fn view(&self) -> Value {
        let long = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S.000000").to_string();
        json!({
            "id": self.id, "type": "api_image_import", "status": self.status, "owner": self.owner,
            "created_at": long(self.created_at), "updated_at": long(self.updated_at), "image_id": self.image_id,
            "user_id": self.user, "result": null, "message": self.message,
            "input": {"image_id": self.image_id, "import_req": self.request, "backend": self.stores.split(',').collect::<Vec<_>>()},
        })
    }
}

enum Source {
    Staged(Received),
    Web(String),
    Glance { region: String, image: String, caller: Caller },
}

/// Starts an import.
pub(in crate::sandbox) fn start(shared: &Arc<Shared>, region: &str, id: &str, caller: &Caller, body: &[u8]) -> Answer {
    let request: Value = serde_json::from_slice(body).map_err(|_| bad("Malformed JSON in request body."))?;
    let mut world = shared.world();
    let now = world.now();
    let glance = &mut world.region_of_door(region).glance;
    let source = source(glance, id, caller, &request["method"])?;
    let named: Vec<String> = serde_json::from_value(request["stores"].clone()).unwrap_or_default();
    let stores = glance.settings.stores(&named);
    let image = glance.owned(id, caller, "modify_image")?;
    if image.disk_format.is_none() || image.container_format.is_none() {
        return Err(bad("'disk_format' needs to be set before import"));
    }
    if image.properties.contains_key("os_glance_import_task") {
        return Err(html(StatusCode::CONFLICT, "Image has active task"));
    }
    let stores = stores.map_err(|problem| html(StatusCode::CONFLICT, &problem))?;
    let task = Task {
        id: Uuid::new_v4().to_string(),
        image_id: id.to_owned(),
        owner: caller.project_id.clone(),
        user: caller.user_id.clone(),
        request,
        stores,
        status: "processing",
        message: String::new(),
        created_at: now,
        updated_at: now,
    };
    image.properties.insert("os_glance_import_task".to_owned(), task.id.clone());
    let work =
        Work { shared: Arc::clone(shared), region: region.to_owned(), image: id.to_owned(), task: task.id.clone() };
    glance.tasks.push(task);
    tokio::spawn(work.run(source));
    Ok(empty(StatusCode::ACCEPTED))
}

fn bad(message: &str) -> Refusal {
    html(StatusCode::BAD_REQUEST, message)
}

/// What a request wants imported.
fn source(glance: &mut Glance, id: &str, caller: &Caller, method: &Value) -> Result<Source, Refusal> {
    let name = method["name"].as_str().ok_or_else(|| bad("Import request requires a 'method' field."))?;
    if !glance.settings.import_methods.iter().any(|offered| offered == name) {
        return Err(bad(&format!("Unknown import method name '{name}'.")));
    }
    let image = glance.owned(id, caller, "modify_image")?;
    let (wanted, needs) = match name {
        "glance-direct" => (Status::Uploading, "Image needs to be staged before 'glance-direct' method can be used"),
        _ => (Status::Queued, "Image needs to be in 'queued' state to use this method"),
    };
    if image.status != wanted {
        return Err(html(StatusCode::CONFLICT, needs));
    }
    let text = |key: &str| method[key].as_str().map(str::to_owned);
    let needed = |key: &str| text(key).ok_or_else(|| bad(&format!("'{key}' needs to be set for {name} import method")));
    Ok(match name {
        "glance-direct" => {
            let mut intake = Intake::default();
            intake.take(&image.data.bytes.take().unwrap_or_default());
            Source::Staged(intake.finish())
        }
        "glance-download" => Source::Glance {
            image: needed("glance_image_id")?,
            region: needed("glance_region")?,
            caller: caller.clone(),
        },
        _ => Source::Web(
            text("uri")
                .filter(|uri| uri.starts_with("http"))
                .ok_or_else(|| bad(&format!("URI for web-download does not pass filtering: {}", method["uri"])))?,
        ),
    })
}

struct Work {
    shared: Arc<Shared>,
    region: String,
    image: String,
    task: String,
}

impl Work {
    async fn run(self, source: Source) {
        // Status and traces that a failure leaves, as seen.
        let (failed_as, names_the_store) = match &source {
            Source::Staged(_) => (Status::Importing, true),
            Source::Web(_) => (Status::Queued, true),
            Source::Glance { .. } => (Status::Queued, false),
        };
        let (received, original) = match source {
            Source::Staged(received) => (Some(received), None),
            Source::Web(address) => (self.fetch(&address).await.ok(), None),
            Source::Glance { region, image, caller } => self.copy(&region, &image, &caller).unzip(),
        };
        let mut world = self.shared.world();
        let now = world.now();
        let Glance { tasks, images, settings, .. } = &mut world.region_of_door(&self.region).glance;
        let task = tasks.iter_mut().find(|task| task.id == self.task);
        let Some((task, image)) = task.zip(images.get_mut(&self.image)) else { return };
        if let Some(original) = &original {
            take_along(image, original);
        }
        let received = received.and_then(|received| convert(received, image, settings));
        let mebibytes = received.as_ref().map_or(0, |received| received.data.size.unwrap_or_default() >> 20);
        let done = received.is_some_and(|received| received.store(image, task.stores.clone()).is_ok());
        (task.status, task.message) = if done {
            ("success", format!("Copied {mebibytes} MiB"))
        } else {
            image.status = failed_as;
            ("failure", "Task failed due to Internal Error".to_owned())
        };
        (task.updated_at, image.updated_at) = (now, now);
        let (failed, unfinished) = match (done, names_the_store) {
            (true, _) => ("", ""),
            (false, true) => (task.stores.as_str(), ""),
            (false, false) => ("", task.stores.as_str()),
        };
        image.properties.remove("os_glance_import_task");
        image.properties.insert("os_glance_failed_import".to_owned(), failed.to_owned());
        image.properties.insert("os_glance_importing_to_stores".to_owned(), unfinished.to_owned());
    }

    async fn fetch(&self, address: &str) -> Result<Received, reqwest::Error> {
        let response = self.shared.client.get(address).send().await?.error_for_status()?;
        let mut intake = Intake::default();
        let mut stream = response.bytes_stream();
        while let Some(block) = stream.next().await {
            intake.take(&block?);
        }
        Ok(intake.finish())
    }

    /// The bytes of an image in another region and the image, if the caller may read it there and they have been kept.
    fn copy(&self, region: &str, image: &str, caller: &Caller) -> Option<(Received, ImageRecord)> {
        let mut world = self.shared.world();
        let original = world.region(region).ok()?.glance.visible(image, caller).ok()?.clone();
        let mut intake = Intake::default();
        intake.take(original.data.bytes.as_ref().filter(|_| original.status == Status::Active)?);
        Some((intake.finish(), original))
    }
}

/// What a copy inherits from its original; its own formats are overwritten too.
fn take_along(image: &mut ImageRecord, original: &ImageRecord) {
    let taken = original.properties.iter().filter(|(key, _)| TAKEN_ALONG.iter().any(|prefix| key.starts_with(prefix)));
    image.properties.extend(taken.map(|(key, value)| (key.clone(), value.clone())));
    image.disk_format.clone_from(&original.disk_format);
    image.container_format.clone_from(&original.container_format);
}

/// What the plugin `image_conversion` makes of imported bytes, where it is among the plugins.
fn convert(received: Received, image: &mut ImageRecord, settings: &Settings) -> Option<Received> {
    let Some(wanted) = settings.conversion.clone().filter(|wanted| image.disk_format.as_ref() != Some(wanted)) else {
        return Some(received);
    };
    let disk = image::raw(received.data.bytes.as_ref()?, LARGEST_DISK)?;
    let mut intake = Intake::default();
    intake.take(&disk);
    image.disk_format = Some(wanted);
    Some(intake.finish())
}
