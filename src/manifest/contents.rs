//! What images.toml says, once nothing is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;
use url::Url;

use super::diagnostic::SourceFile;
use crate::model::desired::{Audience, BootTest, Family, Limits, Wanted};
use crate::model::digest::Digests;
use crate::model::lifecycle::Lifecycle;
use crate::model::name::{CatalogueName, FamilyName, VersionName};
use crate::model::passage::Preferences;
use crate::model::source::{Architecture, Distro, LeastTrust};
use crate::model::version::{Compression, DiskFormat};

/// A whole images.toml: every default filled in, every name of the right form, no contradictions.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file itself, for messages that speak of it later.
    pub file: Arc<SourceFile>,
    /// The mark on every image.
    pub catalogue: CatalogueName,
    /// The clouds, in the order of the file; empty means the one of `--os-cloud` and the environment.
    pub clouds: Vec<CloudEntry>,
    /// The families, in the order of their names.
    pub families: BTreeMap<FamilyName, FamilySpec>,
    /// Settings of publishers that have some.
    pub publishers: BTreeMap<Distro, PublisherSettings>,
    /// Whether and how new versions are booted first.
    pub boot_test: Option<BootTest>,
    /// How bytes reach Glance.
    pub import: Preferences,
    /// Limits to what one plan may do.
    pub limits: Limits,
    /// Families that were renamed: old name to new.
    pub moved: BTreeMap<FamilyName, FamilyName>,
    /// The life of families that have left the file: the catalogue's own, without any image's overrides.
    pub retirement: Lifecycle,
}

/// One cloud of clouds.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEntry {
    /// Its name there.
    pub cloud: String,
    /// The regions to keep; empty means the one that clouds.yaml says.
    pub regions: Vec<String>,
}

/// One `[[image]]`.
#[derive(Debug, Clone)]
pub struct FamilySpec {
    /// Its name.
    pub name: FamilyName,
    /// Its public title, without suffix.
    pub title: String,
    /// Where its versions come from.
    pub source: Source,
    /// The processor it is for.
    pub architecture: Architecture,
    /// Whether it is for everybody or for the project alone.
    pub audience: Audience,
    /// The version that must be the latest.
    pub pin: Option<VersionName>,
    /// Versions that must never be shown.
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
    /// What Glance shall hold, where that is another format than the published one.
    pub disk_format: Option<DiskFormat>,
    /// The bytes of its header in the file, for messages.
    pub span: Range<usize>,
}

impl FamilySpec {
    /// The family as the planner wants it, once somebody has found the version.
    pub fn wanting(&self, wanted: Wanted) -> Family {
        Family {
            name: self.name.clone(),
            title: self.title.clone(),
            audience: self.audience,
            wanted,
            skip: self.skip.clone(),
            lifecycle: self.lifecycle.clone(),
            min_disk: self.min_disk,
            min_ram: self.min_ram,
            properties: self.properties.clone(),
            ignored_properties: self.ignored_properties.clone(),
            disk_format: self.disk_format,
        }
    }
}

/// Where a family's versions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A publisher that gallerist knows.
    Distro {
        /// Which.
        distro: Distro,
        /// The publisher's word for the release, stream or channel; none for a distribution without releases.
        release: Option<String>,
        /// The publisher's word for another build of the same release.
        variant: Option<String>,
    },
    /// One exact file on the web.
    Url {
        /// Where.
        url: Url,
        /// Which version it is.
        version: VersionName,
        /// Digests of the bytes as published.
        digests: Digests,
        /// How they are compressed.
        compression: Compression,
        /// What they are once decompressed.
        disk_format: DiskFormat,
        /// When it was built.
        built: Option<Date>,
    },
    /// One file on this machine.
    File {
        /// Where: inside the folder of images.toml.
        path: PathBuf,
        /// Which version it is.
        version: VersionName,
        /// How the bytes are compressed.
        compression: Compression,
        /// What they are once decompressed.
        disk_format: DiskFormat,
        /// When it was built.
        built: Option<Date>,
    },
}

/// `[publisher.*]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublisherSettings {
    /// Replaces scheme, host and the beginning of the path.
    pub mirror: Option<Url>,
    /// Replace the keys that ship with gallerist; empty keeps those.
    pub keys: Vec<PathBuf>,
    /// The least that must vouch for a digest; `None` takes what the publisher offers.
    pub trust: Option<LeastTrust>,
}
