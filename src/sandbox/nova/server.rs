//! One server, and how Nova shows it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Flavor, Microversion};
use crate::sandbox::answer::Call;
use crate::sandbox::glance::time;

/// The only host.
pub(super) const HOST: &str = "sandbox-compute";

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// Ordered; it becomes what [`BootOutcome`] says when it is looked at next.
    Building(BootOutcome),
    /// It runs.
    Active,
    /// It could not be made.
    Error,
    /// Put away, with its disk in an image.
    ShelvedOffloaded,
    /// Deleted, and restorable.
    SoftDeleted,
    /// Deleted for good; only lists of deleted servers still show it.
    Deleted,
}

/// What becomes of a server that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootOutcome {
    /// It runs.
    Active,
    /// It fails.
    Error,
    /// It never gets ready.
    Never,
}

impl ServerState {
    /// Nova's `status` and `vm_state`.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Building(_) => ("BUILD", "building"),
            Self::Active => ("ACTIVE", "active"),
            Self::Error => ("ERROR", "error"),
            Self::ShelvedOffloaded => ("SHELVED_OFFLOADED", "shelved_offloaded"),
            Self::SoftDeleted => ("SOFT_DELETED", "soft-delete"),
            Self::Deleted => ("DELETED", "deleted"),
        }
    }

    /// Whether default lists leave it out.
    pub(super) fn is_gone(self) -> bool {
        match self {
            Self::SoftDeleted | Self::Deleted => true,
            Self::Building(_) | Self::Active | Self::Error | Self::ShelvedOffloaded => false,
        }
    }
}

/// One server as Nova's database has it.
#[derive(Debug, Clone)]
pub struct ServerRecord {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Id of the project that owns it.
    pub project: String,
    /// The image it was made from; absent where it was booted from a volume.
    pub image: Option<String>,
    /// Its flavor.
    pub flavor: Flavor,
    /// How it is.
    pub state: ServerState,
    /// Volumes attached to it.
    pub volumes: Vec<String>,
    /// What its owner notes about it.
    pub metadata: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl ServerRecord {
    /// Lets a server that is being made become what it is to become.
    pub(super) fn settle(&mut self) {
        match self.state {
            ServerState::Building(BootOutcome::Active) => self.state = ServerState::Active,
            ServerState::Building(BootOutcome::Error) => self.state = ServerState::Error,
            ServerState::Building(BootOutcome::Never)
            | ServerState::Active
            | ServerState::Error
            | ServerState::ShelvedOffloaded
            | ServerState::SoftDeleted
            | ServerState::Deleted => {}
        }
    }

    /// The short form.
    pub(super) fn entry(&self, call: &Call<'_>) -> Value {
        json!({"id": self.id, "name": self.name, "links": self.links(call)})
    }

    fn links(&self, call: &Call<'_>) -> Value {
        json!([
            {"rel": "self", "href": format!("{}/v2.1/servers/{}", call.base, self.id)},
            {"rel": "bookmark", "href": format!("{}/servers/{}", call.base, self.id)},
        ])
    }

    /// The long form.
    pub(super) fn view(&self, call: &Call<'_>, version: Microversion) -> Value {
        let (status, vm_state) = self.state.words();
        let image = self.image.as_ref().map_or_else(
            || json!(""),
            |image| {
                let link = format!("{}/images/{image}", call.base);
                json!({"id": image, "links": [{"rel": "bookmark", "href": link}]})
            },
        );
        let flavor = if version.at_least(47) {
            json!({
                "vcpus": 1, "ram": self.flavor.ram, "disk": self.flavor.disk, "ephemeral": 0, "swap": 0,
                "original_name": self.flavor.name, "extra_specs": {},
            })
        } else {
            json!({"id": self.flavor.id, "links": []})
        };
        let volumes: Vec<Value> = self.volumes.iter().map(|id| json!({"id": id})).collect();
        let mut view = json!({
            "id": self.id, "name": self.name, "status": status, "tenant_id": self.project,
            "user_id": self.project, "metadata": self.metadata, "image": image, "flavor": flavor,
            "created": time(self.created_at), "updated": time(self.updated_at), "addresses": {}, "accessIPv4": "",
            "accessIPv6": "", "hostId": "", "progress": 0, "key_name": null, "config_drive": "",
            "links": self.links(call), "OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": "nova",
            "OS-EXT-STS:task_state": null, "OS-EXT-STS:vm_state": vm_state, "OS-EXT-STS:power_state": 1,
            "OS-SRV-USG:launched_at": null, "OS-SRV-USG:terminated_at": null,
            "os-extended-volumes:volumes_attached": volumes,
        });
        if self.state == ServerState::Error {
            let message = "No valid host was found. There are not enough hosts available.";
            view["fault"] = json!({"code": 500, "created": time(self.updated_at), "message": message});
        }
        if call.caller.is_admin() {
            view["OS-EXT-SRV-ATTR:host"] = json!(HOST);
            view["OS-EXT-SRV-ATTR:hypervisor_hostname"] = json!(HOST);
        }
        if version.at_least(26) {
            view["tags"] = json!(self.tags);
        }
        view
    }

    /// What is left of a server whose cell is down.
    pub(super) fn remains(&self, call: &Call<'_>) -> Value {
        json!({
            "id": self.id, "status": "UNKNOWN", "tenant_id": self.project, "created": time(self.created_at),
            "links": self.links(call),
        })
    }
}
