//! Interoperable import: Glance fetches the bytes itself (`web-download`) or takes staged ones (`glance-direct`).
//!
//! The request is answered with 202 at once; the work goes on behind it. As with the real service a failure tells next to
//! nothing: the image is queued again, and `os_glance_failed_import` names the store.

use std::sync::Arc;

use axum::http::StatusCode;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::data::{Intake, Received, STORE};
use super::record::ImageRecord;
use crate::model::image::Status;
use crate::sandbox::answer::{Answer, empty, html};
use crate::sandbox::identity::Caller;
use crate::sandbox::server::Shared;

/// One import.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Task {
    id: String,
    /// The image it fills.
    pub(super) image_id: String,
    owner: String,
    user: String,
    request: Value,
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
            "input": {"image_id": self.image_id, "import_req": self.request, "backend": [STORE]},
        })
    }
}

enum Source {
    Web(String),
    Staged(Received),
}

/// Starts an import.
pub(in crate::sandbox) fn start(shared: &Arc<Shared>, region: &str, id: &str, caller: &Caller, body: &[u8]) -> Answer {
    let bad = |message: &str| html(StatusCode::BAD_REQUEST, message);
    let request: Value = serde_json::from_slice(body).map_err(|_| bad("Malformed JSON in request body."))?;
    let method =
        request["method"]["name"].as_str().ok_or_else(|| bad("Import request requires a 'method' field."))?.to_owned();
    let mut world = shared.world();
    let now = world.now();
    let glance = &mut world.region_of_door(region).glance;
    if !glance.import_methods.contains(&method) {
        return Err(bad(&format!("Unknown import method name '{method}'.")));
    }
    let image = glance.owned(id, caller, "modify_image")?;
    let source = if method == "glance-direct" {
        if image.status != Status::Uploading {
            let message = "Image needs to be staged before 'glance-direct' method can be used";
            return Err(html(StatusCode::CONFLICT, message));
        }
        let mut intake = Intake::default();
        intake.take(&image.data.bytes.take().unwrap_or_default());
        Source::Staged(intake.finish())
    } else {
        if image.status != Status::Queued {
            let message = format!("Image needs to be in 'queued' state to use '{method}' method");
            return Err(html(StatusCode::CONFLICT, &message));
        }
        let address = request["method"]["uri"].as_str().filter(|uri| uri.starts_with("http")).ok_or_else(|| {
            bad(&format!("URI for web-download does not pass filtering: {}", request["method"]["uri"]))
        })?;
        Source::Web(address.to_owned())
    };
    if image.disk_format.is_none() || image.container_format.is_none() {
        return Err(bad("'disk_format' needs to be set before import"));
    }
    if image.properties.contains_key("os_glance_import_task") {
        return Err(html(StatusCode::CONFLICT, "Image has active task"));
    }
    let task = Task {
        id: Uuid::new_v4().to_string(),
        image_id: id.to_owned(),
        owner: caller.project_id.clone(),
        user: caller.user_id.clone(),
        request,
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

struct Work {
    shared: Arc<Shared>,
    region: String,
    image: String,
    task: String,
}

impl Work {
    async fn run(self, source: Source) {
        let received = match source {
            Source::Staged(received) => Ok(received),
            Source::Web(address) => self.fetch(&address).await,
        };
        let mut world = self.shared.world();
        let now = world.now();
        let glance = &mut world.region_of_door(&self.region).glance;
        let task = glance.tasks.iter_mut().find(|task| task.id == self.task);
        let Some((task, image)) = task.zip(glance.images.get_mut(&self.image)) else { return };
        let mebibytes = received.as_ref().map_or(0, |received| received.data.size.unwrap_or_default() >> 20);
        let done = received.is_ok_and(|received| received.store(image).is_ok());
        if !done {
            image.status = Status::Queued;
        }
        (task.status, task.message) = if done {
            ("success", format!("Copied {mebibytes} MiB"))
        } else {
            ("failure", "Task failed due to Internal Error".to_owned())
        };
        (task.updated_at, image.updated_at) = (now, now);
        leave_traces(image, if done { "" } else { STORE });
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
}

/// The properties that an import leaves behind.
fn leave_traces(image: &mut ImageRecord, failed: &str) {
    image.properties.remove("os_glance_import_task");
    image.properties.insert("os_glance_failed_import".to_owned(), failed.to_owned());
    image.properties.insert("os_glance_importing_to_stores".to_owned(), String::new());
}
