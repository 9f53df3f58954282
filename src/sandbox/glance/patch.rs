//! PATCH of an image: all of the operations, or none.
//!
//! The operations run on a copy of the record that takes the record's place only if every one of them, and the policy on
//! the result, is satisfied. Glance knows `add`, `remove` and `replace` and no `test`: there is no compare-and-swap.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::attributes::{self, Removal};
use super::record::ImageRecord;
use super::{Glance, forbidden, may_show};
use crate::sandbox::answer::{Answer, Call, Refusal, html, html_with_detail, json_answer, media_type};

const MEDIA_TYPES: [&str; 2] =
    ["application/openstack-images-v2.0-json-patch", "application/openstack-images-v2.1-json-patch"];

/// Answers a PATCH of an image.
pub(super) fn patch(glance: &mut Glance, id: &str, call: &Call<'_>, now: Timestamp) -> Answer {
    let media_type = media_type(call.headers);
    if !MEDIA_TYPES.contains(&media_type.as_str()) {
        return Err(unsupported(&media_type));
    }
    let body = call.json().ok_or_else(|| bad("Malformed JSON in request body."))?;
    let operations = body.as_array().ok_or_else(|| bad("Request body must be a JSON array of operation objects."))?;
    let operations = operations.iter().map(Operation::read).collect::<Result<Vec<_>, _>>()?;

    let image = glance.owned(id, call.caller, "modify_image")?;
    let mut changed = image.clone();
    for operation in &operations {
        operation.apply(&mut changed)?;
    }
    if changed.visibility != image.visibility {
        may_show(call.caller, changed.visibility)?;
    }
    if changed.owner != image.owner && !call.caller.is_admin() {
        return Err(forbidden("modify_image"));
    }
    changed.updated_at = now;
    *image = changed;
    Ok(json_answer(StatusCode::OK, &image.view()))
}

enum Operation<'a> {
    Set { key: String, value: &'a Value, existing: Existing },
    Remove { key: String },
}

/// Whether what is set must have been there.
#[derive(PartialEq, Eq)]
enum Existing {
    Required,
    Ignored,
}

impl<'a> Operation<'a> {
    fn read(operation: &'a Value) -> Result<Self, Refusal> {
        let operation = operation.as_object().ok_or_else(|| bad("Operations must be JSON objects."))?;
        let word = operation.get("op").and_then(Value::as_str).ok_or_else(|| {
            bad("Unable to find `op` in JSON Schema change. It must be one of the following: add, remove, replace.")
        })?;
        if !["add", "remove", "replace"].contains(&word) {
            let message =
                format!("Invalid operation: `{word}`. It must be one of the following: add, remove, replace.");
            return Err(bad(&message));
        }
        let path = operation
            .get("path")
            .and_then(Value::as_str)
            .ok_or_else(|| bad("Unable to find 'path' in JSON Schema change"))?;
        let key = read_pointer(path)?;
        if word == "remove" {
            return Ok(Self::Remove { key });
        }
        let value = operation
            .get("value")
            .ok_or_else(|| bad(&format!("Operation \"{word}\" requires a member named \"value\".")))?;
        let existing = if word == "replace" { Existing::Required } else { Existing::Ignored };
        Ok(Self::Set { key, value, existing })
    }

    fn apply(&self, image: &mut ImageRecord) -> Result<(), Refusal> {
        match self {
            Self::Set { key, value, existing } => {
                // What is read-only is refused as such, before anybody asks whether it exists.
                let present = attributes::exists(image, key);
                attributes::set(image, key, value)?;
                if *existing == Existing::Required && !present { Err(absent(key)) } else { Ok(()) }
            }
            Self::Remove { key } => attributes::remove(image, key).map_err(|reason| match reason {
                Removal::Missing => absent(key),
                Removal::Forbidden => html_with_detail(
                    StatusCode::FORBIDDEN,
                    "Access was denied to this resource.",
                    &format!("Property {key} may not be removed."),
                ),
            }),
        }
    }
}

/// The one key a pointer names; `~1` stands for `/` and `~0` for `~` (RFC 6901).
fn read_pointer(path: &str) -> Result<String, Refusal> {
    let key = path.strip_prefix('/').ok_or_else(|| bad(&format!("Pointer `{path}` does not start with \"/\".")))?;
    if key.is_empty() || key.contains('/') || key == "locations" {
        return Err(bad(&format!("Invalid JSON pointer for this resource: '{path}'")));
    }
    Ok(key.replace("~1", "/").replace("~0", "~"))
}

fn absent(key: &str) -> Refusal {
    let message = "There was a conflict when trying to complete your request.";
    html_with_detail(StatusCode::CONFLICT, message, &format!("Property {key} does not exist."))
}

fn bad(message: &str) -> Refusal {
    html(StatusCode::BAD_REQUEST, message)
}

fn unsupported(media_type: &str) -> Refusal {
    let known = MEDIA_TYPES.join(", ");
    html_with_detail(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        &format!("The request media type {media_type} is not supported by this server."),
        &format!("Image PATCH expects Content-Type one of: {known}"),
    )
    .with_header("accept-patch", known)
}
