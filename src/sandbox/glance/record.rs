//! One image, and how Glance shows it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::image::{Status, Visibility};
use crate::sandbox::identity::Caller;

/// One image as Glance's database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecord {
    /// Its id.
    pub id: String,
    /// Its name; Glance allows none.
    pub name: Option<String>,
    /// The project that owns it.
    pub owner: Option<String>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether it can be used.
    pub status: Status,
    /// Whether it refuses to be deleted.
    pub protected: bool,
    /// Whether default lists leave it out.
    pub hidden: bool,
    /// GiB a flavor's disk must have.
    pub min_disk: u64,
    /// MiB a flavor's memory must have.
    pub min_ram: u64,
    /// Format of the disk.
    pub disk_format: Option<String>,
    /// Format of what is around the disk.
    pub container_format: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What is known about its bytes.
    pub data: Data,
    /// Custom properties.
    pub properties: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Projects it is shared with.
    pub members: BTreeMap<String, Membership>,
}

/// What is known about the bytes of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data {
    /// Their number.
    pub size: Option<u64>,
    /// Size of the disk inside, in bytes.
    pub virtual_size: Option<u64>,
    /// MD5, hexadecimal.
    pub checksum: Option<String>,
    /// Algorithm and hexadecimal value of the digest that clients may trust.
    pub hash: Option<(String, String)>,
    /// Whether the record names a store.
    pub store: Option<String>,
    /// The bytes themselves, where they are few enough to be kept.
    pub bytes: Option<Bytes>,
}

/// A project an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// `pending`, `accepted` or `rejected`.
    pub status: String,
    /// When it was shared.
    pub created_at: Timestamp,
    /// When the project last answered.
    pub updated_at: Timestamp,
}

impl ImageRecord {
    /// A shared, queued image without any attribute, made now.
    pub fn new(id: impl Into<String>, owner: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            name: None,
            owner: Some(owner.into()),
            visibility: Visibility::Shared,
            status: Status::Queued,
            protected: false,
            hidden: false,
            min_disk: 0,
            min_ram: 0,
            disk_format: None,
            container_format: None,
            created_at: now,
            updated_at: now,
            data: Data::default(),
            properties: BTreeMap::new(),
            tags: BTreeSet::new(),
            members: BTreeMap::new(),
        }
    }

    /// Whether the caller's project owns it, or the caller owns everything.
    pub(in crate::sandbox) fn belongs_to(&self, caller: &Caller) -> bool {
        caller.is_admin() || (self.owner.as_deref() == Some(&caller.project_id))
    }

    /// Whether the caller may know of it, by id.
    pub(in crate::sandbox) fn is_visible_to(&self, caller: &Caller) -> bool {
        match self.visibility {
            Visibility::Public | Visibility::Community => true,
            Visibility::Shared => self.belongs_to(caller) || self.members.contains_key(&caller.project_id),
            Visibility::Private => self.belongs_to(caller),
        }
    }

    /// The text of one attribute or custom property, as lists are filtered by it.
    pub(super) fn attribute(&self, key: &str) -> Option<String> {
        match key {
            "id" => Some(self.id.clone()),
            "name" => self.name.clone(),
            "owner" => self.owner.clone(),
            "status" => Some(self.status.name().to_owned()),
            "disk_format" => self.disk_format.clone(),
            "container_format" => self.container_format.clone(),
            "protected" => Some(self.protected.to_string()),
            "min_disk" => Some(self.min_disk.to_string()),
            "min_ram" => Some(self.min_ram.to_string()),
            "size" => self.data.size.map(|size| size.to_string()),
            "checksum" => self.data.checksum.clone(),
            "os_hash_value" => self.data.hash.as_ref().map(|(_, value)| value.clone()),
            _ => self.properties.get(key).cloned(),
        }
    }

    /// The image as Glance shows it: custom properties first, then the base attributes.
    pub(in crate::sandbox) fn view(&self) -> Value {
        let mut view: Map<String, Value> =
            self.properties.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let path = format!("/v2/images/{}", self.id);
        let (algorithm, hash) = self.data.hash.as_ref().map(|(algorithm, value)| (algorithm, value)).unzip();
        for (key, value) in [
            ("name", json!(self.name)),
            ("disk_format", json!(self.disk_format)),
            ("container_format", json!(self.container_format)),
            ("visibility", json!(self.visibility.name())),
            ("size", json!(self.data.size)),
            ("virtual_size", json!(self.data.virtual_size)),
            ("status", json!(self.status.name())),
            ("checksum", json!(self.data.checksum)),
            ("protected", json!(self.protected)),
            ("min_ram", json!(self.min_ram)),
            ("min_disk", json!(self.min_disk)),
            ("owner", json!(self.owner)),
            ("os_hidden", json!(self.hidden)),
            ("os_hash_algo", json!(algorithm)),
            ("os_hash_value", json!(hash)),
            ("id", json!(self.id)),
            ("created_at", json!(time(self.created_at))),
            ("updated_at", json!(time(self.updated_at))),
            ("tags", json!(self.tags)),
            ("self", json!(path)),
            ("file", json!(format!("{path}/file"))),
            ("schema", json!("/v2/schemas/image")),
        ] {
            view.insert(key.to_owned(), value);
        }
        if let Some(store) = &self.data.store {
            view.insert("stores".to_owned(), json!(store));
        }
        Value::Object(view)
    }
}

/// How Glance and Nova write a time: whole seconds.
pub(in crate::sandbox) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
