//! Pieces of a document, for tests that need no plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::render::document::{Action, Change, Detail, Object, RESOURCE_TYPE, ResourceChange};

/// An image as it stands in a document.
pub(in crate::render) fn object(name: &str) -> Object {
    Object {
        id: Some("3cca4075-26fd-dc75-707b-0cee9c534b61".to_owned()),
        name: name.to_owned(),
        visibility: "public".to_owned(),
        protected: true,
        hidden: false,
        min_disk: Some(4),
        min_ram: 512,
        properties: BTreeMap::from([("os_distro".to_owned(), "ubuntu".to_owned())]),
        tags: BTreeSet::from(["gallerist".to_owned()]),
    }
}

/// One operation of a document.
pub(in crate::render) fn change(action: Action, before: Option<Object>, after: Option<Object>) -> ResourceChange {
    ResourceChange {
        address: "debian-12/20261015".to_owned(),
        mode: "managed".to_owned(),
        kind: RESOURCE_TYPE.to_owned(),
        name: "debian-12".to_owned(),
        index: "20261015".to_owned(),
        change: Change {
            actions: [action],
            before,
            after,
            after_unknown: BTreeMap::new(),
            before_sensitive: BTreeMap::new(),
            after_sensitive: BTreeMap::new(),
        },
        action_reason: String::new(),
        gallerist: Detail {
            site: "fra1".to_owned(),
            depends_on: Vec::new(),
            reasons: Vec::new(),
            reactivate: false,
            usage: None,
            source: None,
            size: None,
            digest: None,
            trust: None,
            uploaded: None,
            import: None,
            superseded: None,
            packages: None,
        },
    }
}
