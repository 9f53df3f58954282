//! JSON as Glance, Nova and Cinder speak it, lowered to the model once.
//!
//! Everything optional that the API promises but a policy, a release or a plugin may leave out; whatever a decision
//! needs and is missing makes the record unusable rather than half true.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use crate::model::name::{ImageId, ProjectId};

/// An image record of the Images API v2. What is not a field here is a custom property.
#[derive(Deserialize)]
pub(super) struct ImageRecord {
    id: String,
    #[serde(default)]
    owner: Option<String>,
    status: String,
    #[serde(default)]
    name: Option<String>,
    visibility: String,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    os_hidden: bool,
    #[serde(default)]
    min_disk: Option<u64>,
    #[serde(default)]
    min_ram: Option<u64>,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    virtual_size: Option<u64>,
    #[serde(default)]
    os_hash_algo: Option<String>,
    #[serde(default)]
    os_hash_value: Option<String>,
    #[serde(default)]
    disk_format: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Attributes of the record itself that the model has no use for. They are no custom properties.
const BASE_ATTRIBUTES: [&str; 9] =
    ["checksum", "container_format", "updated_at", "file", "self", "schema", "locations", "direct_url", "multihash"];

impl ImageRecord {
    /// The image as the model knows it.
    ///
    /// # Errors
    /// The id, the owner or the visibility is none; the text says which.
    pub(super) fn lower(self) -> Result<Image, String> {
        let visibility = Visibility::from_name(&self.visibility)
            .ok_or_else(|| format!("`{}` is no visibility", self.visibility.escape_debug()))?;
        // Property values are strings by the API's schema; `stores` of newer releases is one as well.
        let properties = self
            .rest
            .into_iter()
            .filter(|(key, _)| !BASE_ATTRIBUTES.contains(&key.as_str()))
            .filter_map(|(key, value)| match value {
                Value::String(text) => Some((key, text)),
                Value::Null => None,
                other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    Some((key, other.to_string()))
                }
            })
            .collect();
        Ok(Image {
            id: ImageId::parse(self.id).map_err(|error| error.to_string())?,
            owner: self
                .owner
                .filter(|owner| !owner.is_empty())
                .map(ProjectId::parse)
                .transpose()
                .map_err(|error| error.to_string())?,
            status: Status::from_name(&self.status).unwrap_or(Status::Broken),
            attributes: Attributes {
                name: self.name.unwrap_or_default(),
                visibility,
                protection: Protection::from_flag(self.protected),
                listing: Listing::from_flag(self.os_hidden),
                min_disk: self.min_disk.unwrap_or_default(),
                min_ram: self.min_ram.unwrap_or_default(),
                properties,
                tags: self.tags,
            },
            created_at: self.created_at.and_then(|text| text.parse::<Timestamp>().ok()),
            size: self.size,
            virtual_size: self.virtual_size,
            hash: self.os_hash_algo.zip(self.os_hash_value),
            disk_format: self.disk_format,
        })
    }
}

/// One page of images.
#[derive(Deserialize)]
pub(super) struct ImagePage {
    pub(super) images: Vec<ImageRecord>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// The members of a shared image.
#[derive(Deserialize)]
pub(super) struct MemberList {
    pub(super) members: Vec<MemberRecord>,
}

/// One member.
#[derive(Deserialize)]
pub(super) struct MemberRecord {
    pub(super) member_id: String,
}

/// `GET /v2/info/import`.
#[derive(Deserialize)]
pub(super) struct ImportInfo {
    #[serde(rename = "import-methods")]
    pub(super) methods: ImportMethods,
}

/// The methods in it.
#[derive(Deserialize)]
pub(super) struct ImportMethods {
    #[serde(default)]
    pub(super) value: Vec<String>,
}

/// `GET /v2/info/stores`.
#[derive(Deserialize)]
pub(super) struct StoreList {
    pub(super) stores: Vec<StoreRecord>,
}

/// One store.
#[derive(Deserialize)]
pub(super) struct StoreRecord {
    pub(super) id: String,
    /// A boolean by the documentation, the text `"true"` in practice.
    #[serde(default)]
    pub(super) default: Value,
}

/// `GET /v2/images/ID/tasks`.
#[derive(Deserialize)]
pub(super) struct TaskList {
    pub(super) tasks: Vec<TaskRecord>,
}

/// One task.
#[derive(Deserialize)]
pub(super) struct TaskRecord {
    pub(super) id: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// A metadata namespace.
#[derive(Deserialize)]
pub(super) struct NamespaceRecord {
    #[serde(default)]
    pub(super) description: Option<String>,
}

/// Servers, in either view.
#[derive(Deserialize)]
pub(super) struct ServerPage {
    pub(super) servers: Vec<ServerRecord>,
    #[serde(default)]
    pub(super) servers_links: Vec<LinkRecord>,
}

/// One server.
#[derive(Deserialize)]
pub(super) struct ServerRecord {
    pub(super) id: String,
    #[serde(default)]
    pub(super) tenant_id: Option<String>,
    #[serde(default)]
    pub(super) status: Option<String>,
    /// An object, or the empty string of a server booted from a volume.
    #[serde(default)]
    pub(super) image: Value,
    #[serde(default)]
    pub(super) fault: Option<FaultRecord>,
}

/// Why a server is in `ERROR`.
#[derive(Deserialize)]
pub(super) struct FaultRecord {
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// Volumes.
#[derive(Deserialize)]
pub(super) struct VolumePage {
    pub(super) volumes: Vec<VolumeRecord>,
    #[serde(default)]
    pub(super) volumes_links: Vec<LinkRecord>,
}

/// One volume.
#[derive(Deserialize)]
pub(super) struct VolumeRecord {
    pub(super) id: String,
    #[serde(rename = "os-vol-tenant-attr:tenant_id", default)]
    pub(super) tenant_id: Option<String>,
    #[serde(default)]
    pub(super) volume_image_metadata: BTreeMap<String, Value>,
}

/// A link to the next page.
#[derive(Deserialize)]
pub(super) struct LinkRecord {
    pub(super) rel: String,
}

/// `GET /v3/projects/ID`.
#[derive(Deserialize)]
pub(super) struct ProjectBody {
    pub(super) project: ProjectRecord,
}

/// One project.
#[derive(Deserialize)]
pub(super) struct ProjectRecord {
    pub(super) name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_an_image_and_its_extras_properties() {
        let record: ImageRecord = serde_json::from_value(serde_json::json!({
            "id": "6a1e", "name": null, "status": "active", "visibility": "community", "protected": true,
            "os_hidden": true, "owner": "p1", "tags": ["b", "a"], "min_disk": 4, "min_ram": 512, "size": 10,
            "virtual_size": null, "checksum": "d4", "os_hash_algo": "sha512", "os_hash_value": "00",
            "created_at": "2026-11-23T06:21:45Z", "updated_at": "2026-11-23T06:21:45Z", "file": "/v2/x", "self": "/v2/x",
            "schema": "/v2/schemas/image", "disk_format": "qcow2", "container_format": "bare",
            "hw_disk_bus": "scsi", "stores": "fast", "empty": ""
        }))
        .unwrap();
        let image = record.lower().unwrap();
        assert_eq!(image.attributes.name, "");
        assert_eq!(image.attributes.listing, Listing::Hidden);
        assert_eq!(image.attributes.properties.keys().collect::<Vec<_>>(), ["empty", "hw_disk_bus", "stores"]);
        assert_eq!(image.hash, Some(("sha512".to_owned(), "00".to_owned())));
        assert!(image.created_at.is_some());
    }

    #[test]
    fn a_record_with_a_hostile_id_is_refused() {
        let record: ImageRecord =
            serde_json::from_value(serde_json::json!({"id": "../x", "status": "active", "visibility": "public"}))
                .unwrap();
        assert!(record.lower().unwrap_err().contains("image id"));
    }
}
