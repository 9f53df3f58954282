//! The words for everything a report of drift can say. Every match names every variant, so a new class or fix does not
//! compile until it has its words.

use super::report::{Change, Finding, Report, Value};
use crate::model::drift::{Class, Fix, State};
use crate::render::escape::{quoted, terminal};
use crate::render::words::{count, listed};

/// What a class means, for legends and help texts.
pub(super) const fn meaning(class: Class) -> &'static str {
    match class {
        Class::Changed => "somebody changed it since it was last applied",
        Class::Missing => "gone, or of no use",
        Class::Duplicate => "several public images bear the public name",
        Class::Pending => "asked for, and not applied yet",
        Class::Outdated => "the publisher has a newer version",
        Class::Stale => "older than it may be",
        Class::Unmanaged => "a public image that no catalogue knows",
        Class::Broken => "no longer published as it is on record",
    }
}

/// What ends a finding.
pub(super) fn fix(fix: &Fix) -> String {
    match fix {
        Fix::ApplyRestores => "apply puts it back".to_owned(),
        Fix::Apply => "apply does it".to_owned(),
        Fix::Lock(family) => format!("`gallerist lock {family}`, review, apply"),
        Fix::ByHand => "nothing on record says what it was: put it back by hand, or accept it".to_owned(),
        Fix::Activate(id) => format!("`openstack image set --activate {id}`"),
        Fix::Replace(id) => format!("its bytes are not to be trusted: find out why, delete {id}, apply"),
        Fix::Gone => "it cannot be brought back; tell those who used its id".to_owned(),
        Fix::Rename => "rename or delete all but one; until then the family is held".to_owned(),
        Fix::LookUpstream => "look whether its publisher has moved on or given up".to_owned(),
        Fix::Adopt => "adopt it, delete it, or take it from the public".to_owned(),
        Fix::AskPublisher => "find out why the publisher changed it; until then the family is held".to_owned(),
    }
}

/// What differs, as one row for each name: name, before, after; escaped for a terminal.
pub(super) fn rows(change: &Change) -> Vec<(String, Option<String>, Option<String>)> {
    let empty = std::collections::BTreeMap::new();
    let (before, after) = (change.before.as_ref().unwrap_or(&empty), change.after.as_ref().unwrap_or(&empty));
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    names.into_iter().map(|name| (terminal(name), before.get(name).map(value), after.get(name).map(value))).collect()
}

fn value(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::Texts(texts) => listed(&texts.iter().map(|text| quoted(text)).collect::<Vec<_>>()),
    }
}

/// `hw_disk_bus "scsi" -> "virtio"`: one row in one line.
pub(super) fn row(name: &str, before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("{name} {before} -> {after}"),
        (Some(before), None) => format!("{name} {before} -> (nothing)"),
        (None, Some(after)) => format!("{name} {after}"),
        (None, None) => name.to_owned(),
    }
}

/// What differs, or what the class means where nothing more is known, in one sentence for a terminal.
pub(super) fn sentence(finding: &Finding) -> String {
    let rows: Vec<_> = rows(&finding.change)
        .into_iter()
        .map(|(name, before, after)| row(&name, before.as_deref(), after.as_deref()))
        .collect();
    if rows.is_empty() { meaning(finding.class.0).to_owned() } else { rows.join(", ") }
}

/// `2 findings (1 new, 1 accepted)`.
pub(super) fn tally(report: &Report) -> String {
    let of = |state: State| report.findings.iter().filter(|finding| finding.state.0 == state).count();
    let parts: Vec<_> = [State::New, State::Accepted]
        .into_iter()
        .map(|state| (of(state), state))
        .filter(|(number, _)| *number > 0)
        .map(|(number, state)| format!("{number} {state}"))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("{}{parts}", count(report.findings.len(), "finding"))
}

/// `33 of 35 images in sync`, over the sites that could be read.
pub(super) fn coverage(report: &Report) -> String {
    let (in_sync, managed) =
        report.sites.iter().fold((0, 0), |(in_sync, managed), site| (in_sync + site.in_sync, managed + site.managed));
    let of = if report.complete { "" } else { ", of what could be read" };
    format!("{in_sync} of {} in sync{of}", count(managed, "image"))
}

/// Where: the sites, escaped for a terminal.
pub(super) fn place(report: &Report) -> String {
    listed(&report.sites.iter().map(|site| terminal(&site.name)).collect::<Vec<_>>())
}

/// How many days, as a column has it.
pub(super) fn days(days: Option<i32>) -> String {
    days.map_or_else(|| "?".to_owned(), |days| format!("{days} d"))
}
