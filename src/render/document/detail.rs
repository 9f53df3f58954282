//! What a document says of one operation, and of what was checked, beyond Terraform's words.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What there is to say of an operation beyond Terraform's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Where.
    pub site: String,
    /// The addresses that come first.
    pub depends_on: Vec<String>,
    /// Why, as sentences; the most telling one first.
    pub reasons: Vec<String>,
    /// Whether a deactivated image is made usable again.
    pub reactivate: bool,
    /// Who uses it, where that was asked.
    pub usage: Option<Usage>,
    /// Where the bytes come from.
    pub source: Option<String>,
    /// How many bytes are published or stored.
    pub size: Option<u64>,
    /// `algorithm:hexadecimal` of the published bytes, or of the stored ones where there are some.
    pub digest: Option<String>,
    /// What vouches for the digest: `signed:<fingerprint>`, `https`, `declared`, `local`, `none`.
    pub trust: Option<String>,
    /// How the bytes come to the site, where that is not by a plain upload of what is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// The first upload of this version.
    pub uploaded: Option<Date>,
    /// Since when a newer version is the latest.
    pub superseded: Option<Date>,
    /// What a new version changes of the packages inside, where that could be read.
    #[serde(default)]
    pub packages: Option<Packages>,
}

/// How the packages inside a version differ from those of the version it takes over from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// The version it takes over from.
    pub from: String,
    /// How many have another version.
    pub changed: usize,
    /// How many are new.
    pub added: usize,
    /// How many are gone.
    pub removed: usize,
    /// The names of those that people look for first: the kernel, openssl and so on.
    pub notable: Vec<String>,
    /// All of them, the notable first.
    pub changes: Vec<Package>,
}

/// How one package differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The version it had; none if it is new.
    pub before: Option<String>,
    /// The version it has; none if it is gone.
    pub after: Option<String>,
}

impl Packages {
    /// How many have another version, are new, and are gone, as the list of them says.
    pub fn counted(&self) -> (usize, usize, usize) {
        let count = |before: bool, after: bool| {
            let is_such = |package: &&Package| (package.before.is_some(), package.after.is_some()) == (before, after);
            self.changes.iter().filter(is_such).count()
        };
        (count(true, true), count(false, true), count(true, false))
    }
}

/// How the bytes of a new image come to a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Glance's word for the method.
    pub method: String,
    /// The site it is copied from, where it is.
    pub copied_from: Option<String>,
    /// The stores that hold them; empty where that is left to Glance.
    pub stores: Vec<String>,
    /// What Glance holds in the end.
    pub disk_format: String,
    /// The published format, where somebody converts it.
    pub converted_from: Option<String>,
    /// Who does: `qemu-img` or `glance`.
    pub converted_by: Option<String>,
}

/// What the usage sources said of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Whether every source was read completely.
    pub complete: bool,
    /// How many each source knows; absent where it gave no answer.
    pub sources: BTreeMap<String, Option<usize>>,
    /// Who they are.
    pub users: Vec<ProjectUse>,
}

/// What one project makes of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectUse {
    /// The project, where the service says.
    pub project_id: Option<String>,
    /// Ids of servers.
    pub servers: Vec<String>,
    /// Ids of volumes.
    pub volumes: Vec<String>,
    /// Ids of snapshot images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// Ids of projects it is shared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// A guard in the shape of Terraform's checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is checked.
    pub address: CheckAddress,
    /// `pass` or `fail`.
    pub status: String,
    /// One for each failure.
    pub instances: Vec<CheckInstance>,
}

/// What a check is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAddress {
    /// Terraform's `check`.
    pub kind: String,
    /// The guard.
    pub name: String,
    /// How it is written.
    pub to_display: String,
}

/// One result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInstance {
    /// `pass` or `fail`.
    pub status: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// What a check found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One sentence.
    pub message: String,
}

/// Something that went wrong while the plan was made, in the shape of `terraform validate -json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub severity: String,
    /// What kind of mistake it is.
    pub summary: String,
    /// The whole story.
    pub detail: String,
}
