//! What is inside a version, and what a newer one changes of it.
//!
//! The problem: a reviewer of an update wants to know whether it brings the new kernel, and a list of two hundred
//! packages hides it. The idea: what differs is one list, in which the few packages that people ask for come first. It
//! is for people alone: nothing is decided by it, and it is no part of what a plan does. What this does not solve: what
//! is inside a version whose publisher lists no packages.

use std::collections::BTreeMap;

use super::name::VersionName;

/// Names and versions of what is inside an image.
pub type Packages = BTreeMap<String, String>;

/// What people look for first, in this order, by the names that distributions give it. A `*` stands for any ending.
const NOTABLE: [&[&str]; 6] = [
    &["linux-image*", "coreos-kernel", "kernel", "kernel-core"],
    &["openssl", "libssl*"],
    &["libc6", "glibc"],
    &["systemd"],
    &["openssh-server", "openssh"],
    &["cloud-init", "coreos-cloudinit", "ignition"],
];

/// How the packages of a version differ from those of the version it takes over from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChanges {
    /// The version it takes over from.
    pub from: VersionName,
    /// What differs: the most notable first, then by name.
    pub changes: Vec<PackageChange>,
}

/// How one package differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChange {
    /// Its name.
    pub name: String,
    /// What has become of it.
    pub fate: Fate,
}

/// What has become of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It has another version.
    Changed {
        /// The version it had.
        before: String,
        /// The version it has.
        after: String,
    },
    /// It is new, in this version.
    Added(String),
    /// It is gone; this was its version.
    Removed(String),
}

impl PackageChanges {
    /// What differs between the packages of `from` and those that come after it.
    pub fn between(from: VersionName, before: &Packages, after: &Packages) -> Self {
        let kept_or_new = after.iter().filter_map(|(name, version)| {
            let fate = match before.get(name) {
                Some(before) if before == version => return None,
                Some(before) => Fate::Changed { before: before.clone(), after: version.clone() },
                None => Fate::Added(version.clone()),
            };
            Some(PackageChange { name: name.clone(), fate })
        });
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
        let gone =
            gone.map(|(name, version)| PackageChange { name: name.clone(), fate: Fate::Removed(version.clone()) });
        let mut changes: Vec<_> = kept_or_new.chain(gone).collect();
        changes.sort_by(|one, other| one.place().cmp(&other.place()));
        Self { from, changes }
    }

    /// The first change of each group that people look for.
    pub fn notable(&self) -> impl Iterator<Item = &PackageChange> {
        let mut shown = None;
        self.changes.iter().filter(move |change| {
            let rank = rank(&change.name);
            let is_first = rank < NOTABLE.len() && shown != Some(rank);
            shown = Some(rank);
            is_first
        })
    }
}

impl PackageChange {
    /// Where it stands in the list. Names may carry a version themselves (`linux-image-6.8.0-88-generic`), and those come
    /// and go: a package that stays tells more.
    fn place(&self) -> (usize, u8, &str) {
        let fate = match self.fate {
            Fate::Changed { .. } => 0,
            Fate::Added(_) => 1,
            Fate::Removed(_) => 2,
        };
        (rank(&self.name), fate, &self.name)
    }
}

/// The group of a package, without Gentoo's category in front and Debian's architecture behind its name.
fn rank(name: &str) -> usize {
    let bare = name.rsplit('/').next().unwrap_or(name);
    let bare = bare.split(':').next().unwrap_or(bare);
    let is = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => bare.starts_with(beginning),
        None => bare == *pattern,
    };
    NOTABLE.iter().position(|patterns| patterns.iter().any(is)).unwrap_or(NOTABLE.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packages(text: &str) -> Packages {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .collect()
    }

    fn between(before: &Packages, after: &Packages) -> PackageChanges {
        PackageChanges::between(VersionName::parse("1").unwrap(), before, after)
    }

    #[test]
    fn the_kernel_and_openssl_come_first() {
        let before = packages("adduser=1 linux-image-6.8.0-87=87 linux-image-virtual=87 openssl=3.1 same=1 zstd=1");
        let after = packages(
            "abc=1 linux-image-6.8.0-88=88 linux-image-virtual=88 libssl3:amd64=3.2 openssl=3.2 same=1 zstd=2",
        );
        let changes = between(&before, &after);
        let told: Vec<_> = changes.changes.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(
            told,
            [
                "linux-image-virtual",
                "linux-image-6.8.0-88",
                "linux-image-6.8.0-87",
                "openssl",
                "libssl3:amd64",
                "zstd",
                "abc",
                "adduser"
            ]
        );
        let notable: Vec<_> = changes.notable().map(|change| change.name.as_str()).collect();
        assert_eq!(notable, ["linux-image-virtual", "openssl"]);
    }

    #[test]
    fn gentoos_names_are_known_too() {
        let changes =
            between(&packages("sys-libs/glibc=1 sys-kernel/coreos-kernel=1"), &packages("net-misc/openssh=2"));
        let notable: Vec<_> = changes.notable().map(|change| change.name.as_str()).collect();
        assert_eq!(notable, ["sys-kernel/coreos-kernel", "sys-libs/glibc", "net-misc/openssh"]);
    }

    proptest! {
        #[test]
        fn the_changes_lead_from_the_one_list_to_the_other(
            before in prop::collection::btree_map("(linux-image-)?[a-d/:]{1,3}", "[1-3]", 0..8),
            after in prop::collection::btree_map("(linux-image-)?[a-d/:]{1,3}", "[1-3]", 0..8),
        ) {
            let mut packages = before.clone();
            for PackageChange { name, fate } in between(&before, &after).changes {
                let found = match fate {
                    Fate::Changed { before, after } => {
                        prop_assert_ne!(&before, &after);
                        (packages.insert(name, after), Some(before))
                    }
                    Fate::Added(version) => (packages.insert(name, version), None),
                    Fate::Removed(version) => (packages.remove(&name), Some(version)),
                };
                prop_assert_eq!(found.0, found.1);
            }
            prop_assert_eq!(packages, after);
        }
    }
}
