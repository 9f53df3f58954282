//! Images that are not the catalogue's own yet, and may become so.
//!
//! The problem: operations accept only what carries the catalogue's marks, and adoption is what gives marks to an image
//! without any; it must not become the hole through which foreign images come in. The idea: [`Adoptable`] is a type of
//! its own that only [`Adoptable::examine`] makes, and the one operation that can be built from it, [`Adopt`], writes
//! tags and nothing else. What this does not solve: whether an image is the version it is said to be; `planner::adoption`
//! weighs that, and a person approves it.

use jiff::civil::Date;

use super::desired::Audience;
use super::digest::Digest;
use super::image::{Attributes, Image, Status, Visibility, words};
use super::name::{Address, FamilyName, ImageId, ProjectId, SiteName, VersionName};
use super::operation::{sealed, without_run_date};
use super::ours::{Marks, Role, SUPERSEDED, is_derived, is_mark};
use super::template::Moment;

/// An image of our own project that belongs to no catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoptable {
    image: Image,
}

/// Why an image cannot be adopted, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Another project owns it.
    Foreign,
    /// It is a snapshot of a server or volume.
    Derived,
    /// It carries the mark of this or another catalogue.
    Marked,
    /// Its bytes are not there, or not usable.
    Unusable(Status),
    /// Others see it than those the family is for.
    Seen(Visibility),
}

impl Adoptable {
    /// The image, if a family for that audience may take it over.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn examine(image: &Image, project: &ProjectId, audience: Audience) -> Result<Self, Unfit> {
        let Attributes { tags, visibility, .. } = &image.attributes;
        let fits = match audience {
            Audience::Everybody => matches!(visibility, Visibility::Public | Visibility::Community),
            Audience::Project => *visibility == Visibility::Private,
        };
        if image.owner.as_ref() != Some(project) {
            Err(Unfit::Foreign)
        } else if is_derived(image) {
            Err(Unfit::Derived)
        } else if tags.iter().any(|tag| is_mark(tag)) {
            Err(Unfit::Marked)
        } else if image.status != Status::Active {
            Err(Unfit::Unusable(image.status))
        } else if !fits {
            Err(Unfit::Seen(*visibility))
        } else {
            Ok(Self { image: image.clone() })
        }
    }

    /// Its id.
    pub const fn id(&self) -> &ImageId {
        &self.image.id
    }

    /// The image as seen.
    pub const fn image(&self) -> &Image {
        &self.image
    }
}

/// Marks for an image that has none. Nothing else about it changes; what images.toml wants of it, the next plan does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopt {
    before: Adoptable,
    marks: Marks,
    after: Attributes,
    stable: Attributes,
}

impl Adopt {
    /// The adoption of an image. What it looks like now counts as what was last applied to it.
    pub fn new(before: Adoptable, marks: Marks, superseded: Option<Moment>) -> Self {
        let after = sealed(before.image.attributes.clone(), &marks);
        let mut stable = after.clone();
        if let Some(moment) = superseded {
            without_run_date(&mut stable.tags, SUPERSEDED, moment);
        }
        Self { before, marks, after, stable }
    }

    /// The image as the plan saw it.
    pub const fn before(&self) -> &Adoptable {
        &self.before
    }

    /// The marks it gets.
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// What it will be.
    pub const fn after(&self) -> &Attributes {
        &self.after
    }

    /// [`Adopt::after`] without the date that only this run sets.
    pub const fn stable(&self) -> &Attributes {
        &self.stable
    }
}

/// What somebody says an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version; the site, where only one is meant.
    pub address: Address,
    /// The image.
    pub image: ImageId,
    /// When the publisher built it, where that is known.
    pub built: Option<Date>,
}

/// What tells which version of which family an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// Somebody says so.
    Claim,
    /// Its bytes have the digest that the publisher states.
    Bytes(Digest),
    /// Its property `image_source` is where the publisher has the version.
    Source,
    /// Its name is one that the family gives, or the family's title.
    Name,
    /// Its name, or its property `internal_version`, names the version.
    Version,
    /// Its property `image_build_date` is the day on which the publisher built that version alone.
    Built(Date),
    /// Its properties `os_distro` and `os_version` are those of this family alone.
    Distribution,
}

words!(
    /// How sure it is what an image is. Surer is greater.
    Sureness {
        /// Nothing tells, or not enough.
        Unknown = "unknown",
        /// Its own name and properties say so.
        Stated = "stated",
        /// Its bytes are the publisher's.
        Proven = "proven",
        /// Somebody has said so explicitly.
        Claimed = "claimed",
    }
);

/// Why an image is not adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// It may not be, whatever it is.
    Unfit(Unfit),
    /// No family of images.toml fits.
    NoFamily,
    /// Several families fit.
    SeveralFamilies(Vec<FamilyName>),
    /// Nothing says which version; this one was the newest when it was uploaded.
    NoVersion(Option<VersionName>),
    /// Several versions fit.
    SeveralVersions(Vec<VersionName>),
    /// The publisher states other bytes for that version.
    OtherBytes(Digest),
    /// Nothing but its own name and properties tell.
    OnlyStated,
    /// Several images would be the same version.
    Rivals(Vec<ImageId>),
    /// The catalogue has that version already.
    AlreadyThere(ImageId),
    /// Somebody says it is of a family that images.toml does not have.
    UnknownFamily(FamilyName),
}

/// What is proposed for one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Where.
    pub site: SiteName,
    /// The image.
    pub image: ImageId,
    /// What it is called now.
    pub name: String,
    /// The family, where only one fits.
    pub family: Option<FamilyName>,
    /// The version, where only one fits.
    pub version: Option<VersionName>,
    /// How sure that is.
    pub sureness: Sureness,
    /// What tells.
    pub told: Vec<Telling>,
    /// The part it gets in its family, or why it is not adopted.
    pub verdict: Result<Role, Objection>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::{Listing, Protection};
    use std::collections::{BTreeMap, BTreeSet};

    fn image(visibility: Visibility) -> Image {
        Image {
            id: ImageId::parse("i1").unwrap(),
            owner: ProjectId::parse("p1").ok(),
            status: Status::Active,
            attributes: Attributes {
                name: "Debian 12".to_owned(),
                visibility,
                protection: Protection::Unprotected,
                listing: Listing::Listed,
                min_disk: 0,
                min_ram: 0,
                properties: BTreeMap::new(),
                tags: BTreeSet::from(["managed_by_osism".to_owned()]),
            },
            created_at: None,
            size: None,
            virtual_size: None,
            hash: None,
            disk_format: None,
        }
    }

    #[test]
    fn only_an_unmarked_image_of_our_project_can_be_adopted() {
        let project = ProjectId::parse("p1").unwrap();
        let examine = |change: &dyn Fn(&mut Image)| {
            let mut image = image(Visibility::Public);
            change(&mut image);
            Adoptable::examine(&image, &project, Audience::Everybody).map(|adoptable| adoptable.image)
        };
        assert_eq!(examine(&|_| ()), Ok(image(Visibility::Public)));
        assert_eq!(examine(&|image| image.owner = ProjectId::parse("p2").ok()), Err(Unfit::Foreign));
        assert_eq!(examine(&|image| image.owner = None), Err(Unfit::Foreign));
        assert_eq!(examine(&|image| image.status = Status::Deactivated), Err(Unfit::Unusable(Status::Deactivated)));
        for tag in ["gallerist", "gallerist:catalogue=other"] {
            let mark = |image: &mut Image| _ = image.attributes.tags.insert(tag.to_owned());
            assert_eq!(examine(&mark), Err(Unfit::Marked), "{tag}");
        }
        for property in ["image_type", "base_image_ref", "instance_uuid"] {
            let derive =
                |image: &mut Image| _ = image.attributes.properties.insert(property.to_owned(), "x".to_owned());
            assert_eq!(examine(&derive), Err(Unfit::Derived), "{property}");
        }
    }

    #[test]
    fn a_family_takes_over_only_what_its_audience_sees() {
        let project = ProjectId::parse("p1").unwrap();
        for visibility in Visibility::ALL {
            let fits = |audience| Adoptable::examine(&image(*visibility), &project, audience).is_ok();
            assert_eq!(fits(Audience::Everybody), *visibility >= Visibility::Community, "{visibility}");
            assert_eq!(fits(Audience::Project), *visibility == Visibility::Private, "{visibility}");
        }
    }
}
