//! Nova.
//!
//! `server` is one server, `boot` makes one, `list` finds them. Behaves like Nova 34 (2026.2), including what misleads: with
//! its cell down the `image=` filter answers an empty list with status 200, and servers that can still be restored are in
//! no list but the one that asks for deleted ones.

mod boot;
mod list;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Call, Refusal, empty, fault, header_text, json_answer, with_header};
use super::identity::Role;
use super::region::Region;

pub(super) use self::boot::{Disk, Order, boot};
pub use self::server::{BootOutcome, ServerRecord, ServerState};

/// The highest microversion.
const NEWEST: Microversion = Microversion { minor: 104 };

/// Whether the cell that holds the servers can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cell {
    /// It can.
    #[default]
    Up,
    /// Its database is away. Servers are there, but Nova does not find them.
    Down,
}

/// A size a server can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flavor {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// MiB of memory.
    pub ram: u64,
    /// GiB of disk.
    pub disk: u64,
}

/// The servers of a region.
#[derive(Debug)]
pub(super) struct Nova {
    pub(super) servers: BTreeMap<String, ServerRecord>,
    pub(super) flavors: Vec<Flavor>,
    pub(super) cell: Cell,
    /// What becomes of servers that are made from now on.
    pub(super) outcome: BootOutcome,
    /// What a running server has printed.
    pub(super) console: String,
}

impl Default for Nova {
    fn default() -> Self {
        let flavor = |id: &str, name: &str, ram, disk| Flavor { id: id.to_owned(), name: name.to_owned(), ram, disk };
        Self {
            servers: BTreeMap::new(),
            flavors: vec![
                flavor("1", "m1.nano", 64, 1),
                flavor("2", "m1.tiny", 512, 1),
                flavor("3", "m1.small", 2048, 20),
            ],
            cell: Cell::Up,
            outcome: BootOutcome::Active,
            console: "[    0.000000] Linux version 6.8.0\nsandbox login: ".to_owned(),
        }
    }
}

/// 2.`minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Microversion {
    minor: u32,
}

impl Microversion {
    /// The one that was asked for; the oldest if none was.
    fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let new = header_text(headers, "openstack-api-version").strip_prefix("compute ");
        let text = new.unwrap_or_else(|| header_text(headers, "x-openstack-nova-api-version"));
        let minor = match text.trim() {
            "" => 1,
            "latest" => NEWEST.minor,
            text => {
                let message = format!("API Version String '{text}' is of invalid format.");
                let minor = text.strip_prefix("2.").and_then(|minor| minor.parse().ok());
                minor.ok_or_else(|| fault(StatusCode::BAD_REQUEST, &message))?
            }
        };
        if minor == 0 || minor > NEWEST.minor {
            let message =
                format!("Version 2.{minor} is not supported by the API. Minimum is 2.1 and maximum is 2.104.");
            return Err(fault(StatusCode::NOT_ACCEPTABLE, &message));
        }
        Ok(Self { minor })
    }

    fn at_least(self, minor: u32) -> bool {
        self.minor >= minor
    }
}

/// Answers everybody, with or without a token.
pub(super) fn open(call: &Call<'_>) -> Option<Answer> {
    let version = json!({
        "id": "v2.1", "status": "CURRENT", "version": "2.104", "min_version": "2.1", "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": format!("{}/v2.1/", call.base)}],
    });
    match call.segments.as_slice() {
        [] => Some(Ok(json_answer(StatusCode::OK, &json!({"versions": [version]})))),
        ["v2.1"] => Some(Ok(json_answer(StatusCode::OK, &json!({"version": version})))),
        _ => None,
    }
}

/// Answers a caller with a token.
pub(super) fn answer(region: &mut Region, call: &Call<'_>, now: Timestamp) -> Answer {
    let version = Microversion::read(call.headers)?;
    let label = format!("compute 2.{}", version.minor);
    route(region, call, version, now)
        .map(|response| with_header(response, "openstack-api-version", &label))
        .map_err(|refusal| refusal.with_header("openstack-api-version", &label))
}

fn route(region: &mut Region, call: &Call<'_>, version: Microversion, now: Timestamp) -> Answer {
    let path = call.segments.get(1..).unwrap_or_default();
    match (call.method, path) {
        ("GET", ["servers"]) => list::list(&mut region.nova, call, version, "index"),
        ("GET", ["servers", "detail"]) => list::list(&mut region.nova, call, version, "detail"),
        ("POST", ["servers"]) => boot::answer(region, call, version, now),
        ("GET", ["servers", id]) => {
            if region.nova.cell == Cell::Down {
                return Err(unreachable_cell());
            }
            let server = region.nova.visible(id, call)?;
            server.settle();
            Ok(json_answer(StatusCode::OK, &json!({"server": server.view(call, version)})))
        }
        ("DELETE", ["servers", id]) => {
            let server = region.nova.owned(id, call)?;
            (server.state, server.updated_at) = (ServerState::Deleted, now);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("POST", ["servers", id, "action"]) => act(region, id, call, now),
        ("GET", ["servers", id, "metadata"]) => {
            Ok(json_answer(StatusCode::OK, &json!({"metadata": region.nova.visible(id, call)?.metadata})))
        }
        ("GET", ["servers", id, "tags"]) if version.at_least(26) => {
            Ok(json_answer(StatusCode::OK, &json!({"tags": region.nova.visible(id, call)?.tags})))
        }
        ("PUT", ["servers", id, "tags", tag]) if version.at_least(26) => {
            let new = region.nova.owned(id, call)?.tags.insert((*tag).to_owned());
            Ok(empty(if new { StatusCode::CREATED } else { StatusCode::NO_CONTENT }))
        }
        ("GET", ["flavors"]) => Ok(flavors(&region.nova, |flavor| flavor_view(flavor, call, false))),
        ("GET", ["flavors", "detail"]) => Ok(flavors(&region.nova, |flavor| flavor_view(flavor, call, true))),
        ("GET", ["flavors", id]) => {
            let flavor = region.nova.flavors.iter().find(|flavor| flavor.id == *id);
            let message = format!("Flavor {id} could not be found.");
            let flavor = flavor.ok_or_else(|| fault(StatusCode::NOT_FOUND, &message))?;
            Ok(json_answer(StatusCode::OK, &json!({"flavor": flavor_view(flavor, call, true)})))
        }
        ("GET", ["os-hypervisors", "statistics"]) if !version.at_least(88) => statistics(&region.nova, call),
        ("GET", ["os-services"]) => services(&region.nova, call, version, now),
        ("GET", ["os-hypervisors" | "os-simple-tenant-usage", ..]) if region.nova.cell == Cell::Down => {
            Err(unreachable_cell())
        }
        ("GET", ["os-keypairs"]) => Ok(json_answer(StatusCode::OK, &json!({"keypairs": []}))),
        _ => Err(fault(StatusCode::NOT_FOUND, "The resource could not be found.")),
    }
}

impl Nova {
    /// The server of that id, if the caller may know of it.
    fn visible(&mut self, id: &str, call: &Call<'_>) -> Result<&mut ServerRecord, Refusal> {
        let caller = call.caller;
        let server = self.servers.get_mut(id).filter(|server| {
            server.state != ServerState::Deleted && (caller.is_admin() || server.project == caller.project_id)
        });
        server.ok_or_else(|| fault(StatusCode::NOT_FOUND, &format!("Instance {id} could not be found.")))
    }

    /// The server of that id, if the caller may change it.
    fn owned(&mut self, id: &str, call: &Call<'_>) -> Result<&mut ServerRecord, Refusal> {
        let server = self.visible(id, call)?;
        if call.caller.role == Role::Reader { Err(forbidden("servers:delete")) } else { Ok(server) }
    }
}

fn forbidden(rule: &str) -> Refusal {
    fault(StatusCode::FORBIDDEN, &format!("Policy doesn't allow os_compute_api:{rule} to be performed."))
}

fn administrator(call: &Call<'_>, rule: &str) -> Result<(), Refusal> {
    if call.caller.is_admin() { Ok(()) } else { Err(forbidden(rule)) }
}

fn unreachable_cell() -> Refusal {
    let message = "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API \
                   log if possible.\n<class 'sqlalchemy.exc.OperationalError'>";
    fault(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn act(region: &mut Region, id: &str, call: &Call<'_>, now: Timestamp) -> Answer {
    let body = call.json().unwrap_or_default();
    if let Some(output) = body.get("os-getConsoleOutput") {
        let console = region.nova.console.clone();
        let server = region.nova.visible(id, call)?;
        server.settle();
        let lines: Vec<&str> = if server.state == ServerState::Active { console.lines().collect() } else { Vec::new() };
        let wanted = output["length"].as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        let text = lines[lines.len().saturating_sub(wanted)..].join("\n");
        return Ok(json_answer(StatusCode::OK, &json!({"output": text})));
    }
    if let Some(order) = body.get("createImage") {
        region.nova.owned(id, call)?;
        let name = order["name"].as_str().unwrap_or_default();
        let image =
            region.snapshot(id, name).map_err(|problem| fault(StatusCode::BAD_REQUEST, &problem.to_string()))?;
        return Ok(json_answer(StatusCode::ACCEPTED, &json!({"image_id": image})));
    }
    let state = match body.as_object().and_then(|body| body.keys().next()).map(String::as_str) {
        Some("shelve") => ServerState::ShelvedOffloaded,
        Some("restore" | "unshelve") => ServerState::Active,
        _ => return Err(fault(StatusCode::BAD_REQUEST, "There is no such action")),
    };
    let server = region.nova.owned(id, call)?;
    (server.state, server.updated_at) = (state, now);
    Ok(empty(StatusCode::ACCEPTED))
}

fn flavors(nova: &Nova, view: impl Fn(&Flavor) -> Value) -> Response {
    let flavors: Vec<Value> = nova.flavors.iter().map(view).collect();
    json_answer(StatusCode::OK, &json!({"flavors": flavors}))
}

fn flavor_view(flavor: &Flavor, call: &Call<'_>, detail: bool) -> Value {
    let mut view = json!({
        "id": flavor.id, "name": flavor.name,
        "links": [{"rel": "self", "href": format!("{}/v2.1/flavors/{}", call.base, flavor.id)}],
    });
    if detail {
        for (key, value) in [
            ("ram", json!(flavor.ram)),
            ("disk", json!(flavor.disk)),
            ("vcpus", json!(1)),
            ("swap", json!(0)),
            ("OS-FLV-EXT-DATA:ephemeral", json!(0)),
            ("OS-FLV-DISABLED:disabled", json!(false)),
            ("os-flavor-access:is_public", json!(true)),
            ("rxtx_factor", json!(1.0)),
            ("extra_specs", json!({})),
        ] {
            view[key] = value;
        }
    }
    view
}

fn statistics(nova: &Nova, call: &Call<'_>) -> Answer {
    administrator(call, "os-hypervisors:statistics")?;
    if nova.cell == Cell::Down {
        return Err(unreachable_cell());
    }
    let running = nova.servers.values().filter(|server| server.state == ServerState::Active).count();
    let body = json!({"hypervisor_statistics": {
        "count": 1, "current_workload": 0, "disk_available_least": 0, "free_disk_gb": 600_000, "free_ram_mb": 799_488,
        "local_gb": 600_000, "local_gb_used": 0, "memory_mb": 800_000, "memory_mb_used": 512, "running_vms": running,
        "vcpus": 1000, "vcpus_used": running,
    }});
    Ok(json_answer(StatusCode::OK, &body))
}

fn services(nova: &Nova, call: &Call<'_>, version: Microversion, now: Timestamp) -> Answer {
    administrator(call, "os-services:list")?;
    let mut services: Vec<Value> = Vec::new();
    for (binary, zone, in_cell) in
        [("nova-conductor", "internal", false), ("nova-scheduler", "internal", false), ("nova-compute", "nova", true)]
    {
        if in_cell && nova.cell == Cell::Down {
            if version.at_least(69) {
                services.push(json!({"binary": binary, "host": server::HOST, "status": "UNKNOWN"}));
            }
            continue;
        }
        services.push(json!({
            "binary": binary, "host": server::HOST, "id": super::identity::identifier(binary), "zone": zone,
            "status": "enabled", "state": "up", "updated_at": now.strftime("%Y-%m-%dT%H:%M:%S.000000").to_string(),
            "disabled_reason": null, "forced_down": false,
        }));
    }
    Ok(json_answer(StatusCode::OK, &json!({"services": services})))
}

/// Tags and metadata of a server as a client sends them.
fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
