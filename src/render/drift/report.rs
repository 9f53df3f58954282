//! The report: what every format shows, and what the next run is compared with.
//!
//! Fields serialise in the order in which they stand here. A field may be added; to remove one or to change its meaning
//! is a new [`SCHEMA`]. Readers ignore fields they do not know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::drift::{Class, State};

/// The name and version of the form.
pub(super) const SCHEMA: &str = "urn:gallerist:schema:drift:1";

/// Where the cloud and the catalogue disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Of the program that made the report.
    pub version: String,
    /// The catalogue's mark.
    pub catalogue: String,
    /// The file that describes it.
    pub config: String,
    /// Whether everything could be read. Of what could not, nothing is known; it is not in sync.
    pub complete: bool,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// When it was made.
    pub checked_at: Timestamp,
    /// How many findings of each class, every class named.
    pub summary: BTreeMap<String, usize>,
    /// The classes that fail the run.
    pub fail_on: Vec<Word<Class>>,
    /// Every site of the catalogue.
    pub sites: Vec<Site>,
    /// What was found, the most alarming first.
    pub findings: Vec<Finding>,
    /// What the report before had found and is no more.
    pub resolved: Vec<Resolved>,
    /// Every family on every site that could be read.
    pub families: Vec<FamilyEntry>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `site` or `upstream`.
    pub kind: String,
    /// The site's name, or the family's.
    pub name: String,
    /// What happened.
    pub detail: String,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Whether it could be read.
    pub complete: bool,
    /// How many images there are the catalogue's own.
    pub managed: usize,
    /// How many of those have no finding but accepted ones.
    pub in_sync: usize,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The address; for an image that has none, its id.
    pub address: String,
    /// Of which kind.
    pub class: Word<Class>,
    /// Whether it is news.
    pub state: Word<State>,
    /// Since when it is known, where the report before is.
    pub since: Option<Date>,
    /// What differs.
    pub change: Change,
    /// What ends it.
    pub fix: String,
    /// Where.
    pub site: String,
    /// The family, where it is one of the catalogue's.
    pub family: Option<String>,
    /// The image, where there is one.
    pub id: Option<String>,
    /// Why it may be so, where somebody has accepted it.
    pub accepted: Option<Acceptance>,
}

/// Why a finding may be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: Date,
}

/// What differs: of changes by hand, what was applied and what was found; of everything else, what is there and what
/// should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Before.
    pub before: Option<BTreeMap<String, Value>>,
    /// After.
    pub after: Option<BTreeMap<String, Value>>,
}

/// A value of an image, or about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A flag.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
}

/// A finding that has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The address.
    pub address: String,
    /// Of which kind it was.
    pub class: Word<Class>,
    /// Since when it was known.
    pub since: Option<Date>,
}

/// One family on one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyEntry {
    /// The family.
    pub family: String,
    /// The site.
    pub site: String,
    /// Its title, where images.toml still has it.
    pub title: Option<String>,
    /// The line of images.toml that begins it.
    pub line: Option<usize>,
    /// The version that tenants get.
    pub latest: Option<String>,
    /// The day its publisher built it, where that is on record.
    pub built: Option<Date>,
    /// The day it was first uploaded.
    pub uploaded: Option<Date>,
    /// Days since it was built, or else uploaded.
    pub age_days: Option<i32>,
    /// The newest version that the publisher offers, where it could say.
    pub upstream: Option<String>,
    /// The day that was built.
    pub upstream_built: Option<Date>,
    /// Days between the building of the one and of the other.
    pub behind_days: Option<i32>,
    /// Every version that is there, newest first.
    pub versions: Vec<VersionEntry>,
    /// Those of the last year that are no longer there, as far as the report before knows, newest first.
    #[serde(default)]
    pub gone: Vec<GoneEntry>,
}

/// One version of a family on one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionEntry {
    /// The version.
    pub version: String,
    /// The image.
    pub id: String,
    /// The name tenants see.
    pub name: String,
    /// The day its publisher built it.
    pub built: Option<Date>,
    /// The day it was first uploaded.
    pub uploaded: Option<Date>,
    /// Since when a newer one is the latest.
    pub superseded: Option<Date>,
    /// Who uses it; asked of replaced versions.
    #[serde(default)]
    pub users: Option<Users>,
}

/// A version that is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneEntry {
    /// The version.
    pub version: String,
    /// The image it was.
    pub id: String,
    /// The name it had.
    pub name: String,
    /// The day its publisher built it.
    pub built: Option<Date>,
    /// The day it was first uploaded.
    pub uploaded: Option<Date>,
    /// Since when a newer one was the latest.
    pub superseded: Option<Date>,
    /// The day on which it was missed first.
    pub gone: Date,
}

/// Who uses an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// Whether everybody could be asked. If not, there may be more.
    pub complete: bool,
    /// Project by project.
    pub projects: Vec<ProjectUsers>,
}

/// What one project has of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectUsers {
    /// Its id, where the service says.
    pub project_id: Option<String>,
    /// Its name, where we may know it.
    pub project: Option<String>,
    /// Ids of servers.
    pub servers: Vec<String>,
    /// Ids of volumes.
    pub volumes: Vec<String>,
    /// How many other users: snapshots, and projects it is shared with.
    pub others: usize,
}

/// A word out of a closed list, written as that word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<T>(pub T);

macro_rules! written_as_words {
    ($($type:ident),+) => {$(
        impl Serialize for Word<$type> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.name())
            }
        }

        impl<'de> Deserialize<'de> for Word<$type> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                $type::from_name(&word).map(Self).ok_or_else(|| {
                    serde::de::Error::custom(format!("`{}` is none of its words", word.escape_debug()))
                })
            }
        }
    )+};
}

written_as_words!(Class, State);

impl Report {
    /// Whether a finding fails the run.
    pub fn fails(&self, finding: &Finding) -> bool {
        finding.state.0 != State::Accepted && self.fail_on.contains(&finding.class)
    }

    /// Whether any finding fails the run.
    pub fn has_drift(&self) -> bool {
        self.findings.iter().any(|finding| self.fails(finding))
    }

    /// The findings that nobody has accepted.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.state.0 != State::Accepted)
    }

    /// The family that a finding is about, on its site.
    pub fn family_of(&self, finding: &Finding) -> Option<&FamilyEntry> {
        self.families
            .iter()
            .find(|family| Some(&family.family) == finding.family.as_ref() && family.site == finding.site)
    }

    /// Whether there are several sites, so that each thing must say where it is.
    pub fn has_several_sites(&self) -> bool {
        self.sites.len() > 1
    }
}

impl FamilyEntry {
    /// The version that tenants get.
    pub fn shown(&self) -> Option<&VersionEntry> {
        self.versions.iter().find(|version| Some(&version.version) == self.latest.as_ref())
    }

    /// What people call it: its address without a version.
    pub fn address(&self, report: &Report) -> String {
        if report.has_several_sites() { format!("{}@{}", self.family, self.site) } else { self.family.clone() }
    }
}
