//! Which images are ours, and what their tags say of them.
//!
//! The problem: there is no state file, so the cloud itself must say what belongs to the catalogue; yet a tenant can
//! set any tag on an image of its own, and a snapshot inherits what its image carried. The idea: an image is ours only
//! if our project owns it *and* it carries our catalogue's marks *and* it is no snapshot; only then does
//! [`OwnedImage::recognise`] hand out the type that operations accept. Everything else cannot become an operand.
//! What this does not solve: a colleague with the same project's rights can forge marks. That is the trust boundary.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::desired::Audience;
use super::digest::Digest;
use super::image::{Attributes, Image, Status};
use super::name::{CatalogueName, FamilyName, ImageId, ProjectId, VersionName};

/// The tag every image of any catalogue carries.
pub const MARK: &str = "gallerist";

/// What the tags say of an image of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Whose it is.
    pub catalogue: CatalogueName,
    /// Which family.
    pub family: FamilyName,
    /// Which version.
    pub version: VersionName,
    /// First upload of the version on any site.
    pub uploaded: Option<Date>,
    /// Since when a newer version is the latest.
    pub superseded: Option<Date>,
    /// Digest of the stored bytes.
    pub digest: Option<Digest>,
    /// Digest of the published bytes, where the stored ones are others and nobody publishes what those should be.
    pub source: Option<Digest>,
    /// Short digest of the managed attributes as last applied; absent until the version was first shown.
    pub applied: Option<String>,
    /// The day the publisher built it, where that is known.
    pub built: Option<Date>,
    /// Whom it was created for.
    pub audience: Audience,
    /// Set right before a deletion deactivates the image, so that a run that died in between can be told from an
    /// operator who deactivated it on purpose.
    pub condemned: Condemned,
    /// Set when the boot test of these bytes failed: not shown, not tried again.
    pub boot: BootVerdict,
}

/// Whether a deletion had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condemned {
    /// No deletion was begun.
    No,
    /// A deletion was begun and not ended.
    Yes,
}

/// What a boot test said of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BootVerdict {
    /// It has not failed.
    NotFailed,
    /// It failed.
    Failed,
}

const CATALOGUE: &str = "gallerist:catalogue=";
const FAMILY: &str = "gallerist:family=";
const VERSION: &str = "gallerist:version=";
/// The beginning of the tag that says when the version was first uploaded.
pub const UPLOADED: &str = "gallerist:uploaded=";
/// The beginning of the tag that says since when a newer version is the latest.
pub const SUPERSEDED: &str = "gallerist:superseded=";
const DIGEST: &str = "gallerist:digest=";
const SOURCE: &str = "gallerist:source=";
const APPLIED: &str = "gallerist:applied=";
const BUILT: &str = "gallerist:built=";
const PROJECT_ONLY: &str = "gallerist:audience=project";
const CONDEMNED: &str = "gallerist:condemned";
const BOOT_FAILED: &str = "gallerist:boot-test=failed";

/// The tag by which Glance finds a catalogue's images.
pub fn catalogue_tag(catalogue: &CatalogueName) -> String {
    format!("{CATALOGUE}{catalogue}")
}

impl Marks {
    /// The marks that tags spell out, if they name a catalogue, a family and a version, each exactly once.
    pub fn from_tags(tags: &BTreeSet<String>) -> Option<Self> {
        let only = |prefix: &str| {
            let mut values = tags.iter().filter_map(|tag| tag.strip_prefix(prefix));
            values.next().filter(|_| values.next().is_none())
        };
        let date = |prefix: &str| only(prefix).and_then(|text| text.parse::<Date>().ok());
        if !tags.contains(MARK) {
            return None;
        }
        Some(Self {
            catalogue: CatalogueName::parse(only(CATALOGUE)?).ok()?,
            family: FamilyName::parse(only(FAMILY)?).ok()?,
            version: VersionName::parse(only(VERSION)?).ok()?,
            uploaded: date(UPLOADED),
            superseded: date(SUPERSEDED),
            digest: only(DIGEST).and_then(|text| text.parse().ok()),
            source: only(SOURCE).and_then(|text| text.parse().ok()),
            applied: only(APPLIED).map(str::to_owned),
            built: date(BUILT),
            audience: if tags.contains(PROJECT_ONLY) { Audience::Project } else { Audience::Everybody },
            condemned: if tags.contains(CONDEMNED) { Condemned::Yes } else { Condemned::No },
            boot: if tags.contains(BOOT_FAILED) { BootVerdict::Failed } else { BootVerdict::NotFailed },
        })
    }

    /// The tags that spell these marks.
    pub fn to_tags(&self) -> BTreeSet<String> {
        let Self {
            catalogue,
            family,
            version,
            uploaded,
            superseded,
            digest,
            source,
            applied,
            built,
            audience,
            condemned,
            boot,
        } = self;
        let mut tags = BTreeSet::from([
            MARK.to_owned(),
            format!("{CATALOGUE}{catalogue}"),
            format!("{FAMILY}{family}"),
            format!("{VERSION}{version}"),
        ]);
        tags.extend(uploaded.map(|date| format!("{UPLOADED}{date}")));
        tags.extend(superseded.map(|date| format!("{SUPERSEDED}{date}")));
        tags.extend(digest.as_ref().map(|digest| format!("{DIGEST}{digest}")));
        tags.extend(source.as_ref().map(|digest| format!("{SOURCE}{digest}")));
        tags.extend(applied.as_ref().map(|applied| format!("{APPLIED}{applied}")));
        tags.extend(built.map(|date| format!("{BUILT}{date}")));
        tags.extend((*audience == Audience::Project).then(|| PROJECT_ONLY.to_owned()));
        tags.extend((*condemned == Condemned::Yes).then(|| CONDEMNED.to_owned()));
        tags.extend((*boot == BootVerdict::Failed).then(|| BOOT_FAILED.to_owned()));
        tags
    }
}

/// Whether a tag is one of ours to write; what else stands on an image is left there.
pub fn is_mark(tag: &str) -> bool {
    tag == MARK || tag.starts_with("gallerist:")
}

/// Whether an image is a snapshot of a server or volume.
pub fn is_derived(image: &Image) -> bool {
    let derived = ["image_type", "base_image_ref", "instance_uuid"];
    derived.iter().any(|property| image.attributes.properties.contains_key(*property))
}

/// An image that is proven to be the catalogue's own. There is no other way to name an operand, save
/// [`super::adoption::Adoptable`] for the one operation that gives marks to an image without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedImage {
    image: Image,
    marks: Marks,
}

impl OwnedImage {
    /// The image as ours, if it is: owned by our project, marked with our catalogue, and no snapshot of a server or
    /// volume (those carry `image_type`, `base_image_ref` or `instance_uuid`; seen on Nova 34).
    pub fn recognise(image: &Image, catalogue: &CatalogueName, project: &ProjectId) -> Option<Self> {
        let marks = Marks::from_tags(&image.attributes.tags)?;
        (marks.catalogue == *catalogue && image.owner.as_ref() == Some(project) && !is_derived(image))
            .then(|| Self { image: image.clone(), marks })
    }

    /// Its id.
    pub const fn id(&self) -> &ImageId {
        &self.image.id
    }

    /// The image as seen.
    pub const fn image(&self) -> &Image {
        &self.image
    }

    /// What can be changed about it.
    pub const fn attributes(&self) -> &Attributes {
        &self.image.attributes
    }

    /// What its tags say.
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Where it is in its life.
    pub const fn role(&self) -> Role {
        match (&self.marks.superseded, &self.marks.applied) {
            (Some(_), _) => Role::Superseded,
            (None, Some(_)) => Role::Shown,
            (None, None) => Role::Staged,
        }
    }

    /// The day of its first upload: as marked, else the day Glance made the record.
    pub fn uploaded(&self) -> Option<Date> {
        self.marks.uploaded.or_else(|| self.image.recorded_on())
    }

    /// Whether its bytes are there and usable.
    pub fn is_active(&self) -> bool {
        self.image.status == Status::Active
    }
}

/// Where an image of ours is in its life. Told from its marks, never from its name, which anybody may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Created, and never yet shown to tenants.
    Staged,
    /// Shown as the latest by an earlier run.
    Shown,
    /// Replaced by an earlier run.
    Superseded,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::{Listing, Protection, Visibility};

    fn image(owner: &str, tags: &[&str], properties: &[&str]) -> Image {
        Image {
            id: ImageId::parse("11111111-2222-3333-4444-555555555555").unwrap(),
            owner: Some(ProjectId::parse(owner).unwrap()),
            status: Status::Active,
            attributes: Attributes {
                name: "x".to_owned(),
                visibility: Visibility::Public,
                protection: Protection::Unprotected,
                listing: Listing::Listed,
                min_disk: 0,
                min_ram: 0,
                properties: properties.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect(),
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            },
            created_at: None,
            size: None,
            virtual_size: None,
            hash: None,
            disk_format: None,
        }
    }

    const OURS: [&str; 4] =
        ["gallerist", "gallerist:catalogue=mine", "gallerist:family=debian-12", "gallerist:version=20250210-2019"];

    #[test]
    fn an_image_is_ours_only_with_owner_marks_and_no_ancestor() {
        let catalogue = CatalogueName::parse("mine").unwrap();
        let project = ProjectId::parse("p1").unwrap();
        let recognise = |image: &Image| OwnedImage::recognise(image, &catalogue, &project).is_some();
        assert!(recognise(&image("p1", &OURS, &["hw_disk_bus"])));
        assert!(!recognise(&image("p2", &OURS, &[])), "another project's");
        for (missing, tag) in OURS.iter().enumerate() {
            let mut tags = OURS.to_vec();
            tags.remove(missing);
            assert!(!recognise(&image("p1", &tags, &[])), "without {tag}");
        }
        let mut doubtful = OURS.to_vec();
        doubtful.push("gallerist:family=debian-11");
        assert!(!recognise(&image("p1", &doubtful, &[])), "two families");
        for ancestor in ["image_type", "base_image_ref", "instance_uuid"] {
            assert!(!recognise(&image("p1", &OURS, &[ancestor])), "{ancestor}");
        }
    }

    #[test]
    fn marks_survive_the_way_through_tags() {
        let digest = format!("gallerist:digest=sha256:{}", "ab".repeat(32));
        let mut tags: BTreeSet<String> = OURS.iter().map(|tag| (*tag).to_owned()).collect();
        tags.extend(
            ["gallerist:uploaded=2026-10-15", "gallerist:superseded=2026-11-02", "gallerist:applied=0a1b2c"]
                .map(str::to_owned),
        );
        tags.insert(digest);
        tags.insert(format!("gallerist:source=sha512:{}", "cd".repeat(64)));
        tags.insert("gallerist:condemned".to_owned());
        assert_eq!(Marks::from_tags(&tags).unwrap().to_tags(), tags);
    }
}
