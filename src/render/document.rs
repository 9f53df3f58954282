//! The plan as a document: what every format shows, and what a saved plan is.
//!
//! The problem: a text for people, a comment for a pull request and a JSON file for policies must tell one story, and
//! `show` must tell it again from a file, without the plan. The idea: a plan is told once, into a [`Document`], and each
//! format renders that document and nothing else. Its JSON form is Terraform's plan format (`format_version` 1.2, as
//! read by hashicorp/terraform-json) with everything of our own under `gallerist`. What this does not solve: a document
//! read back is somebody's claim, not a plan; `apply` plans again and compares the ids.
//!
//! Fields serialise in the order in which they stand here. A field may be added; to remove one or to change its meaning
//! is a new [`SCHEMA`]. Readers ignore fields they do not know.

mod detail;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::operation::Verb;

pub use detail::{
    Check, CheckAddress, CheckInstance, Detail, Diagnostic, Import, Package, Packages, Problem, ProjectUse, Usage,
};

/// The version of Terraform's plan format whose shape this is.
pub const FORMAT_VERSION: &str = "1.2";
/// The name and version of our own part.
pub const SCHEMA: &str = "urn:gallerist:schema:plan:1";
/// What Terraform would call the type of an image.
pub const RESOURCE_TYPE: &str = "openstack_image";

/// A plan as a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// Everything that Terraform has no word for.
    pub gallerist: Body,
    /// Every operation, by address.
    pub resource_changes: Vec<ResourceChange>,
    /// What somebody else changed since it was last applied: `before` is what was meant to be, `after` what was found.
    pub resource_drift: Vec<ResourceChange>,
    /// The guards, in Terraform's shape.
    pub checks: Vec<Check>,
    /// What went wrong while the plan was made.
    pub diagnostics: Vec<Diagnostic>,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Whether there is something to apply that no guard refuses.
    pub applyable: bool,
    /// Whether the whole catalogue was looked at: no targets, every site read.
    pub complete: bool,
    /// Whether the plan could not be made to its end.
    pub errored: bool,
}

/// The part of the document that is our own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// [`SCHEMA`].
    pub schema: String,
    /// Of the program that made the plan.
    pub version: String,
    /// `sha256:` and 64 hexadecimal digits over what the plan does.
    pub plan_id: String,
    /// The catalogue's mark.
    pub catalogue: String,
    /// Where the plan acts, and as whom.
    pub sites: Vec<Site>,
    /// What it was made from.
    pub config: Config,
    /// What it was compared with.
    pub live: Live,
    /// The addresses that `--target` named; empty for all.
    pub targets: Vec<String>,
    /// The numbers.
    pub summary: Summary,
    /// What the guards say of the plan as a whole.
    pub guards: Vec<Guard>,
    /// What the plan would do and refuses to do.
    pub holds: Vec<Hold>,
    /// What is to be said without an act.
    pub notes: Vec<Note>,
    /// Whether a guard refuses the plan.
    pub blocked: bool,
}

/// One site, and as whom it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// As in addresses.
    pub name: String,
    /// The entry in clouds.yaml, where there is one.
    pub cloud: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Keystone.
    pub auth_url: Option<String>,
    /// Id of the project that owns the catalogue there.
    pub project_id: Option<String>,
    /// Its name.
    pub project: Option<String>,
    /// The name of the user, or of the application credential's user.
    pub user: Option<String>,
}

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The file, as it was named.
    pub path: String,
    /// How many families it has.
    pub families: usize,
}

/// What a plan was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The cloud itself, or a recording of it.
    pub source: LiveSource,
    /// When it was read.
    pub read_at: Timestamp,
    /// How long that took.
    pub milliseconds: u64,
    /// How many images of the catalogue there are.
    pub managed: usize,
}

/// Where the knowledge of the cloud comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LiveSource {
    /// The cloud's services.
    Api,
    /// A file that `gallerist snapshot` wrote.
    Snapshot,
}

/// The numbers of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Images to create.
    pub create: usize,
    /// Images to update.
    pub update: usize,
    /// Images to delete.
    pub delete: usize,
    /// Managed images that stay as they are.
    pub no_op: usize,
    /// Updates that take back what somebody else changed.
    pub drift: usize,
    /// Operations that are held.
    pub held: usize,
    /// Bytes to fetch from publishers, as far as their sizes are known; an image for several sites counts once.
    pub transfer_bytes: u64,
}

/// One guard's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Its name.
    pub id: String,
    /// What it says.
    pub status: GuardStatus,
    /// The numbers behind it.
    pub detail: String,
    /// The flag that lifts it, where one does.
    pub lift: Option<String>,
}

/// What a guard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuardStatus {
    /// Nothing against the plan.
    Pass,
    /// It would refuse it, but was lifted explicitly.
    Lifted,
    /// It refuses it.
    Block,
}

/// Something the plan would do and refuses to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What is held.
    pub address: String,
    /// Where.
    pub site: String,
    /// What would be done.
    pub operation: Action,
    /// The reason as a word for programs.
    pub because: String,
    /// The reason as a sentence.
    pub detail: String,
    /// Who uses it, where that is the reason.
    pub users: Vec<ProjectUse>,
}

/// Something to say without an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about, as a word for programs.
    pub code: String,
    /// Whether everybody should see it.
    pub level: Level,
    /// The sentence.
    pub detail: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Somebody should look into it.
    Warning,
    /// For those who want to know everything.
    Info,
}

/// One operation on one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// `family/version`, with `@site` where there are several.
    pub address: String,
    /// Terraform's `managed`.
    pub mode: String,
    /// [`RESOURCE_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The family.
    pub name: String,
    /// The version.
    pub index: String,
    /// What changes.
    pub change: Change,
    /// The first reason, as a word for programs. More words may come.
    pub action_reason: String,
    /// What Terraform has no word for.
    pub gallerist: Detail,
}

/// What changes about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is done; one action, for image data cannot be replaced in place.
    pub actions: [Action; 1],
    /// The whole image before; nothing before a creation.
    pub before: Option<Object>,
    /// The whole image after, as far as it is known; nothing after a deletion.
    pub after: Option<Object>,
    /// What of `after` only the run itself will know.
    pub after_unknown: BTreeMap<String, bool>,
    /// Always empty: no secret enters a plan.
    pub before_sensitive: BTreeMap<String, bool>,
    /// Always empty.
    pub after_sensitive: BTreeMap<String, bool>,
}

/// What is done to an image. The words are Terraform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted.
    Delete,
}

impl From<Verb> for Action {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Create => Self::Create,
            Verb::Update => Self::Update,
            Verb::Delete => Self::Delete,
        }
    }
}

impl Action {
    /// The sign for it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Create => Verb::Create.symbol(),
            Self::Update => Verb::Update.symbol(),
            Self::Delete => Verb::Delete.symbol(),
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => Verb::Create.name(),
            Self::Update => Verb::Update.name(),
            Self::Delete => Verb::Delete.name(),
        }
    }
}

/// An image, whole, so that a policy can ask about any part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its id; absent where it has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Who sees it.
    pub visibility: String,
    /// Whether Glance refuses to delete it.
    pub protected: bool,
    /// Whether default listings leave it out.
    pub hidden: bool,
    /// GiB a flavor's disk must have; absent where the image itself will tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_disk: Option<u64>,
    /// MiB a flavor's memory must have.
    pub min_ram: u64,
    /// Custom properties.
    pub properties: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeSet<String>,
}

impl Document {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.resource_changes.is_empty()
    }

    /// The operations of one kind.
    pub fn changes(&self, action: Action) -> impl Iterator<Item = &ResourceChange> {
        self.resource_changes.iter().filter(move |change| change.action() == action)
    }

    /// The beginning of the plan's id, enough to tell plans apart.
    pub fn short_id(&self) -> &str {
        let hexadecimal = self.gallerist.plan_id.strip_prefix("sha256:").unwrap_or(&self.gallerist.plan_id);
        hexadecimal.get(..12).unwrap_or(hexadecimal)
    }
}

impl Guard {
    /// Whether it refuses the plan.
    pub fn refuses(&self) -> bool {
        self.status == GuardStatus::Block
    }
}

impl ResourceChange {
    /// What is done.
    pub const fn action(&self) -> Action {
        self.change.actions[0]
    }
}
