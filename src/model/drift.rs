//! Where a cloud and its catalogue disagree.
//!
//! A finding is told from facts that were read, never from a guess; what cannot be known has no place here. It says
//! what differs, and what would end it. Whether anybody minds is for the command line to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use globset::GlobMatcher;
use jiff::civil::Date;

use super::image::words;
use super::name::{Address, FamilyName, ImageId, SiteName, VersionName};
use super::usage::Usage;

words!(
    /// The kinds of disagreement, the most alarming first.
    Class {
        /// Somebody changed an image since it was last applied.
        Changed = "changed",
        /// What tenants should find is gone, or cannot be used.
        Missing = "missing",
        /// Several public images bear one public name.
        Duplicate = "duplicate",
        /// images.toml, or a day in it, asks for something that was not applied yet.
        Pending = "pending",
        /// The publisher has a newer version than tenants get.
        Outdated = "outdated",
        /// The version tenants get is older than it may be.
        Stale = "stale",
        /// A public image that no catalogue knows.
        Unmanaged = "unmanaged",
        /// What is published is no longer what is on record, or not there any more.
        Broken = "broken",
    }
);
words!(
    /// Whether a finding is news.
    State {
        /// Not in the report before, or nobody knows that report.
        New = "new",
        /// In the report before as well.
        Known = "known",
        /// Somebody has said why it may be so, and until when.
        Accepted = "accepted",
    }
);

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A family, or one version of it.
    Catalogued(Address),
    /// An image that has no address in the catalogue: its id, and the site where there are several.
    Foreign(ImageId, Option<SiteName>),
}

impl Subject {
    /// The family, where it is one of the catalogue's.
    pub const fn family(&self) -> Option<&FamilyName> {
        match self {
            Self::Catalogued(address) => Some(&address.family),
            Self::Foreign(..) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogued(address) => address.fmt(formatter),
            Self::Foreign(id, None) => id.fmt(formatter),
            Self::Foreign(id, Some(site)) => write!(formatter, "{id}@{site}"),
        }
    }
}

/// A value of an image, or about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A text.
    Text(String),
    /// A flag.
    Flag(bool),
    /// A number.
    Number(u64),
    /// Several texts.
    Texts(Vec<String>),
}

/// Values by their names, OpenStack's own where they are an image's.
pub type Facts = BTreeMap<String, Fact>;

/// What ends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// The next apply puts it back.
    ApplyRestores,
    /// The next apply does it.
    Apply,
    /// Locking the family's newest version, then applying.
    Lock(FamilyName),
    /// Nothing on record says what it was: somebody has to put it back, or accept it.
    ByHand,
    /// Activating the image.
    Activate(ImageId),
    /// The record has lost its bytes; apply can make the version anew once it is gone.
    Replace(ImageId),
    /// Nobody can bring it back: the version is gone for good.
    Gone,
    /// Deciding which image is to bear the name.
    Rename,
    /// Looking for a newer version, or for another publisher.
    LookUpstream,
    /// Adopting the image, or taking it from the public.
    Adopt,
    /// Finding out why the publisher changed what it had published.
    AskPublisher,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about. With the class this is its identity: what differs may change while it lasts.
    pub subject: Subject,
    /// Where.
    pub site: SiteName,
    /// Of which kind.
    pub class: Class,
    /// The image, where there is one.
    pub image: Option<ImageId>,
    /// What was applied, or is there: only what differs.
    pub before: Option<Facts>,
    /// What was found instead, or what should follow.
    pub after: Option<Facts>,
    /// What ends it.
    pub fix: Fix,
}

/// Findings that may be so, for a reason, until a day.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Whose addresses.
    pub address: GlobMatcher,
    /// Of which kind.
    pub class: Class,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: Date,
}

/// A finding, and how it stands.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// Whether it is news.
    pub state: State,
    /// Since when it is known; nobody knows without a report before.
    pub since: Option<Date>,
    /// What accepts it.
    pub accepted: Option<Accepted>,
}

/// A finding of an earlier report that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its address.
    pub address: String,
    /// Of which kind it was.
    pub class: Class,
    /// Since when it was known.
    pub since: Option<Date>,
}

/// What an earlier report said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The day it was made.
    pub checked_on: Date,
    /// Its findings, by address, and since when each was known.
    pub findings: BTreeMap<(String, Class), Option<Date>>,
    /// The sites it could read.
    pub sites: BTreeSet<SiteName>,
    /// Every version of every family that was there.
    pub versions: BTreeMap<(SiteName, FamilyName), BTreeMap<VersionName, Piece>>,
    /// Those that had gone before.
    pub gone: BTreeMap<(SiteName, FamilyName), BTreeMap<VersionName, Gone>>,
}

/// A version that is no longer there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// What it was.
    pub piece: Piece,
    /// The day on which it was missed first.
    pub on: Date,
}

/// How one family hangs on one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    /// The family.
    pub family: FamilyName,
    /// The site.
    pub site: SiteName,
    /// The version that tenants get.
    pub latest: Option<VersionName>,
    /// Every version that is there, newest first.
    pub versions: Vec<Piece>,
    /// Those of the last year that are no longer there, as far as the report before knows, newest first.
    pub gone: Vec<Gone>,
    /// The newest that the publisher offers, where it could say.
    pub upstream: Option<(VersionName, Option<Date>)>,
}

/// One version of a family on one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The version.
    pub version: VersionName,
    /// The image.
    pub image: ImageId,
    /// The name tenants see.
    pub name: String,
    /// When the publisher built it, where that is on record.
    pub built: Option<Date>,
    /// When it was first uploaded.
    pub uploaded: Option<Date>,
    /// Since when a newer one is the latest.
    pub superseded: Option<Date>,
    /// Who uses it, where that was asked.
    pub users: Option<Usage>,
}

impl Hanging {
    /// The version that tenants get.
    pub fn shown(&self) -> Option<&Piece> {
        self.versions.iter().find(|piece| Some(&piece.version) == self.latest.as_ref())
    }
}

impl Piece {
    /// The day it was published: built, or else uploaded.
    pub fn published(&self) -> Option<Date> {
        self.built.or(self.uploaded)
    }
}
