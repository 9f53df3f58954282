//! Lists of servers, by which anybody finds out who uses an image.

use std::cmp::Reverse;

use axum::http::StatusCode;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::server::ServerRecord;
use super::{Cell, Microversion, Nova, forbidden};
use crate::sandbox::answer::{Answer, Call, Refusal, fault, json_answer};

/// Servers on a page, at most and by default.
const PAGE: usize = 1000;
/// Filters and options that Nova knows.
const KNOWN: [&str; 20] = [
    "all_tenants",
    "image",
    "name",
    "status",
    "vm_state",
    "deleted",
    "changes-since",
    "changes-before",
    "limit",
    "marker",
    "project_id",
    "tenant_id",
    "user_id",
    "host",
    "flavor",
    "sort_key",
    "sort_dir",
    "tags",
    "uuid",
    "reservation_id",
];

/// Answers a list of servers.
pub(super) fn list(nova: &mut Nova, call: &Call<'_>, version: Microversion, rule: &str) -> Answer {
    let unknown = call.query.iter().find(|(key, _)| !KNOWN.contains(&key.as_str()) && !key.starts_with('_'));
    if let Some((key, _)) = unknown.filter(|_| version.at_least(75)) {
        return Err(bad(&format!("'{key}' does not match any of the regexes: '^_'")));
    }
    let everybody = call.parameter("all_tenants").map_or(Ok(false), read_flag)?;
    if everybody && !call.caller.is_admin() {
        return Err(forbidden(&format!("servers:{rule}:get_all_tenants")));
    }
    let limit = read_limit(call)?;
    let detail = rule == "detail";
    if nova.cell == Cell::Down {
        // Only a question without any condition still shows that there is something.
        let unconditional = call.query.iter().all(|(key, _)| key == "all_tenants");
        let servers = nova.servers.values().filter(|server| !server.state.is_gone());
        let reachable = servers.filter(|server| everybody || server.project == call.caller.project_id);
        let remains: Vec<Value> = if unconditional && version.at_least(69) {
            reachable.map(|server| server.remains(call)).collect()
        } else {
            Vec::new()
        };
        return Ok(json_answer(StatusCode::OK, &json!({"servers": remains})));
    }

    let query = Query::read(call, everybody)?;
    nova.servers.values_mut().for_each(ServerRecord::settle);
    let mut found: Vec<&ServerRecord> = nova.servers.values().filter(|server| query.accepts(server)).collect();
    found.sort_by_key(|server| (Reverse(server.created_at), Reverse(&server.id)));
    if let Some(marker) = call.parameter("marker") {
        let place = found.iter().position(|server| server.id == marker);
        let place = place.ok_or_else(|| bad(&format!("marker [{marker}] not found")))?;
        found.drain(..=place);
    }
    found.truncate(limit);
    let servers: Vec<Value> =
        found.iter().map(|server| if detail { server.view(call, version) } else { server.entry(call) }).collect();
    let mut page = json!({"servers": servers});
    if let Some(last) = found.last().filter(|_| found.len() == limit) {
        page["servers_links"] = json!([{"rel": "next", "href": next(call, &last.id)}]);
    }
    Ok(json_answer(StatusCode::OK, &page))
}

fn next(call: &Call<'_>, marker: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(key, _)| key != "marker"));
    query.append_pair("marker", marker);
    format!("{}/{}?{}", call.base, call.segments.join("/"), query.finish())
}

fn read_limit(call: &Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else { return Ok(PAGE) };
    let limit: usize = text.parse().map_err(|_| {
        bad(&format!("Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'"))
    })?;
    Ok(if limit == 0 { PAGE } else { limit.min(PAGE) })
}

fn read_flag(text: &str) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "" | "1" | "t" | "true" | "on" | "y" | "yes" => Ok(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Ok(false),
        _ => Err(bad(&format!(
            "Unrecognized value '{text}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', \
                               'off', 'on', 't', 'true', 'y', 'yes'"
        ))),
    }
}

fn bad(message: &str) -> Refusal {
    fault(StatusCode::BAD_REQUEST, message)
}

/// Which servers are wanted; an absent condition is none.
struct Query<'a> {
    project: Option<&'a str>,
    image: Option<&'a str>,
    /// A regular expression, found anywhere in the name.
    name: Option<Regex>,
    status: Option<&'a str>,
    vm_state: Option<&'a str>,
    tags: Vec<&'a str>,
    since: Option<Timestamp>,
    life: Life,
}

/// Whether deleted servers are wanted.
enum Life {
    Living,
    Deleted,
    Either,
    /// `deleted=all`, which matches nothing.
    Nonsense,
}

impl<'a> Query<'a> {
    fn read(call: &'a Call<'_>, everybody: bool) -> Result<Self, Refusal> {
        let since = call
            .parameter("changes-since")
            .map(|text| text.parse().map_err(|_| bad(&format!("Invalid filter value: {text}"))))
            .transpose()?;
        let life = match call.parameter("deleted").filter(|_| call.caller.is_admin()) {
            None if since.is_some() => Life::Either,
            None if call.caller.is_admin() && call.parameter("status") == Some("DELETED") => Life::Deleted,
            None => Life::Living,
            Some(text) => match read_flag(text) {
                Ok(true) => Life::Deleted,
                Ok(false) => Life::Living,
                Err(_) => Life::Nonsense,
            },
        };
        let named = call.parameter("project_id").or_else(|| call.parameter("tenant_id"));
        Ok(Self {
            project: if everybody { named } else { Some(&call.caller.project_id) },
            image: call.parameter("image"),
            name: call
                .parameter("name")
                .map(|text| Regex::new(text).or_else(|_| Regex::new(&regex::escape(text))))
                .transpose()
                .map_err(|_| bad("Invalid input for query parameters name."))?,
            status: call.parameter("status"),
            vm_state: call.parameter("vm_state"),
            tags: call.parameter("tags").map(|tags| tags.split(',').collect()).unwrap_or_default(),
            since,
            life,
        })
    }

    fn accepts(&self, server: &ServerRecord) -> bool {
        let (status, vm_state) = server.state.words();
        let alive = match self.life {
            Life::Living => !server.state.is_gone(),
            Life::Deleted => server.state.is_gone(),
            Life::Either => true,
            Life::Nonsense => false,
        };
        alive
            && self.project.is_none_or(|project| server.project == project)
            && self.image.is_none_or(|image| server.image.as_deref() == Some(image))
            && self.name.as_ref().is_none_or(|name| name.is_match(&server.name))
            && self.status.is_none_or(|wanted| status.eq_ignore_ascii_case(wanted))
            && self.vm_state.is_none_or(|wanted| vm_state == wanted)
            && self.tags.iter().all(|tag| server.tags.contains(*tag))
            && self.since.is_none_or(|since| server.updated_at >= since)
    }
}
