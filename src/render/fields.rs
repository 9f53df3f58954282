//! An image as a list of fields, and what differs between two of them.
//!
//! Every format that shows attributes shows these, in this order, with these words: OpenStack's own, as in
//! `openstack image show`. Values are canonical text: strings in quotation marks, numbers and flags bare.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Object;
use super::escape::{quoted, terminal};
use crate::model::ours::is_mark;

/// What kind of attribute a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One that every image has.
    Attribute,
    /// A custom property.
    Property,
    /// A tag.
    Tag,
    /// A tag that gallerist keeps its books by.
    Mark,
}

/// One field, before and after; at least one of both is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// What kind it is.
    pub kind: Kind,
    /// What it is called, escaped for a terminal.
    pub name: String,
    /// Its value before, escaped for a terminal.
    pub before: Option<String>,
    /// Its value after, escaped for a terminal.
    pub after: Option<String>,
    same: bool,
}

impl Field {
    /// Whether it stays as it is. Told from the values themselves: two long ones may look alike once they are cut.
    pub(super) const fn is_unchanged(&self) -> bool {
        self.same
    }
}

/// What stands for a value that only the run will know.
pub(super) const UNKNOWN: &str = "(known after apply)";

/// Every field of both, attributes first, then properties and tags by name.
pub(super) fn compare(before: Option<&Object>, after: Option<&Object>) -> Vec<Field> {
    let before = before.map(values).unwrap_or_default();
    let after = after.map(values).unwrap_or_default();
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let (before, after) = (before.get(key), after.get(key));
            Field {
                kind: key.0,
                name: match key.0 {
                    Kind::Attribute | Kind::Property => terminal(key.2),
                    Kind::Tag | Kind::Mark => "tag".to_owned(),
                },
                before: before.map(Value::shown),
                after: after.map(Value::shown),
                same: before == after,
            }
        })
        .collect()
}

/// Kind, rank among its kind, name.
type Key<'a> = (Kind, usize, &'a str);

#[derive(Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    Word(&'a str),
    Flag(bool),
    Amount(u64, &'static str),
    Unknown,
}

impl Value<'_> {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Word(word) => terminal(word),
            Self::Flag(flag) => flag.to_string(),
            Self::Amount(amount, unit) => format!("{amount} {unit}"),
            Self::Unknown => UNKNOWN.to_owned(),
        }
    }
}

fn values(object: &Object) -> BTreeMap<Key<'_>, Value<'_>> {
    let Object { id: _, name, visibility, protected, hidden, min_disk, min_ram, properties, tags } = object;
    let attributes = [
        ("name", Value::Text(name)),
        ("visibility", Value::Word(visibility)),
        ("protected", Value::Flag(*protected)),
        ("os_hidden", Value::Flag(*hidden)),
        ("min_disk", min_disk.map_or(Value::Unknown, |gib| Value::Amount(gib, "GiB"))),
        ("min_ram", Value::Amount(*min_ram, "MiB")),
    ];
    let attributes =
        attributes.into_iter().enumerate().map(|(rank, (name, value))| ((Kind::Attribute, rank, name), value));
    let properties = properties.iter().map(|(name, value)| ((Kind::Property, 0, name.as_str()), Value::Text(value)));
    let tags = tags.iter().map(|tag| {
        let kind = if is_mark(tag) { Kind::Mark } else { Kind::Tag };
        ((kind, 0, tag.as_str()), Value::Text(tag))
    });
    attributes.chain(properties).chain(tags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::object;

    #[test]
    fn what_differs_is_told_and_what_does_not_is_there_too() {
        let before = object("old name");
        let mut after = object("new name");
        after.hidden = true;
        after.properties.remove("os_distro");
        after.properties.insert("hw_disk_bus".to_owned(), "scsi".to_owned());
        after.tags.insert("mine".to_owned());
        let fields = compare(Some(&before), Some(&after));
        let changed: Vec<_> = fields
            .iter()
            .filter(|field| !field.is_unchanged())
            .map(|field| (field.name.as_str(), field.before.as_deref(), field.after.as_deref()))
            .collect();
        assert_eq!(
            changed,
            [
                ("name", Some("\"old name\""), Some("\"new name\"")),
                ("os_hidden", Some("false"), Some("true")),
                ("hw_disk_bus", None, Some("\"scsi\"")),
                ("os_distro", Some("\"ubuntu\""), None),
                ("tag", None, Some("\"mine\"")),
            ]
        );
        assert_eq!(fields.iter().filter(|field| field.is_unchanged()).count(), 5, "{fields:?}");
    }

    #[test]
    fn values_that_look_alike_when_shown_are_still_different() {
        let mut before = object("x");
        let mut after = object("x");
        before.name = format!("{}a", "y".repeat(9_000));
        after.name = format!("{}b", "y".repeat(9_000));
        // Both are shown cut to the same text. That must not read as "nothing changes".
        assert!(compare(Some(&before), Some(&after)).iter().any(|field| field.name == "name" && !field.is_unchanged()));
    }
}
