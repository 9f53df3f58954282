//! What may be written to an image record, by POST and by PATCH.
//!
//! The rules are those of Glance's `image` schema and of its PATCH code: which attributes are read-only (403), reserved
//! (403), typed (400), and that everything else is a custom property whose value is a string.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::record::ImageRecord;
use crate::model::image::{Status, Visibility};
use crate::sandbox::answer::{Refusal, html};

/// Attributes that only Glance writes.
const READ_ONLY: [&str; 13] = [
    "id",
    "status",
    "created_at",
    "updated_at",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "size",
    "virtual_size",
    "file",
    "schema",
    "self",
    "direct_url",
];
/// Attributes that every image has, so that none can be removed.
const BASE: [&str; 10] = [
    "name",
    "visibility",
    "protected",
    "os_hidden",
    "min_disk",
    "min_ram",
    "owner",
    "tags",
    "disk_format",
    "container_format",
];
const DISK_FORMATS: [&str; 11] = ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"];
const CONTAINER_FORMATS: [&str; 8] = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"];
/// Longest name, tag and property name, in characters.
const LONGEST: usize = 255;

/// Writes one attribute or custom property.
pub(super) fn set(image: &mut ImageRecord, key: &str, value: &Value) -> Result<(), Refusal> {
    refuse_read_only(key)?;
    match key {
        "name" => image.name = optional_text(key, value)?,
        "owner" => image.owner = optional_text(key, value)?,
        "visibility" => {
            let word = text(value)?;
            image.visibility = Visibility::from_name(&word).ok_or_else(|| not_one_of(&word, "visibility"))?;
        }
        "protected" => image.protected = flag(value)?,
        "os_hidden" => image.hidden = flag(value)?,
        "min_disk" => image.min_disk = number(key, value)?,
        "min_ram" => image.min_ram = number(key, value)?,
        "tags" => {
            let tags = value.as_array().ok_or_else(|| wrong_type(value, "array"))?;
            image.tags = tags.iter().map(tag).collect::<Result<BTreeSet<_>, _>>()?;
        }
        "disk_format" => image.disk_format = format(image.status, key, value, &DISK_FORMATS)?,
        "container_format" => image.container_format = format(image.status, key, value, &CONTAINER_FORMATS)?,
        _ => {
            if key.chars().count() > LONGEST {
                return Err(schema(&format!("'{key}' is too long")));
            }
            image.properties.insert(key.to_owned(), text(value)?);
        }
    }
    Ok(())
}

/// Whether the image has that attribute or property.
pub(super) fn exists(image: &ImageRecord, key: &str) -> bool {
    BASE.contains(&key) || image.properties.contains_key(key)
}

/// Takes a custom property away; the base attributes stay.
pub(super) fn remove(image: &mut ImageRecord, key: &str) -> Result<(), Removal> {
    if refuse_read_only(key).is_err() || BASE.contains(&key) {
        return Err(Removal::Forbidden);
    }
    image.properties.remove(key).map(|_| ()).ok_or(Removal::Missing)
}

/// Why a property was not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// Every image has it.
    Forbidden,
    /// This image does not have it.
    Missing,
}

/// The id a client has chosen.
pub(super) fn identifier(value: &Value) -> Result<String, Refusal> {
    let id = text(value)?;
    if id.len() == 36 && Uuid::try_parse(&id).is_ok() {
        Ok(id)
    } else {
        Err(schema(&format!("'{id}' does not match the pattern of a UUID")))
    }
}

/// One tag.
pub(super) fn tag(value: &Value) -> Result<String, Refusal> {
    let tag = text(value)?;
    if tag.chars().count() > LONGEST { Err(schema(&format!("'{tag}' is too long"))) } else { Ok(tag) }
}

fn refuse_read_only(key: &str) -> Result<(), Refusal> {
    if READ_ONLY.contains(&key) {
        return Err(html(StatusCode::FORBIDDEN, &format!("Attribute '{key}' is read-only.")));
    }
    if key.starts_with("os_glance_") {
        return Err(html(StatusCode::FORBIDDEN, &format!("Attribute '{key}' is reserved.")));
    }
    Ok(())
}

fn optional_text(key: &str, value: &Value) -> Result<Option<String>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let text = text(value)?;
    if text.chars().count() > LONGEST {
        return Err(schema(&format!("'{text}' is too long")));
    }
    // MariaDB's three-byte utf8.
    if text.chars().any(|character| character.len_utf8() > 3) {
        let subject = if key == "name" { "Name" } else { "Owner" };
        return Err(html(StatusCode::BAD_REQUEST, &format!("{subject} can't contain 4 byte unicode characters.")));
    }
    Ok(Some(text))
}

fn format(status: Status, key: &str, value: &Value, known: &[&str]) -> Result<Option<String>, Refusal> {
    if status != Status::Queued {
        let message = format!("Attribute {key} can be only replaced for a queued image.");
        return Err(html(StatusCode::FORBIDDEN, &message));
    }
    match optional_text(key, value)? {
        Some(word) if !known.contains(&word.as_str()) => Err(not_one_of(&word, key)),
        word => Ok(word),
    }
}

fn text(value: &Value) -> Result<String, Refusal> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong_type(value, "string"))
}

fn flag(value: &Value) -> Result<bool, Refusal> {
    value.as_bool().ok_or_else(|| wrong_type(value, "boolean"))
}

fn number(key: &str, value: &Value) -> Result<u64, Refusal> {
    if value.as_i64().is_some_and(|number| number < 0) {
        let message = format!("Invalid value '{value}' for parameter '{key}': Cannot be a negative value");
        return Err(html(StatusCode::BAD_REQUEST, &message));
    }
    value.as_u64().ok_or_else(|| wrong_type(value, "integer"))
}

fn wrong_type(value: &Value, wanted: &str) -> Refusal {
    let shown = value.as_str().map_or_else(|| value.to_string(), |text| format!("'{text}'"));
    schema(&format!("{shown} is not of type '{wanted}'"))
}

fn not_one_of(word: &str, key: &str) -> Refusal {
    schema(&format!("'{word}' is not one of the values of '{key}'"))
}

fn schema(problem: &str) -> Refusal {
    html(StatusCode::BAD_REQUEST, &format!("Provided object does not match schema 'image': {problem}"))
}
