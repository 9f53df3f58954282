//! Which image of a family plays which part.
//!
//! The problem: after crashes, roll-backs, failed publishers and hands that meddled, the images of a family must each
//! still get exactly one part. The idea: the part an image has *played* so far is told by its marks alone (staged,
//! shown, superseded), never by its name; the part it gets *now* follows from which version is wanted. Everything that
//! speaks against the wanted version leaves the present latest in place. What this does not solve: what the parts look
//! like (`appearance`), and when they end (`deletion`).

use std::cmp::Ordering;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Context;
use super::passage::Place;
use crate::model::desired::{Chosen, Family, Wanted};
use crate::model::digest::{Digest, Digests};
use crate::model::image::{Status, Visibility};
use crate::model::name::VersionName;
use crate::model::operation::{Activation, Record};
use crate::model::ours::{BootVerdict, Condemned, OwnedImage, Role};
use crate::model::passage::Passage;
use crate::model::reason::Because;
use crate::model::template::Moment;
use crate::model::version::Version;

/// The parts of one family on one site.
pub(super) struct Cast<'a> {
    pub(super) latest: Latest<'a>,
    /// The version tenants get before the plan.
    pub(super) present: Option<VersionName>,
    /// Newest first.
    pub(super) superseded: Vec<Superseded>,
    /// Never shown, and not wanted.
    pub(super) abandoned: Vec<OwnedImage>,
    /// What speaks against the wanted version.
    pub(super) refusal: Option<Because>,
    pub(super) end: End,
}

/// Who bears the public name after the plan.
pub(super) enum Latest<'a> {
    /// An image that is there.
    Existing(Box<OwnedImage>, Activation),
    /// An image to create.
    New(&'a Version, Record, Box<Passage>),
    /// Nobody: the family has left the file, or never had a version.
    Nobody,
}

impl Latest<'_> {
    /// Its version.
    pub(super) fn version(&self) -> Option<VersionName> {
        match self {
            Self::Existing(image, _) => Some(image.marks().version.clone()),
            Self::New(version, ..) => Some(version.name.clone()),
            Self::Nobody => None,
        }
    }
}

/// A version that another one replaces, now or earlier.
pub(super) struct Superseded {
    pub(super) image: OwnedImage,
    pub(super) since: Moment,
}

/// Whether members of the family may be deleted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As their lifecycle says.
    Possible,
    /// Not while the publisher is silent: discovery that failed must never widen deletion.
    Frozen,
}

pub(super) fn cast<'a>(
    context: &Context<'a>,
    family: Option<(&'a Family, &Place<'_>)>,
    images: Vec<OwnedImage>,
) -> Cast<'a> {
    let present = present(&images).cloned();
    let choice = match family {
        None => Choice { latest: Latest::Nobody, refusal: None, end: End::Possible },
        Some((family, place)) => choose(family, place, &images, present.as_ref()),
    };
    let chosen = match &choice.latest {
        Latest::Existing(image, _) | Latest::New(_, Record::Existing(image), _) => Some(image.id().clone()),
        Latest::New(_, Record::New, _) | Latest::Nobody => None,
    };
    let (mut superseded, mut abandoned) = (Vec::new(), Vec::new());
    for image in images.into_iter().filter(|image| chosen.as_ref() != Some(image.id())) {
        match image.part_played() {
            Role::Staged => abandoned.push(image),
            Role::Shown => superseded.push(Superseded { image, since: Moment::ThisRun(context.today) }),
            Role::Superseded => {
                let since = image.marks().superseded.map_or(Moment::ThisRun(context.today), Moment::Recorded);
                superseded.push(Superseded { image, since });
            }
        }
    }
    superseded.sort_by(|one, other| newest_first(&one.image, &other.image));
    abandoned.sort_by(newest_first);
    let Choice { latest, refusal, end } = choice;
    Cast { latest, present: present.map(|image| image.marks().version.clone()), superseded, abandoned, refusal, end }
}

struct Choice<'a> {
    latest: Latest<'a>,
    refusal: Option<Because>,
    end: End,
}

fn choose<'a>(
    family: &'a Family,
    place: &Place<'_>,
    images: &[OwnedImage],
    present: Option<&OwnedImage>,
) -> Choice<'a> {
    // Whatever speaks against the wanted version, the present latest keeps its part.
    let keep = |refusal: Because, end: End| Choice {
        latest: present
            .map_or(Latest::Nobody, |image| Latest::Existing(Box::new(image.clone()), Activation::Unchanged)),
        refusal: Some(refusal),
        end,
    };
    let today = place.context.today;
    let (name, version, chosen) = match &family.wanted {
        Wanted::Unknown(reason) => return keep(Because::UpstreamUnknown(reason.clone()), End::Frozen),
        Wanted::Version { name, version, chosen } => (name, version.as_deref(), *chosen),
    };
    if let Some(present) = present
        && name.compare_age(&present.marks().version) == Ordering::Less
        && chosen != Chosen::Pinned
        && !family.skip.contains(&present.marks().version)
    {
        let refusal = Because::Older { wanted: name.clone(), present: present.marks().version.clone() };
        return keep(refusal, End::Possible);
    }
    let create = |version: &'a Version, record: Record| match place.passage(version) {
        Ok(passage) => {
            Choice { latest: Latest::New(version, record, Box::new(passage)), refusal: None, end: End::Possible }
        }
        Err(refusal) => keep(refusal, End::Possible),
    };
    let usable = images.iter().filter(|image| image.marks().version == *name && !is_wreck(image, today));
    let candidate = usable.min_by(|one, other| {
        (usability(one), one.role_rank(), one.image().created_at, one.id()).cmp(&(
            usability(other),
            other.role_rank(),
            other.image().created_at,
            other.id(),
        ))
    });
    let Some(image) = candidate else {
        return match version {
            Some(version) => create(version, Record::New),
            None => keep(Because::VersionGone(name.clone()), End::Possible),
        };
    };
    if let Some((recorded, published)) = version.and_then(|version| changed_bytes(version, image)) {
        let refusal = Because::BytesChanged { recorded: recorded.clone(), published: published.strongest().clone() };
        return keep(refusal, End::Possible);
    }
    if boot_failed(image) {
        return keep(Because::BootTestFailed, End::Possible);
    }
    let existing = |activation| Choice {
        latest: Latest::Existing(Box::new(image.clone()), activation),
        refusal: None,
        end: End::Possible,
    };
    match (image.image().status, image.part_played()) {
        // Also one whose bytes are there: whoever left it may have died before they were compared and booted.
        (Status::Active | Status::Queued, Role::Staged) => match version {
            Some(version) => create(version, Record::Existing(Box::new(image.clone()))),
            None => keep(Because::VersionGone(name.clone()), End::Possible),
        },
        (Status::Active, Role::Shown | Role::Superseded) => existing(Activation::Unchanged),
        (Status::Queued, Role::Shown | Role::Superseded) => keep(Because::Busy(Status::Queued.name()), End::Possible),
        (Status::Deactivated, _) if image.marks().condemned == Condemned::Yes => existing(Activation::Reactivate),
        (Status::Deactivated, _) => keep(Because::Deactivated, End::Possible),
        (status @ (Status::Saving | Status::Uploading | Status::Importing | Status::Broken), _) => {
            keep(Because::Busy(status.name()), End::Possible)
        }
    }
}

/// The digest on record and the digests published now, where they show that the bytes are others. An image whose bytes
/// were decompressed or converted on the way remembers what was published; its own digest says nothing about that.
pub(super) fn changed_bytes<'a>(version: &'a Version, image: &'a OwnedImage) -> Option<(&'a Digest, &'a Digests)> {
    let same_format = || image.image().disk_format.as_deref().is_none_or(|format| format == version.disk_format.name());
    let (recorded, published) = match &image.marks().source {
        Some(source) => (source, &version.published),
        None => (image.marks().digest.as_ref().filter(|_| same_format())?, version.stored_digests()?),
    };
    (published.agree(&recorded.clone().into()) == Some(false)).then_some((recorded, published))
}

/// The image tenants get now: the newest that was shown and is usable, else the newest that was shown.
pub(super) fn present(images: &[OwnedImage]) -> Option<&OwnedImage> {
    images
        .iter()
        .filter(|image| image.part_played() == Role::Shown)
        .min_by(|one, other| usability(one).cmp(&usability(other)).then_with(|| newest_first(one, other)))
}

/// How near to usable an image is; less is nearer.
fn usability(image: &OwnedImage) -> u8 {
    match image.image().status {
        _ if boot_failed(image) => 5,
        Status::Active => 0,
        // A deletion can be taken back; what somebody deactivated on purpose is left so.
        Status::Deactivated if image.marks().condemned == Condemned::Yes => 1,
        Status::Deactivated => 2,
        Status::Queued => 3,
        Status::Saving | Status::Uploading | Status::Importing | Status::Broken => 4,
    }
}

fn boot_failed(image: &OwnedImage) -> bool {
    image.marks().boot == BootVerdict::Failed && image.part_played() == Role::Staged
}

/// What was never shown and cannot be finished: its bytes are lost, or a deletion of it had begun.
fn is_wreck(image: &OwnedImage, today: Date) -> bool {
    image.part_played() == Role::Staged
        && match image.image().status {
            Status::Broken => true,
            Status::Deactivated => image.marks().condemned == Condemned::Yes,
            Status::Queued | Status::Saving | Status::Uploading | Status::Importing => is_stuck(image, today),
            Status::Active => false,
        }
}

/// Whether its bytes will not come any more. Those of an upload that has lasted a whole day at least: nobody sends them,
/// be it that Glance died in the middle. A record whose age is not known is waited for. And those that are held up in an
/// import: whoever began it has ended, for applies keep each other out; Glance may go on with it for ever, and takes no
/// other bytes meanwhile.
pub(super) fn is_stuck(image: &OwnedImage, today: Date) -> bool {
    let created = image.image().recorded_on();
    match image.image().status {
        Status::Saving => created.is_some_and(|created| created.saturating_add(2.days()) <= today),
        Status::Uploading | Status::Importing => true,
        Status::Queued => image.attributes().properties.contains_key("os_glance_import_task"),
        Status::Active | Status::Deactivated | Status::Broken => false,
    }
}

pub(super) fn newest_first(one: &OwnedImage, other: &OwnedImage) -> Ordering {
    other
        .marks()
        .version
        .compare_age(&one.marks().version)
        .then_with(|| other.image().created_at.cmp(&one.image().created_at))
        .then_with(|| one.id().cmp(other.id()))
}

impl OwnedImage {
    /// The part that an image has played so far. What others can see was shown to them, whatever mark it has lost.
    pub(super) fn part_played(&self) -> Role {
        match (self.role(), self.attributes().visibility) {
            (Role::Staged, Visibility::Shared | Visibility::Community | Visibility::Public) => Role::Shown,
            (role, _) => role,
        }
    }

    /// Which of several images of one version is preferred as the latest; less is preferred.
    fn role_rank(&self) -> u8 {
        match self.part_played() {
            Role::Shown => 0,
            Role::Superseded => 1,
            Role::Staged => 2,
        }
    }
}
