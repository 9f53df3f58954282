//! Operations, and what each of them means.
//!
//! The problem: the diff people review, the check that a plan settles what it says, and the simulator in the tests
//! must not each have their own idea of what an operation does. The idea: [`Operation::effect`] is its only meaning,
//! a pure function on the observed world. What this does not solve: that the performer's requests have that same
//! effect; the conformance suite against a real cloud shows it.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::adoption::Adopt;
use super::digest::{Algorithm, Digest, Digests};
use super::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use super::lifecycle::SnapshotUse;
use super::name::{FamilyName, ImageId, SiteName};
use super::observed::Observed;
use super::ours::{Marks, OwnedImage};
use super::passage::Passage;
use super::template::Moment;
use super::usage::Unused;
use super::version::Version;
use crate::model::desired::Audience;

/// One change of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A new image, from the record to the day it is shown.
    Create(Box<Create>),
    /// New attributes for an image of ours, in one PATCH.
    Update(Box<Update>),
    /// The end of an image of ours that nothing uses.
    Delete(Box<Delete>),
    /// Marks for an image of our project that has none, in one PATCH.
    Adopt(Box<Adopt>),
}

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// [`Operation::Create`]
    Create,
    /// [`Operation::Update`], or [`Operation::Adopt`]: an image that is there gets other attributes
    Update,
    /// [`Operation::Delete`]
    Delete,
}

impl Verb {
    /// The word for it, as in Terraform's plan JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The sign for it, as in Terraform's plans.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
        }
    }
}

/// What an image is created from and as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The family.
    pub family: FamilyName,
    /// Where the bytes come from, exactly.
    pub version: Version,
    /// A new record, or one that an earlier run left and never showed.
    pub record: Record,
    /// The attributes while tenants must not see it.
    pub staged: Attributes,
    /// The attributes it is shown with, as far as they are known before the bytes were seen.
    pub shown: Attributes,
    /// [`Create::shown`] without the dates that only this run sets.
    pub stable: Attributes,
    /// The marks it is shown with, save those that the bytes decide.
    pub marks: Marks,
    /// Whether the smallest disk is written in images.toml or read from the image.
    pub min_disk: MinDisk,
    /// The way its bytes come.
    pub passage: Passage,
}

/// Which record an image is created into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A new one, whose id is chosen when it is made.
    New,
    /// One of ours, with or without bytes; what it holds is not believed before it is verified.
    Existing(Box<OwnedImage>),
}

/// Where the smallest disk comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinDisk {
    /// images.toml.
    Written(u64),
    /// The image's own header, in whole GiB, rounded up.
    FromImage,
}

/// What is known of bytes once they were delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Digests of the stored bytes.
    pub digests: Digests,
    /// How many there are.
    pub size: u64,
    /// Size of the disk inside, in bytes, where the format tells.
    pub virtual_size: Option<u64>,
}

impl Create {
    /// What Glance must hold in the end, as far as it is known before the bytes were seen.
    pub fn stored_digests(&self) -> Option<&Digests> {
        self.passage.stored_digests(&self.version)
    }

    /// The attributes to show the image with, now that its bytes are known.
    pub fn shown_with(&self, delivered: &Delivered) -> Attributes {
        let mut marks = self.marks.clone();
        marks.digest = Some(recorded_digest(&delivered.digests));
        let mut attributes = self.shown.clone();
        if let (MinDisk::FromImage, Some(bytes)) = (self.min_disk, delivered.virtual_size) {
            attributes.min_disk = whole_gib(bytes);
        }
        sealed(attributes, &marks)
    }

    /// The name of the image in a plan, before it has an id.
    fn placeholder(&self) -> ImageId {
        match &self.record {
            Record::New => {
                ImageId::parse(format!("planned-{}-{}", self.family, self.version.name).replace(['+', '~'], "_"))
                    .expect("a family and a version are made of an id's characters")
            }
            Record::Existing(image) => image.id().clone(),
        }
    }
}

/// The digest that goes on record: SHA-512, which is Glance's own, or what else is known.
pub fn recorded_digest(digests: &Digests) -> Digest {
    digests.of(Algorithm::Sha512).unwrap_or_else(|| digests.strongest()).clone()
}

/// GiB that hold so many bytes.
pub const fn whole_gib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 30)
}

/// What changes about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The image as the plan saw it.
    pub before: OwnedImage,
    /// What it should be.
    pub after: Attributes,
    /// [`Update::after`] without the dates that only this run sets.
    pub stable: Attributes,
    /// Whether it must be made usable again.
    pub activation: Activation,
}

/// Whether an update makes an image usable again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activation {
    /// Its status stays.
    Unchanged,
    /// A deletion had begun and is taken back.
    Reactivate,
}

/// An image to delete, with the evidence that nothing uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    before: OwnedImage,
    evidence: Unused,
    audience: Audience,
    snapshots: SnapshotUse,
}

impl Delete {
    /// A deletion, if the evidence is about this very image.
    pub fn new(before: OwnedImage, evidence: Unused, audience: Audience, snapshots: SnapshotUse) -> Option<Self> {
        (evidence.image() == before.id()).then_some(Self { before, evidence, audience, snapshots })
    }

    /// The image as the plan saw it.
    pub const fn before(&self) -> &OwnedImage {
        &self.before
    }

    /// Why it may go.
    pub const fn evidence(&self) -> &Unused {
        &self.evidence
    }

    /// Whose usage counts.
    pub const fn audience(&self) -> Audience {
        self.audience
    }

    /// Whether snapshots count.
    pub const fn snapshots(&self) -> SnapshotUse {
        self.snapshots
    }
}

impl Operation {
    /// Which kind it is.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Create(_) => Verb::Create,
            Self::Update(_) | Self::Adopt(_) => Verb::Update,
            Self::Delete(_) => Verb::Delete,
        }
    }

    /// The id of the image it acts on, where that has one already.
    pub fn id(&self) -> Option<&ImageId> {
        match self {
            Self::Create(create) => match &create.record {
                Record::New => None,
                Record::Existing(image) => Some(image.id()),
            },
            Self::Update(update) => Some(update.before.id()),
            Self::Delete(delete) => Some(delete.before.id()),
            Self::Adopt(adopt) => Some(adopt.before().id()),
        }
    }

    /// The attributes before; none where there is no image yet.
    pub fn before(&self) -> Option<&Attributes> {
        match self {
            Self::Create(_) => None,
            Self::Update(update) => Some(update.before.attributes()),
            Self::Delete(delete) => Some(delete.before.attributes()),
            Self::Adopt(adopt) => Some(&adopt.before().image().attributes),
        }
    }

    /// The attributes after; none where there is no image any more.
    pub fn after(&self) -> Option<&Attributes> {
        match self {
            Self::Create(create) => Some(&create.shown),
            Self::Update(update) => Some(&update.after),
            Self::Delete(_) => None,
            Self::Adopt(adopt) => Some(adopt.after()),
        }
    }

    /// The attributes after, without the dates that only this run sets.
    pub fn stable_after(&self) -> Option<&Attributes> {
        match self {
            Self::Create(create) => Some(&create.stable),
            Self::Update(update) => Some(&update.stable),
            Self::Delete(_) => None,
            Self::Adopt(adopt) => Some(adopt.stable()),
        }
    }

    /// What the operation means.
    pub fn effect(&self, site: &SiteName, observed: &mut Observed) {
        let Some(view) = observed.sites.get_mut(site) else { return };
        match self {
            Self::Create(create) => {
                let id = create.placeholder();
                let attributes = match create.stored_digests() {
                    Some(digests) => create.shown_with(&Delivered {
                        digests: digests.clone(),
                        size: create.version.size.unwrap_or_default(),
                        virtual_size: None,
                    }),
                    None => create.shown.clone(),
                };
                view.images.insert(
                    id.clone(),
                    Image {
                        id,
                        owner: Some(view.project.clone()),
                        status: Status::Active,
                        attributes,
                        created_at: None,
                        size: create.version.size,
                        virtual_size: None,
                        hash: None,
                        disk_format: Some(create.passage.disk_format.name().to_owned()),
                    },
                );
            }
            Self::Update(update) => {
                if let Some(image) = view.images.get_mut(update.before.id()) {
                    image.attributes = update.after.clone();
                    match update.activation {
                        Activation::Reactivate => image.status = Status::Active,
                        Activation::Unchanged => {}
                    }
                }
            }
            Self::Delete(delete) => {
                view.images.remove(delete.before.id());
                view.usage.remove(delete.before.id());
            }
            Self::Adopt(adopt) => {
                let image = Image { attributes: adopt.after().clone(), ..adopt.before().image().clone() };
                view.images.insert(image.id.clone(), image);
            }
        }
    }
}

/// The attributes with the marks written on them, the short digest of what was applied among these. Tags that are not
/// ours stay.
pub fn sealed(mut attributes: Attributes, marks: &Marks) -> Attributes {
    let mut marks = marks.clone();
    marks.applied = Some(applied_digest(&attributes));
    attributes.tags = with_marks(&attributes.tags, &marks);
    attributes
}

/// The tags with these marks in the place of whatever marks stood there.
pub fn with_marks(tags: &BTreeSet<String>, marks: &Marks) -> BTreeSet<String> {
    tags.iter().filter(|tag| !super::ours::is_mark(tag)).cloned().chain(marks.to_tags()).collect()
}

/// The tag that begins so, without a date that only this run sets: what enters a plan's id.
pub fn without_run_date(tags: &mut BTreeSet<String>, mark: &str, moment: Moment) {
    let on_this_run = match moment {
        Moment::ThisRun(_) | Moment::AnyRun => true,
        Moment::Recorded(_) | Moment::Unknown => false,
    };
    if on_this_run && tags.iter().any(|tag| tag.starts_with(mark)) {
        tags.retain(|tag| !tag.starts_with(mark));
        tags.insert(format!("{mark}{}", moment.without_run_date().text()));
    }
}

/// A short digest of the managed attributes, tags left out. Written on the image when they are applied, so that a
/// change by hand can be told from a change of images.toml.
pub fn applied_digest(attributes: &Attributes) -> String {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags: _ } = attributes;
    let mut hasher = Sha256::new();
    let mut field = |text: &str| {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    };
    for text in
        [name, visibility.name(), protection.name(), listing.name(), &min_disk.to_string(), &min_ram.to_string()]
    {
        field(text);
    }
    for (key, value) in properties.iter().filter(|(key, _)| !is_service_property(key)) {
        field(key);
        field(value);
    }
    hex::encode(&hasher.finalize()[..6])
}

/// Properties that services write, and that nobody manages.
pub fn is_service_property(name: &str) -> bool {
    ["os_glance_", "owner_specified.", "img_signature"].iter().any(|beginning| name.starts_with(beginning))
        || ["stores", "locations", "direct_url"].contains(&name)
}

/// Attributes of a record that tenants must not see.
pub fn staged(shown: &Attributes, title: &str, marks: &Marks) -> Attributes {
    let name: String =
        format!("{} ({}, not yet published)", title.chars().take(150).collect::<String>(), marks.version);
    Attributes {
        name,
        visibility: Visibility::Private,
        protection: Protection::Unprotected,
        listing: Listing::Listed,
        tags: with_marks(&shown.tags, &Marks { applied: None, ..marks.clone() }),
        ..shown.clone()
    }
}
