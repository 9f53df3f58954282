//! Making a server: from an image, or from a volume.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{ServerRecord, ServerState};
use super::{Flavor, Microversion, Nova, forbidden, texts};
use crate::model::image::Status;
use crate::sandbox::answer::{Answer, Call, Refusal, fault, json_answer, with_header};
use crate::sandbox::cinder;
use crate::sandbox::identity::{Caller, Role};
use crate::sandbox::region::Region;

/// A server that somebody wants.
pub(in crate::sandbox) struct Order {
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) flavor: Flavor,
    pub(in crate::sandbox) disk: Disk,
    pub(in crate::sandbox) metadata: BTreeMap<String, String>,
    pub(in crate::sandbox) tags: BTreeSet<String>,
}

/// What a server boots from.
pub(in crate::sandbox) enum Disk {
    /// This image.
    Image(String),
    /// A new volume made from this image, of so many GiB.
    NewVolume(String, u64),
    /// This volume.
    Volume(String),
}

/// Answers `POST /servers`.
pub(super) fn answer(region: &mut Region, call: &Call<'_>, version: Microversion, now: Timestamp) -> Answer {
    if call.caller.role == Role::Reader {
        return Err(forbidden("servers:create"));
    }
    let body = call.json().ok_or_else(|| bad("Malformed request body"))?;
    let wanted = body.get("server").ok_or_else(|| bad("'server' is a required property"))?;
    if version.at_least(37) && wanted.get("networks").is_none() {
        return Err(bad("Invalid input for field/attribute server. 'networks' is a required property"));
    }
    let name = wanted["name"].as_str().ok_or_else(|| bad("'name' is a required property"))?.to_owned();
    let flavor = find_flavor(&region.nova, &wanted["flavorRef"])?;
    let metadata = wanted["metadata"].as_object().into_iter().flatten();
    let order = Order {
        name,
        flavor,
        disk: Disk::read(wanted)?,
        metadata: metadata.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
        tags: if version.at_least(52) { texts(&wanted["tags"]) } else { BTreeSet::new() },
    };
    let id = boot(region, call.caller, order, now)?;
    let address = format!("{}/v2.1/servers/{id}", call.base);
    let body = json!({"server": {
        "id": id, "links": [{"rel": "self", "href": address}], "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": "default"}], "adminPass": "unused",
    }});
    Ok(with_header(json_answer(StatusCode::ACCEPTED, &body), "location", &address))
}

/// Makes a server and says its id.
pub(in crate::sandbox) fn boot(
    region: &mut Region,
    caller: &Caller,
    order: Order,
    now: Timestamp,
) -> Result<String, Refusal> {
    let id = Uuid::new_v4().to_string();
    let (image, volumes) = match order.disk {
        Disk::Image(image) => {
            check_image(region, caller, &image, &order.flavor)?;
            (Some(image), Vec::new())
        }
        Disk::NewVolume(image, size) => {
            check_image(region, caller, &image, &order.flavor)?;
            let volume = cinder::create_from_image(region, caller, &image, size, None, now)?;
            (None, vec![volume])
        }
        Disk::Volume(volume) => (None, vec![volume]),
    };
    for volume in &volumes {
        if let Some(volume) = region.cinder.volumes.get_mut(volume) {
            volume.attach(&id);
        }
    }
    let server = ServerRecord {
        id: id.clone(),
        name: order.name,
        project: caller.project_id.clone(),
        image,
        flavor: order.flavor,
        state: ServerState::Building(region.nova.outcome),
        volumes,
        metadata: order.metadata,
        tags: order.tags,
        created_at: now,
        updated_at: now,
    };
    region.nova.servers.insert(id.clone(), server);
    Ok(id)
}

impl Disk {
    fn read(wanted: &Value) -> Result<Self, Refusal> {
        let root = wanted["block_device_mapping_v2"].as_array().and_then(|devices| devices.first());
        let image = wanted["imageRef"].as_str().filter(|image| !image.is_empty());
        let Some(root) = root.filter(|root| root["destination_type"] == "volume") else {
            return Ok(Self::Image(image.ok_or_else(|| bad("Invalid imageRef provided."))?.to_owned()));
        };
        let source = root["uuid"].as_str().unwrap_or_default().to_owned();
        match root["source_type"].as_str() {
            Some("image") => {
                let size = &root["volume_size"];
                let size = size.as_u64().or_else(|| size.as_str()?.parse().ok()).unwrap_or(1);
                Ok(Self::NewVolume(source, size))
            }
            Some("volume") => Ok(Self::Volume(source)),
            _ => Err(bad("Block Device Mapping is Invalid.")),
        }
    }
}

fn find_flavor(nova: &Nova, wanted: &Value) -> Result<Flavor, Refusal> {
    let id = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
    // Clients send an id or the whole address.
    let id = id.rsplit('/').next().unwrap_or_default();
    let flavor = nova.flavors.iter().find(|flavor| flavor.id == id);
    flavor.cloned().ok_or_else(|| bad(&format!("Flavor {id} could not be found.")))
}

fn check_image(region: &mut Region, caller: &Caller, id: &str, flavor: &Flavor) -> Result<(), Refusal> {
    let image = region.glance.visible(id, caller).map_err(|_| bad("Can not find requested image"))?;
    if image.status != Status::Active {
        return Err(bad(&format!("Image {id} is not active.")));
    }
    if image.min_ram > flavor.ram {
        return Err(bad("Flavor's memory is too small for requested image."));
    }
    if image.min_disk > flavor.disk {
        let message = format!(
            "Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is {} bytes, \
             minimum size is {} bytes.",
            flavor.disk << 30,
            image.min_disk << 30
        );
        return Err(bad(&message));
    }
    Ok(())
}

fn bad(message: &str) -> Refusal {
    fault(StatusCode::BAD_REQUEST, message)
}
