//! A cloud to play in.

use std::any::Any;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Runs the `openstack` client as a cloud of clouds.yaml: what it printed as JSON, or its error.
pub(crate) type Client = fn(&str, &[&str]) -> Result<Value, String>;

/// A cloud with the regions `RegionOne`, which has everything, and `RegionTwo`, which has images alone, and with three
/// projects in it: where it is, and who may enter.
pub(crate) struct Estate {
    /// Its clouds.yaml.
    pub(crate) clouds: PathBuf,
    /// The cloud of clouds.yaml whose user administrates it all.
    pub(crate) admin: &'static str,
    /// The cloud of a member of a project of its own.
    pub(crate) member: &'static str,
    /// The cloud of a member of yet another project.
    pub(crate) other: &'static str,
    /// The `openstack` client, where there is one.
    pub(crate) client: Option<Client>,
    /// Puts `qemu-img` under a path, or what plays it and makes the disk that is there.
    pub(crate) qemu_img: fn(&Path, &Path),
    /// How many foreign images a scenario may put there.
    pub(crate) crowd: usize,
    /// What keeps the cloud there while it is played in.
    pub(crate) hold: Box<dyn Any + Send + Sync>,
}
