//! What the catalogue should be: exact versions, and what every one of them should look like.

use std::collections::{BTreeMap, BTreeSet};

use super::lifecycle::Lifecycle;
use super::name::{CatalogueName, FamilyName, SiteName, VersionName};
use super::passage::Preferences;
use super::version::{DiskFormat, Version};

/// The whole catalogue as it should be.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The mark on every image.
    pub catalogue: CatalogueName,
    /// Where it should be.
    pub sites: BTreeSet<SiteName>,
    /// The families.
    pub families: BTreeMap<FamilyName, Family>,
    /// Families that were renamed: old name to new.
    pub moved: BTreeMap<FamilyName, FamilyName>,
    /// The life of families that have left the file.
    pub retirement: Lifecycle,
    /// How much one plan may do.
    pub limits: Limits,
    /// Whether new versions are booted before they are shown.
    pub boot_test: Option<BootTest>,
    /// How the bytes of new images come to the sites.
    pub import: Preferences,
}

/// One family as it should be.
#[derive(Debug, Clone)]
pub struct Family {
    /// Its name.
    pub name: FamilyName,
    /// Its public title, without suffix.
    pub title: String,
    /// Whether it is for everybody or for the project alone.
    pub audience: Audience,
    /// Which version should be the latest.
    pub wanted: Wanted,
    /// Versions that must never be shown. The latest may go back to an older version to leave one of these.
    pub skip: BTreeSet<VersionName>,
    /// What becomes of its versions.
    pub lifecycle: Lifecycle,
    /// GiB a flavor's disk must have; `None` takes it from the image.
    pub min_disk: Option<u64>,
    /// MiB a flavor's memory must have.
    pub min_ram: u64,
    /// Custom properties of the latest version.
    pub properties: BTreeMap<String, String>,
    /// Properties that are left as found: names, or beginnings that end in `*`.
    pub ignored_properties: Vec<String>,
    /// What Glance shall hold, where images.toml says; else it is what is published.
    pub disk_format: Option<DiskFormat>,
}

/// Whom a family is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every tenant of the cloud. Usage is asked in all projects.
    Everybody,
    /// The project that owns it. Private in every stage; usage is asked in that project.
    Project,
}

/// Which version should be the latest.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This one.
    Version {
        /// Its name.
        name: VersionName,
        /// Where to get it; absent where only the cloud may still have it.
        version: Option<Box<Version>>,
        /// Who says so.
        chosen: Chosen,
    },
    /// Nobody could say; the text tells why. The family is held as it is.
    Unknown(String),
}

impl Wanted {
    /// The version's name, where somebody could say.
    pub const fn name(&self) -> Option<&VersionName> {
        match self {
            Self::Version { name, .. } => Some(name),
            Self::Unknown(_) => None,
        }
    }
}

/// Who chose a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The publisher: the newest there is.
    Newest,
    /// images.lock.toml.
    Locked,
    /// `pin` in images.toml, which may also go back.
    Pinned,
    /// The source itself names one exact version.
    Written,
}

/// How much one plan may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most this many deletions; absent: the greater of 10 and 30 % of the managed images.
    pub deletions: Option<usize>,
}

/// A server is booted from a version before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootTest {
    /// Name or id of the flavor.
    pub flavor: String,
    /// How the server is connected.
    pub network: BootNetwork,
    /// Seconds until the test has failed.
    pub timeout: u64,
    /// A regular expression that the console must print.
    pub console: Option<String>,
}

/// How a boot-tested server is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootNetwork {
    /// Not at all.
    None,
    /// As Nova thinks best.
    Auto,
    /// To this network, by id or name.
    Network(String),
}
