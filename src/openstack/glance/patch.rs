//! The difference of two sets of attributes as a JSON patch, `application/openstack-images-v2.1-json-patch`.
//!
//! Minimal, for two reasons: Glance has no compare-and-swap, so what is not meant to change must not be sent, and
//! `replace` or `remove` of a property that somebody else has removed meanwhile is refused with 409, which is the only
//! notice there is of a concurrent change.

use serde_json::{Value, json};

use crate::model::image::{Attributes, Listing, Protection};

/// The operations that lead from one to the other, in a stable order; none where nothing differs.
pub fn json_patch(from: &Attributes, to: &Attributes) -> Vec<Value> {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = to;
    let core = [
        (from.name != *name, "name", json!(name)),
        (from.visibility != *visibility, "visibility", json!(visibility.name())),
        (from.protection != *protection, "protected", json!(*protection == Protection::Protected)),
        (from.listing != *listing, "os_hidden", json!(*listing == Listing::Hidden)),
        (from.min_disk != *min_disk, "min_disk", json!(min_disk)),
        (from.min_ram != *min_ram, "min_ram", json!(min_ram)),
        (from.tags != *tags, "tags", json!(tags)),
    ];
    let changed = core.into_iter().filter(|(differs, _, _)| *differs);
    let changed = changed.map(|(_, attribute, value)| operation("replace", attribute, Some(value)));
    let set = properties.iter().filter_map(|(key, value)| match from.properties.get(key) {
        Some(before) if before == value => None,
        Some(_) => Some(operation("replace", key, Some(json!(value)))),
        None => Some(operation("add", key, Some(json!(value)))),
    });
    let gone = from.properties.keys().filter(|key| !properties.contains_key(*key));
    changed.chain(set).chain(gone.map(|key| operation("remove", key, None))).collect()
}

fn operation(kind: &str, attribute: &str, value: Option<Value>) -> Value {
    // RFC 6901: `~` first, or the `~` of `~1` would be escaped again.
    let path = format!("/{}", attribute.replace('~', "~0").replace('/', "~1"));
    match value {
        Some(value) => json!({"op": kind, "path": path, "value": value}),
        None => json!({"op": kind, "path": path}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::Visibility;

    fn attributes(properties: &[(&str, &str)], tags: &[&str]) -> Attributes {
        Attributes {
            name: "a".to_owned(),
            visibility: Visibility::Private,
            protection: Protection::Unprotected,
            listing: Listing::Listed,
            min_disk: 0,
            min_ram: 0,
            properties: properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn equal_attributes_need_no_patch() {
        let same = attributes(&[("a", "1")], &["t"]);
        assert!(json_patch(&same, &same).is_empty());
    }

    #[test]
    fn each_kind_of_change_is_one_operation() {
        let before = attributes(&[("keep", "1"), ("change", "1"), ("old/~key", "1")], &["one"]);
        let mut after = attributes(&[("keep", "1"), ("change", "2"), ("new", "1")], &["two", "one"]);
        after.name = "b".to_owned();
        after.visibility = Visibility::Public;
        after.protection = Protection::Protected;
        after.listing = Listing::Hidden;
        after.min_disk = 4;
        after.min_ram = 512;
        assert_eq!(
            Value::Array(json_patch(&before, &after)),
            json!([
                {"op": "replace", "path": "/name", "value": "b"},
                {"op": "replace", "path": "/visibility", "value": "public"},
                {"op": "replace", "path": "/protected", "value": true},
                {"op": "replace", "path": "/os_hidden", "value": true},
                {"op": "replace", "path": "/min_disk", "value": 4},
                {"op": "replace", "path": "/min_ram", "value": 512},
                {"op": "replace", "path": "/tags", "value": ["one", "two"]},
                {"op": "replace", "path": "/change", "value": "2"},
                {"op": "add", "path": "/new", "value": "1"},
                {"op": "remove", "path": "/old~1~0key"},
            ])
        );
    }
}
