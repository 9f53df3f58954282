//! What `apply` asks of the outside, and what it is answered.

use crate::model::desired::Audience;
use crate::model::image::{Attributes, Image};
use crate::model::lifecycle::SnapshotUse;
use crate::model::name::{ImageId, SiteName};
use crate::model::operation::Delivered;
use crate::model::passage::Passage;
use crate::model::usage::Usage;
use crate::model::version::{DiskFormat, Version};

/// One thing to be done outside. Each is at most one change of one image, save [`Request::Deliver`], which carries one
/// download to several.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Read an image. Answered with [`Answer::Image`].
    Read {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
    },
    /// Make a record without bytes, under an id of our choice. Answered with [`Answer::Done`].
    Record {
        /// Where.
        site: SiteName,
        /// The id it gets.
        id: ImageId,
        /// What it looks like.
        attributes: Box<Attributes>,
        /// Glance's word for the format of the bytes to come.
        disk_format: &'static str,
    },
    /// Bring a version's bytes to records, verified. Answered with [`Answer::Delivered`].
    Deliver {
        /// Which bytes.
        version: Box<Version>,
        /// GiB that the disk inside must fit in, where images.toml says.
        min_disk: Option<u64>,
        /// What they are to be made to on the way, where that is not what is published.
        disk_format: DiskFormat,
        /// Which records, and how the bytes come there.
        targets: Vec<Destination>,
    },
    /// Let a site copy an image's bytes from another region into a record. Answered with [`Answer::Done`].
    Copy {
        /// Where.
        site: SiteName,
        /// Which record.
        id: ImageId,
        /// The other region's name in the catalogue of services.
        region: String,
        /// The image there.
        original: ImageId,
        /// The stores that hold them; none leaves that to Glance.
        stores: Vec<String>,
    },
    /// Boot a server from an image. Answered with [`Answer::Booted`].
    Boot {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
    },
    /// Change attributes, in one PATCH. Answered with [`Answer::Done`].
    Patch {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
        /// The attributes it has.
        from: Box<Attributes>,
        /// The attributes it gets.
        to: Box<Attributes>,
    },
    /// Ask who uses an image. Answered with [`Answer::Usage`].
    Usage {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
        /// Whose usage counts.
        audience: Audience,
        /// Whether snapshots count.
        snapshots: SnapshotUse,
        /// Whether anybody can still begin to use it.
        window: Window,
    },
    /// From now on no server and no volume can be made from it. Answered with [`Answer::Done`].
    Deactivate {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
    },
    /// Take that back. Answered with [`Answer::Done`].
    Reactivate {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
    },
    /// Delete an image. Answered with [`Answer::Done`].
    Delete {
        /// Where.
        site: SiteName,
        /// Which.
        id: ImageId,
    },
}

/// A record that bytes are brought to.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Where.
    pub site: SiteName,
    /// Which record.
    pub id: ImageId,
    /// How the bytes come there.
    pub passage: Passage,
}

/// Whether anybody can still begin to use an image while its users are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Anybody can: the answer is true for now.
    Open,
    /// Nobody can, for it is deactivated: what was begun before and is not visible yet is waited for.
    Closed,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The image as it is, or that there is none.
    Image(Option<Box<Image>>),
    /// It is done.
    Done,
    /// The bytes were read and verified; what became of each target, in the order asked.
    Delivered(Delivered, Vec<Result<(), Failure>>),
    /// What the boot test said.
    Booted(BootOutcome),
    /// Who uses the image.
    Usage(Usage),
    /// It was not done, or nobody can tell.
    Failed(Failure),
}

/// What a boot test said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootOutcome {
    /// The server came up.
    Passed,
    /// No boot test is configured.
    NotAsked,
    /// The server did not come up, and the bytes are to blame.
    Failed(String),
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What may be concluded from it.
    pub kind: FailureKind,
    /// What to tell people.
    pub message: String,
}

/// What may be concluded from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// There is no such image.
    Gone,
    /// Somebody refused; nothing was changed.
    Refused,
    /// No answer, or none that can be understood: it may or may not have happened.
    Unanswered,
    /// The run was interrupted before it was done.
    Interrupted,
    /// It failed, whatever the reason, after something had been done that stays.
    HalfWay,
}

impl Failure {
    /// A refusal with this message.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused, message: message.into() }
    }

    /// The same failure, of something that has left traces.
    #[must_use]
    pub fn half_way(self) -> Self {
        Self { kind: FailureKind::HalfWay, ..self }
    }
}

/// Each question has one kind of answer. Any other kind means that the performer broke its contract, and nothing may be
/// concluded from it.
impl Answer {
    /// That it is done.
    ///
    /// # Errors
    /// It is not, or nobody can tell.
    pub fn done(self) -> Result<(), Failure> {
        if self == Self::Done { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The image, or that there is none.
    ///
    /// # Errors
    /// It could not be read.
    pub fn image(self) -> Result<Option<Box<Image>>, Failure> {
        if let Self::Image(image) = self { Ok(image) } else { Err(self.unexpected()) }
    }

    /// What was delivered, and what became of each target.
    ///
    /// # Errors
    /// The bytes could not be had or are not the right ones.
    pub fn delivered(self) -> Result<(Delivered, Vec<Result<(), Failure>>), Failure> {
        if let Self::Delivered(delivered, results) = self { Ok((delivered, results)) } else { Err(self.unexpected()) }
    }

    /// What the boot test said.
    ///
    /// # Errors
    /// There was no test, which says nothing about the image.
    pub fn booted(self) -> Result<BootOutcome, Failure> {
        if let Self::Booted(outcome) = self { Ok(outcome) } else { Err(self.unexpected()) }
    }

    /// Who uses the image.
    ///
    /// # Errors
    /// Nobody could be asked.
    pub fn usage(self) -> Result<Usage, Failure> {
        if let Self::Usage(usage) = self { Ok(usage) } else { Err(self.unexpected()) }
    }

    fn unexpected(self) -> Failure {
        if let Self::Failed(failure) = self {
            return failure;
        }
        let message = "an answer to another question came back".to_owned();
        Failure { kind: FailureKind::Unanswered, message }
    }
}
