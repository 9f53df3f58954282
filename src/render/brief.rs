//! An operation in a few words, for lists and tables.

use super::document::{Action, Object, ResourceChange};
use super::escape::{quoted, terminal};
use super::fields::{Field, Kind, compare};
use super::words::{self, listed};

/// How many attributes are named before the rest is counted.
const NAMED: usize = 4;

/// What is done, escaped for a terminal: `create "Debian 12 - Latest", public`; `rename to "…", make community`.
pub fn brief(change: &ResourceChange) -> String {
    match (change.action(), &change.change.before, &change.change.after) {
        (Action::Create, _, Some(after)) => {
            let told = format!("create {}, {}", quoted(&after.name), terminal(&after.visibility));
            let packages = change.gallerist.packages.as_ref();
            packages.map_or(told.clone(), |packages| format!("{told}; packages: {}", words::packages(packages)))
        }
        (Action::Update, Some(before), Some(after)) => update(change, before, after),
        (Action::Delete, Some(before), _) => format!("DELETE {}", quoted(&before.name)),
        (action @ (Action::Create | Action::Update | Action::Delete), _, _) => action.name().to_owned(),
    }
}

fn update(change: &ResourceChange, before: &Object, after: &Object) -> String {
    let mut parts = Vec::new();
    if change.gallerist.reactivate {
        parts.push("reactivate".to_owned());
    }
    if before.name != after.name {
        parts.push(format!("rename to {}", quoted(&after.name)));
    }
    if before.visibility != after.visibility {
        parts.push(format!("make {}", terminal(&after.visibility)));
    }
    match (before.protected, after.protected) {
        (false, true) => parts.push("protect".to_owned()),
        (true, false) => parts.push("unprotect".to_owned()),
        (true, true) | (false, false) => {}
    }
    match (before.hidden, after.hidden) {
        (false, true) => parts.push("hide".to_owned()),
        (true, false) => parts.push("show in lists".to_owned()),
        (true, true) | (false, false) => {}
    }
    let fields = compare(Some(before), Some(after));
    let others: Vec<_> = fields.iter().filter(|field| is_other(field)).map(|field| field.name.clone()).collect();
    parts.extend(others.iter().take(NAMED).cloned());
    if others.len() > NAMED {
        parts.push(format!("{} more", others.len() - NAMED));
    }
    if parts.is_empty() {
        parts.push("marks only".to_owned());
    }
    listed(&parts)
}

/// Whether a field has no phrase of its own.
fn is_other(field: &Field) -> bool {
    let has_phrase = match field.kind {
        Kind::Attribute => !matches!(field.name.as_str(), "min_disk" | "min_ram"),
        Kind::Mark => true,
        Kind::Property | Kind::Tag => false,
    };
    !field.is_unchanged() && !has_phrase
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{change, object};

    #[test]
    fn each_kind_of_change_has_its_words() {
        let before = object("Debian 12 - Latest");
        let told = |alter: &dyn Fn(&mut Object)| {
            let mut after = before.clone();
            alter(&mut after);
            brief(&change(Action::Update, Some(before.clone()), Some(after)))
        };
        assert_eq!(
            told(&|after| {
                after.name = "Debian 12 - 2026-10-15".to_owned();
                after.visibility = "community".to_owned();
                after.protected = false;
                after.hidden = true;
            }),
            r#"rename to "Debian 12 - 2026-10-15", make community, unprotect and hide"#
        );
        assert_eq!(told(&|after| after.min_ram = 1), "min_ram");
        assert_eq!(told(&|after| after.tags.extend(["gallerist:superseded=2026-11-23".to_owned()])), "marks only");
        assert_eq!(
            told(&|after| after.properties.extend((0..7).map(|key| (format!("p{key}"), String::new())))),
            "p0, p1, p2, p3 and 3 more"
        );
        assert_eq!(brief(&change(Action::Delete, Some(before.clone()), None)), r#"DELETE "Debian 12 - Latest""#);
        assert_eq!(brief(&change(Action::Create, None, Some(before))), r#"create "Debian 12 - Latest", public"#);
    }
}
