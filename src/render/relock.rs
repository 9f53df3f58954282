//! What a new images.lock.toml has changed, a line a family.

use super::escape::terminal;
use super::words;
use crate::upstream::relock::{Change, Relock};

/// For people, and for the message of a commit.
pub fn human(relock: &Relock, path: &str) -> String {
    let mut lines: Vec<String> = relock
        .changes
        .iter()
        .map(|(family, change)| match change {
            Change::Added(version) => format!("{family}: {version} (new)"),
            Change::Moved { from, to } => format!("{family}: {from} -> {to}"),
            Change::OtherBytes(version) => {
                format!("{family}: {version} has OTHER BYTES than those locked; sites that have it will hold it")
            }
            Change::Details(version) => format!("{family}: {version}, same bytes, other details"),
            Change::Removed(version) => format!("{family}: {version} (removed)"),
        })
        .collect();
    let path = terminal(path);
    let locked = words::count(relock.lock.len(), "locked version");
    lines.push(match relock.changes.len() {
        0 => format!("{path}: {locked}, no changes"),
        changes => format!("{path}: {locked}, {changes} changed"),
    });
    format!("{}\n", lines.join("\n"))
}

/// Whoever could not be looked up, for the message of the error.
pub fn failures(relock: &Relock) -> String {
    let mut lines: Vec<String> =
        relock.failures.iter().map(|(family, reason)| format!("error: {family}: {}", terminal(reason))).collect();
    let families = match relock.failures.len() {
        1 => "1 family was".to_owned(),
        number => format!("{number} families were"),
    };
    lines.push(format!("{families} not looked up and kept what the lock file had"));
    lines.join("\n")
}
