//! Cinder.
//!
//! Behaves like Cinder 29 (2026.2): the `glance_metadata` filter is ignored below microversion 3.4, badly written it matches
//! nothing, `all_tenants` of anybody but an administrator is ignored without a word, and a volume only gets its image
//! metadata when it has been filled: while it is `creating` no filter finds it by its image.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::answer::{Answer, Call, Refusal, empty, fault, header_text, json_answer, with_header};
use super::glance::ImageRecord;
use super::identity::{Caller, Role};
use super::region::Region;
use crate::model::image::Status;

const NEWEST: u32 = 71;
/// Volumes on a page, at most and by default.
const PAGE: usize = 1000;
const PLAIN_FILTERS: [&str; 5] = ["id", "status", "name", "project_id", "bootable"];
const OPTIONS: [&str; 10] = [
    "all_tenants",
    "limit",
    "marker",
    "offset",
    "sort",
    "sort_key",
    "sort_dir",
    "with_count",
    "glance_metadata",
    "metadata",
];

/// The volumes of a region.
#[derive(Debug, Default)]
pub(super) struct Cinder {
    pub(super) volumes: BTreeMap<String, VolumeRecord>,
}

/// Whether a volume can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeState {
    /// It is being filled. It is ready when it is looked at next.
    Filling,
    /// It is being filled until somebody says otherwise.
    Stuck,
    /// It can be used.
    Available,
    /// A server uses it.
    InUse,
}

/// One volume as Cinder's database has it.
#[derive(Debug, Clone)]
pub struct VolumeRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Id of the project that owns it.
    pub project: String,
    /// GiB.
    pub size: u64,
    /// Whether it can be used.
    pub state: VolumeState,
    /// Servers it is attached to.
    pub servers: Vec<String>,
    /// What is known about the image it was made from; empty where it was made from none.
    pub image_metadata: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl VolumeRecord {
    /// Lets a volume that is being filled become ready.
    pub(super) fn settle(&mut self) {
        if self.state == VolumeState::Filling {
            self.state = if self.servers.is_empty() { VolumeState::Available } else { VolumeState::InUse };
        }
    }

    /// Gives the volume to a server.
    pub(super) fn attach(&mut self, server: &str) {
        self.servers.push(server.to_owned());
        self.state = VolumeState::InUse;
    }

    fn status(&self) -> &'static str {
        match self.state {
            VolumeState::Filling | VolumeState::Stuck => "creating",
            VolumeState::Available => "available",
            VolumeState::InUse => "in-use",
        }
    }

    /// What the volume says about its image: nothing until it has been filled.
    fn known_image_metadata(&self) -> Option<&BTreeMap<String, String>> {
        let filled = matches!(self.state, VolumeState::Available | VolumeState::InUse);
        Some(&self.image_metadata).filter(|metadata| filled && !metadata.is_empty())
    }

    fn entry(&self, call: &Call<'_>) -> Value {
        let link = format!("{}/v3/volumes/{}", call.base, self.id);
        json!({"id": self.id, "name": self.name, "links": [{"rel": "self", "href": link}]})
    }

    fn view(&self, call: &Call<'_>) -> Value {
        let attachments: Vec<Value> = self
            .servers
            .iter()
            .map(|server| json!({"server_id": server, "volume_id": self.id, "id": self.id, "device": "/dev/vda"}))
            .collect();
        let mut view = json!({
            "id": self.id, "status": self.status(), "size": self.size, "availability_zone": "nova",
            "created_at": self.created_at.strftime("%Y-%m-%dT%H:%M:%S.000000").to_string(), "updated_at": null,
            "name": self.name, "description": null, "volume_type": "sandbox", "snapshot_id": null,
            "source_volid": null, "metadata": {}, "user_id": self.project, "encrypted": false, "multiattach": false,
            "bootable": if self.known_image_metadata().is_some() { "true" } else { "false" },
            "attachments": attachments, "os-vol-tenant-attr:tenant_id": self.project,
            "links": [{"rel": "self", "href": format!("{}/v3/volumes/{}", call.base, self.id)}],
        });
        if let Some(metadata) = self.known_image_metadata() {
            view["volume_image_metadata"] = json!(metadata);
        }
        view
    }
}

/// Answers everybody, with or without a token.
pub(super) fn open(call: &Call<'_>) -> Option<Answer> {
    let version = json!({
        "id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0", "updated": "2023-08-31T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v3/", call.base)}],
    });
    match call.segments.as_slice() {
        [] => Some(Ok(json_answer(StatusCode::MULTIPLE_CHOICES, &json!({"versions": [version]})))),
        // The real service wants a token here; `/` is what clients use to discover versions.
        ["v3"] => Some(Ok(json_answer(StatusCode::OK, &json!({"versions": [version]})))),
        _ => None,
    }
}

/// Answers a caller with a token.
pub(super) fn answer(region: &mut Region, call: &Call<'_>, now: Timestamp) -> Answer {
    let minor = microversion(call.headers)?;
    let label = format!("volume 3.{minor}");
    let path = call.segments.get(1..).unwrap_or_default();
    // Both endpoints of the catalogue: with the project's id in front, and without.
    let path = if path.first().is_some_and(|first| *first == call.caller.project_id) { &path[1..] } else { path };
    route(region, call, path, minor, now)
        .map(|response| with_header(response, "openstack-api-version", &label))
        .map_err(|refusal| refusal.with_header("openstack-api-version", &label))
}

fn route(region: &mut Region, call: &Call<'_>, path: &[&str], minor: u32, now: Timestamp) -> Answer {
    let volumes = &mut region.cinder.volumes;
    let missing = |id: &str| fault(StatusCode::NOT_FOUND, &format!("Volume {id} could not be found."));
    let own = |volume: &&mut VolumeRecord| call.caller.is_admin() || volume.project == call.caller.project_id;
    match (call.method, path) {
        ("GET", ["volumes"]) => list(volumes, call, minor, VolumeRecord::entry),
        ("GET", ["volumes", "detail"]) => list(volumes, call, minor, VolumeRecord::view),
        ("POST", ["volumes"]) => create(region, call, now),
        ("GET", ["volumes", id]) => {
            let volume = volumes.get_mut(*id).filter(own).ok_or_else(|| missing(id))?;
            volume.settle();
            Ok(json_answer(StatusCode::OK, &json!({"volume": volume.view(call)})))
        }
        ("DELETE", ["volumes", id]) => {
            let volume = volumes.get_mut(*id).filter(own).ok_or_else(|| missing(id))?;
            if !volume.servers.is_empty() {
                return Err(bad("Invalid volume: Volume status must be available or error, but is in-use."));
            }
            volumes.remove(*id);
            Ok(empty(StatusCode::ACCEPTED))
        }
        ("GET", ["snapshots", ..]) => Ok(json_answer(StatusCode::OK, &json!({"snapshots": []}))),
        ("GET", ["types", ..]) => Ok(json_answer(StatusCode::OK, &json!({"volume_types": []}))),
        _ => Err(fault(StatusCode::NOT_FOUND, "The resource could not be found.")),
    }
}

fn microversion(headers: &HeaderMap) -> Result<u32, Refusal> {
    let Some(text) = header_text(headers, "openstack-api-version").strip_prefix("volume ") else { return Ok(0) };
    if text == "latest" {
        return Ok(NEWEST);
    }
    let minor: Option<u32> = text.strip_prefix("3.").and_then(|minor| minor.parse().ok());
    let minor = minor.ok_or_else(|| bad(&format!("API Version String {text} is of invalid format.")))?;
    if minor > NEWEST {
        let message = format!("Version {text} is not supported by the API. Minimum is 3.0 and maximum is 3.{NEWEST}.");
        return Err(fault(StatusCode::NOT_ACCEPTABLE, &message));
    }
    Ok(minor)
}

fn list(
    volumes: &mut BTreeMap<String, VolumeRecord>,
    call: &Call<'_>,
    minor: u32,
    view: fn(&VolumeRecord, &Call<'_>) -> Value,
) -> Answer {
    let admin = call.caller.is_admin();
    let glance_metadata = call.parameter("glance_metadata").filter(|_| minor >= 4);
    if glance_metadata.is_some() && !admin && minor >= 31 {
        return Err(bad("Invalid filters glance_metadata are found in query options."));
    }
    let wanted_metadata = glance_metadata.map(read_dictionary);
    let limit = read_limit(call)?;
    let everybody = admin && call.parameter("all_tenants").is_some_and(|text| !["0", "false", "False"].contains(&text));
    let project = if everybody { call.parameter("project_id") } else { Some(call.caller.project_id.as_str()) };
    let unknown =
        call.query.iter().any(|(key, _)| !OPTIONS.contains(&key.as_str()) && !PLAIN_FILTERS.contains(&key.as_str()));

    volumes.values_mut().for_each(VolumeRecord::settle);
    let mut found: Vec<&VolumeRecord> = volumes
        .values()
        .filter(|volume| !unknown && project.is_none_or(|project| volume.project == project))
        .filter(|volume| call.parameter("id").is_none_or(|id| volume.id == id))
        .filter(|volume| call.parameter("status").is_none_or(|status| volume.status() == status))
        .filter(|volume| call.parameter("name").is_none_or(|name| volume.name.as_deref() == Some(name)))
        .filter(|volume| match &wanted_metadata {
            None => true,
            Some(None) => false,
            Some(Some(wanted)) => wanted.iter().all(|(key, value)| {
                volume.known_image_metadata().is_some_and(|metadata| metadata.get(key) == Some(value))
            }),
        })
        .collect();
    found.sort_by_key(|volume| (Reverse(volume.created_at), Reverse(&volume.id)));
    if let Some(marker) = call.parameter("marker") {
        let message = format!("Volume {marker} could not be found.");
        let place = found.iter().position(|volume| volume.id == marker);
        found.drain(..=place.ok_or_else(|| fault(StatusCode::NOT_FOUND, &message))?);
    }
    found.truncate(limit);
    let entries: Vec<Value> = found.iter().map(|volume| view(volume, call)).collect();
    let mut page = json!({"volumes": entries});
    if let Some(last) = found.last().filter(|_| found.len() == limit) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(key, _)| key != "marker"));
        query.append_pair("marker", &last.id);
        let next = format!("{}/{}?{}", call.base, call.segments.join("/"), query.finish());
        page["volumes_links"] = json!([{"rel": "next", "href": next}]);
    }
    Ok(json_answer(StatusCode::OK, &page))
}

fn read_limit(call: &Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else { return Ok(PAGE) };
    let limit: i64 = text.parse().map_err(|_| bad("limit param must be an integer"))?;
    let limit = usize::try_from(limit).map_err(|_| bad("limit param must be positive"))?;
    Ok(limit.min(PAGE))
}

/// A dictionary as Python or JSON writes it; `None` where it is neither.
fn read_dictionary(text: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(&text.replace('\'', "\"")).ok()
}

fn create(region: &mut Region, call: &Call<'_>, now: Timestamp) -> Answer {
    if call.caller.role == Role::Reader {
        let message = "Policy doesn't allow volume:create to be performed.";
        return Err(fault(StatusCode::FORBIDDEN, message));
    }
    let body = call.json().ok_or_else(|| bad("Malformed request body"))?;
    let wanted = &body["volume"];
    let size = &wanted["size"];
    let size = size.as_u64().or_else(|| size.as_str()?.parse().ok());
    let size = size.filter(|size| *size > 0).ok_or_else(|| bad("Invalid input received: Invalid volume size"))?;
    let name = wanted["name"].as_str().map(str::to_owned);
    let image = wanted["imageRef"].as_str().or_else(|| wanted["image_id"].as_str());
    let id = match image {
        Some(image) => create_from_image(region, call.caller, image, size, name, now)?,
        None => insert(region, call.caller, size, name, BTreeMap::new(), now),
    };
    let volume = region.cinder.volumes.get(&id).map(|volume| volume.view(call));
    Ok(json_answer(StatusCode::ACCEPTED, &json!({"volume": volume})))
}

/// Makes a volume from an image, and says its id.
pub(super) fn create_from_image(
    region: &mut Region,
    caller: &Caller,
    image: &str,
    size: u64,
    name: Option<String>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let image = region
        .glance
        .visible(image, caller)
        .map_err(|_| bad("Invalid image identifier or unable to access requested image."))?;
    if image.status != Status::Active {
        return Err(bad(&format!("Invalid input received: Image {} is not active.", image.id)));
    }
    let disk = image.data.virtual_size.unwrap_or_default().div_ceil(1 << 30);
    if disk > size {
        let message = format!("Size of specified image {disk}GB is larger than volume size {size}GB.");
        return Err(bad(&format!("Invalid input received: {message}")));
    }
    if image.min_disk > size {
        let minimum = image.min_disk;
        let message = format!("Volume size {size}GB cannot be smaller than the image minDisk size {minimum}GB.");
        return Err(bad(&format!("Invalid input received: {message}")));
    }
    let metadata = image_metadata(image);
    Ok(insert(region, caller, size, name, metadata, now))
}

fn insert(
    region: &mut Region,
    caller: &Caller,
    size: u64,
    name: Option<String>,
    image_metadata: BTreeMap<String, String>,
    now: Timestamp,
) -> String {
    let id = Uuid::new_v4().to_string();
    let volume = VolumeRecord {
        id: id.clone(),
        name,
        project: caller.project_id.clone(),
        size,
        state: VolumeState::Filling,
        servers: Vec::new(),
        image_metadata,
        created_at: now,
    };
    region.cinder.volumes.insert(id.clone(), volume);
    id
}

/// What a volume notes about the image it was made from: every property, and what identifies it.
fn image_metadata(image: &ImageRecord) -> BTreeMap<String, String> {
    let mut metadata = image.properties.clone();
    for (key, value) in [
        ("image_id", image.id.clone()),
        ("image_name", image.name.clone().unwrap_or_default()),
        ("checksum", image.data.checksum.clone().unwrap_or_default()),
        ("container_format", image.container_format.clone().unwrap_or_default()),
        ("disk_format", image.disk_format.clone().unwrap_or_default()),
        ("min_disk", image.min_disk.to_string()),
        ("min_ram", image.min_ram.to_string()),
        ("size", image.data.size.unwrap_or_default().to_string()),
    ] {
        metadata.insert(key.to_owned(), value);
    }
    metadata
}

fn bad(message: &str) -> Refusal {
    fault(StatusCode::BAD_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_of_either_language_are_read() {
        let wanted = BTreeMap::from([("image_id".to_owned(), "x".to_owned())]);
        assert_eq!(read_dictionary("{'image_id':'x'}"), Some(wanted.clone()));
        assert_eq!(read_dictionary(r#"{"image_id": "x"}"#), Some(wanted));
        assert_eq!(read_dictionary("image_id"), None);
    }
}
