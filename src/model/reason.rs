//! Why something is done, why something is not, and why one thing comes before another.
//!
//! Reasons are for people and never steer: nothing in `apply` looks at them.

use super::adoption::Sureness;
use super::digest::Digest;
use super::name::{Address, ImageId, ImageName, SiteName, VersionName};
use super::usage::{Source, User};

/// Why a step is in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The publisher has a version newer than the present latest, or there was none.
    NewVersion {
        /// The present latest.
        from: Option<VersionName>,
    },
    /// A record is there, but an earlier run ended before its bytes were, or before they were compared and booted.
    FinishUpload,
    /// The version is to carry the public name from now on.
    BecomesLatest {
        /// The present latest.
        from: Option<VersionName>,
    },
    /// Another version takes over.
    Superseded {
        /// Which.
        by: VersionName,
    },
    /// The family has left images.toml.
    Retired,
    /// Time, or the number of newer versions, has brought it to a later stage or rank.
    Stage,
    /// These attributes differ from what was last applied: somebody changed them.
    ChangedOutside(Vec<String>),
    /// images.toml says something else than when it was last applied.
    Configuration(Vec<String>),
    /// The family has another name in images.toml now.
    Moved {
        /// The name it had.
        from: String,
    },
    /// A deletion had begun and must be taken back.
    UndoDeletion,
    /// Superseded, due, and nothing uses it.
    Unused,
    /// Never shown to anybody, and no longer wanted.
    Abandoned,
    /// It is to become the catalogue's own.
    Adopted(Sureness),
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Somebody uses it.
    InUse(Vec<User>),
    /// Not every usage source could be read.
    UsageUnknown(Vec<(Source, String)>),
    /// A public image that is not ours bears the family's public name.
    NameTaken {
        /// The name.
        name: ImageName,
        /// Whose it is not.
        id: ImageId,
    },
    /// What should become the latest is older than the present latest.
    Older {
        /// What should.
        wanted: VersionName,
        /// What is.
        present: VersionName,
    },
    /// The bytes published under this version are no longer those on record.
    BytesChanged {
        /// On record.
        recorded: Digest,
        /// Published now.
        published: Digest,
    },
    /// The publisher could not be read, or could not be believed.
    UpstreamUnknown(String),
    /// Its bytes cannot come to the site in the way that images.toml asks for.
    NoPassage(String),
    /// A pinned version is neither on the cloud nor at its publisher.
    VersionGone(VersionName),
    /// The boot test of these bytes failed.
    BootTestFailed,
    /// The image is in a state in which nothing can be done to it.
    Busy(&'static str),
    /// Somebody deactivated the image.
    Deactivated,
    /// No latest version of the family is shown, so none of its others may go.
    NoLatest,
    /// It is the last public version of its family.
    LastPublic,
}

impl Because {
    /// The word for it in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InUse(_) => "in_use",
            Self::UsageUnknown(_) => "usage_unknown",
            Self::NameTaken { .. } => "name_taken",
            Self::Older { .. } => "older",
            Self::BytesChanged { .. } => "bytes_changed",
            Self::UpstreamUnknown(_) => "upstream_unknown",
            Self::NoPassage(_) => "no_passage",
            Self::VersionGone(_) => "version_gone",
            Self::BootTestFailed => "boot_test_failed",
            Self::Busy(_) => "busy",
            Self::Deactivated => "deactivated",
            Self::NoLatest => "no_latest",
            Self::LastPublic => "last_public",
        }
    }
}

/// Something to say without an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A version would be deleted, but not before a day.
    DeletionDue {
        /// Which.
        address: Address,
        /// When.
        on: jiff::civil::Date,
    },
    /// More than one image of ours is the same version on the same site.
    Duplicate {
        /// Which version.
        address: Address,
        /// The images.
        ids: Vec<ImageId>,
    },
    /// New versions are shown without having been booted.
    NoBootTest,
    /// What a new version changes of the packages inside could not be read.
    PackagesUnknown {
        /// The new version.
        address: Address,
        /// Why.
        why: String,
    },
    /// A site shows fewer images than the catalogue was created with because a marked image is not ours.
    Unrecognised {
        /// Where.
        site: SiteName,
        /// The images that carry our marks and are not ours.
        ids: Vec<ImageId>,
    },
}

/// Why one step comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// The new version is shown first, then the old one loses the name: the hand-over, in one breath.
    HandOver,
    /// The latest version is public before an older one goes.
    LatestBeforeDeletion,
    /// An image is there before another region copies it.
    OriginalBeforeCopy,
}

impl Edge {
    /// The sentence for it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::HandOver => "the new version bears the name before the old one loses it",
            Self::LatestBeforeDeletion => "deleted only after the latest version is shown",
            Self::OriginalBeforeCopy => "its bytes are copied from there",
        }
    }
}
