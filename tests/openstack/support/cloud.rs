//! The one real cloud that all tests of this binary share, and the switches that break it.
//!
//! Most tests only add images of their own and may run side by side. Those that take a service or a cell away would
//! disturb all others, so the cloud is a lock: `shared` is its read side, `alone` its write side. Whatever a test has
//! changed is changed back when its `Changed` goes out of scope, be it by a panic.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static IN_USE: RwLock<()> = RwLock::const_new(());

/// The lab directory: `GALLERIST_LAB`, or where `tests/openstack/up` puts it.
///
/// Panics when no cloud has been brought up there.
pub(super) fn directory() -> PathBuf {
    let directory = std::env::var_os("GALLERIST_LAB")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/openstack"), PathBuf::from);
    assert!(
        directory.join("clouds.yaml").is_file(),
        "no OpenStack in `{}`: bring one up with tests/openstack/up (GALLERIST_LAB names another directory)",
        directory.display()
    );
    directory
}

/// Its clouds.yaml.
pub(crate) fn clouds() -> PathBuf {
    directory().join("clouds.yaml")
}

/// The real cloud, for as long as a test holds it.
pub(crate) struct Cloud<Hold> {
    directory: PathBuf,
    _hold: Hold,
}

impl Cloud<RwLockReadGuard<'static, ()>> {
    /// The cloud beside other tests, whole for as long as it is held.
    pub(crate) async fn shared() -> Self {
        Self { directory: directory(), _hold: IN_USE.read().await }
    }
}

impl Cloud<RwLockWriteGuard<'static, ()>> {
    /// The cloud with no other test in it.
    pub(crate) async fn alone() -> Self {
        Self { directory: directory(), _hold: IN_USE.write().await }
    }

    /// Takes Nova's second cell away.
    pub(crate) fn without_second_cell(&self) -> Changed<'_> {
        self.change(("cell", &["down"]), ("cell", &["up"]))
    }

    /// Stops a service: `cinder`, `nova`, `glance2`, ….
    pub(crate) fn without(&self, service: &str) -> Changed<'_> {
        self.change(("down", &[service]), ("up", &[]))
    }

    /// Lets deleted servers stay restorable.
    pub(crate) fn with_soft_delete(&self) -> Changed<'_> {
        self.change(("soft-delete", &["on"]), ("soft-delete", &["off"]))
    }

    /// Lets the Glance of the second region make raw disks of what it imports.
    pub(crate) fn with_conversion_in_region_two(&self) -> Changed<'_> {
        self.change(("conversion", &["on"]), ("conversion", &["off"]))
    }

    /// Adds `count` servers to the second cell, cloned from the server `like`, until the guard goes out of scope.
    pub(crate) fn with_servers_in_second_cell(&self, count: usize, like: &str) -> Changed<'_> {
        let add = ["add", &count.to_string(), "--like", like, "--cell2"];
        self.change(("servers", &add), ("servers", &["remove"]))
    }

    fn change(&self, change: (&str, &[&str]), back: (&'static str, &'static [&'static str])) -> Changed<'_> {
        // The guard first, for a change may fail half way.
        let changed = Changed { back, cloud: self };
        self.script(change.0, change.1).unwrap_or_else(|error| panic!("{error}"));
        changed
    }

    /// Runs one of the scripts of this directory.
    fn script(&self, name: &str, arguments: &[&str]) -> Result<(), String> {
        let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openstack").join(name))
            .args(arguments)
            .env("GALLERIST_LAB", &self.directory)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("tests/openstack/{name} cannot be run: {error}"))?;
        if output.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("tests/openstack/{name} {arguments:?}: {}\n{said}", output.status))
        }
    }
}

/// Something of the cloud is other than it was, until this goes out of scope.
#[must_use = "it is changed back as soon as this is dropped"]
pub(crate) struct Changed<'cloud> {
    back: (&'static str, &'static [&'static str]),
    cloud: &'cloud Cloud<RwLockWriteGuard<'static, ()>>,
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        let done = self.cloud.script(self.back.0, self.back.1);
        // A second panic would end the process before the first is reported; the tests that follow will fail as well.
        if !std::thread::panicking() {
            done.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
