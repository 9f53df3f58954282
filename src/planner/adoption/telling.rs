//! What an image tells of itself.
//!
//! Bytes are proof: they have the digest that the publisher states for one version, or another one, and then no name
//! and no property makes them that version. Everything else is a statement: where the image says it came from, what it
//! is called, which version and which day of building its properties name. Only our own project can have written them,
//! and other tools have been seen to write them wrong. When it was uploaded says nothing; it is a hint for whoever looks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Estate, digests};
use crate::model::adoption::{Adoptable, Claim, Objection, Proposal, Sureness, Telling, Unfit};
use crate::model::desired::{Audience, Family};
use crate::model::digest::Digest;
use crate::model::image::{Image, Visibility};
use crate::model::name::{FamilyName, SiteName, VersionName};
use crate::model::observed::SiteView;
use crate::model::ours::{OwnedImage, Role};
use crate::model::template::{Reading, Template};
use crate::model::version::Version;

type Is = (FamilyName, VersionName);

/// What was found out about an image.
pub(super) struct Finding<'a> {
    pub(super) image: &'a Image,
    /// Proof that it may be adopted by the family that fits.
    pub(super) adoptable: Option<Adoptable>,
    /// The families that fit.
    pub(super) families: BTreeSet<FamilyName>,
    /// The version, where only one fits.
    pub(super) is: Option<Is>,
    pub(super) sureness: Sureness,
    pub(super) told: Vec<Telling>,
    /// What its name says, as that family gives names.
    pub(super) reading: Reading,
    /// When the publisher built it.
    pub(super) built: Option<Date>,
    pub(super) objection: Option<Objection>,
}

/// Every image of our project that a family fits, that somebody names, or that tenants see without any family.
pub(super) fn findings<'a>(estate: &Estate<'a>, site: &SiteName, view: &SiteView) -> Vec<Finding<'a>> {
    let Some(images) = estate.images.get(site) else { return Vec::new() };
    let ours = |image: &Image| OwnedImage::recognise(image, &estate.desired.catalogue, &view.project).is_some();
    let unmarked = images.values().filter(|image| !ours(image));
    unmarked.filter_map(|image| finding(estate, site, view, image)).collect()
}

fn finding<'a>(estate: &Estate<'a>, site: &SiteName, view: &SiteView, image: &'a Image) -> Option<Finding<'a>> {
    let claim = estate
        .claims
        .iter()
        .find(|claim| claim.image == image.id && claim.address.site.as_ref().is_none_or(|wanted| wanted == site));
    let read = estate.read.get(&(site.clone(), image.id.clone()));
    let bytes = digests(image, read);
    let weighed = match claim {
        Some(claim) => claimed(claim),
        None => weigh(estate, image, &bytes),
    };
    let Weighed { families, is, told, sureness, mut objection } = weighed;
    let family = is.as_ref().map(|(family, _)| family).or(families.first());
    let family = family.and_then(|family| estate.desired.families.get(family));
    if let (Some((name, _)), None) = (&is, family) {
        objection = Some(Objection::UnknownFamily(name.clone()));
    }
    let audience = family.map_or(Audience::Everybody, |family| family.audience);
    let examined = Adoptable::examine(image, &view.project, audience);
    let hangs = image.attributes.visibility >= Visibility::Community;
    if family.is_none() && is.is_none() && (!hangs || matches!(examined, Err(Unfit::Derived | Unfit::Foreign))) {
        return None;
    }
    let version =
        is.as_ref().and_then(|(family, version)| known(estate, family).iter().find(|one| one.name == *version));
    objection = objection.or_else(|| other_bytes(version?, &bytes));
    if let Err(unfit) = &examined {
        objection = Some(Objection::Unfit(*unfit));
    } else if objection.is_none() && sureness < estate.least {
        objection = Some(Objection::OnlyStated);
    }
    let reading = family.and_then(|family| read_name(family, image)).unwrap_or_default();
    let built =
        claim.and_then(|claim| claim.built).or_else(|| version?.built).or(reading.built).or_else(|| built(image));
    let adoptable = examined.ok();
    Some(Finding { image, adoptable, families, is, sureness, told, reading, built, objection })
}

impl Finding<'_> {
    pub(super) fn proposal(self, site: &SiteName, role: Option<Role>) -> Proposal {
        let only = || (self.families.len() == 1).then(|| self.families.first().cloned()).flatten();
        let (family, version) = match self.is {
            Some((family, version)) => (Some(family), Some(version)),
            None => (only(), None),
        };
        let verdict = match (self.objection, role) {
            (Some(objection), _) => Err(objection),
            (None, Some(role)) => Ok(role),
            (None, None) => Err(Objection::NoFamily),
        };
        Proposal {
            site: site.clone(),
            image: self.image.id.clone(),
            name: self.image.attributes.name.clone(),
            family,
            version,
            sureness: self.sureness,
            told: self.told,
            verdict,
        }
    }
}

/// What everything together says.
struct Weighed {
    families: BTreeSet<FamilyName>,
    is: Option<Is>,
    told: Vec<Telling>,
    sureness: Sureness,
    objection: Option<Objection>,
}

fn claimed(claim: &Claim) -> Weighed {
    Weighed {
        families: BTreeSet::from([claim.address.family.clone()]),
        is: claim.address.version.clone().map(|version| (claim.address.family.clone(), version)),
        told: vec![Telling::Claim],
        sureness: Sureness::Claimed,
        objection: None,
    }
}

fn weigh(estate: &Estate<'_>, image: &Image, bytes: &[Digest]) -> Weighed {
    let mut families: BTreeMap<&FamilyName, Vec<Telling>> = BTreeMap::new();
    for family in estate.desired.families.values() {
        let told = family_told(family, known(estate, &family.name), image);
        if !told.is_empty() {
            families.insert(&family.name, told);
        }
    }
    let proven: BTreeMap<Is, Digest> = estate
        .desired
        .families
        .keys()
        .flat_map(|family| known(estate, family).iter().map(move |version| (family, version)))
        .filter_map(|(family, version)| Some(((family.clone(), version.name.clone()), same_bytes(version, bytes)?)))
        .collect();
    // Two families of the same bytes are told apart by what the image calls itself.
    let tells_apart = |is: &&Is| proven.len() == 1 || families.contains_key(&is.0);
    let mut fitting = proven.keys().filter(tells_apart);
    if let (Some(is), None) = (fitting.next(), fitting.next()) {
        let told = std::iter::once(Telling::Bytes(proven[is].clone()));
        let told = told.chain(families.get(&is.0).cloned().unwrap_or_default()).collect();
        let families = BTreeSet::from([is.0.clone()]);
        return Weighed { families, is: Some(is.clone()), told, sureness: Sureness::Proven, objection: None };
    }
    let nothing = |families: BTreeSet<FamilyName>, told, objection| Weighed {
        families,
        is: None,
        told,
        sureness: Sureness::Unknown,
        objection: Some(objection),
    };
    if families.is_empty() {
        families = described(estate, image);
    }
    let names: BTreeSet<FamilyName> = proven.keys().map(|is| &is.0).chain(families.keys().copied()).cloned().collect();
    let (Some(name), 1) = (names.first(), names.len()) else {
        let several = names.iter().cloned().collect();
        let objection = if names.is_empty() { Objection::NoFamily } else { Objection::SeveralFamilies(several) };
        return nothing(names, Vec::new(), objection);
    };
    let told = families.remove(name).unwrap_or_default();
    let Some(family) = estate.desired.families.get(name) else { return nothing(names, told, Objection::NoFamily) };
    let mut versions = versions_told(family, known(estate, name), image);
    match (versions.pop_first(), versions.is_empty()) {
        (Some((version, tells)), true) => Weighed {
            is: Some((name.clone(), version)),
            told: told.into_iter().chain(tells).collect(),
            families: names,
            sureness: Sureness::Stated,
            objection: None,
        },
        (Some((first, _)), false) => {
            let several = std::iter::once(first).chain(versions.into_keys()).collect();
            nothing(names, told, Objection::SeveralVersions(several))
        }
        (None, _) => {
            let hint = newest_then(known(estate, name), image);
            nothing(names, told, Objection::NoVersion(hint))
        }
    }
}

fn known<'a>(estate: &Estate<'a>, family: &FamilyName) -> &'a [Version] {
    estate.known.get(family).map(Vec::as_slice).unwrap_or_default()
}

fn same_bytes(version: &Version, bytes: &[Digest]) -> Option<Digest> {
    let stated = version.stored_digests()?;
    bytes.iter().find(|digest| stated.of(digest.algorithm()) == Some(digest)).cloned()
}

/// What the publisher states for a version, where that is not what is there.
fn other_bytes(version: &Version, bytes: &[Digest]) -> Option<Objection> {
    let stated = version.stored_digests()?;
    let mut differing =
        bytes.iter().filter_map(|digest| stated.of(digest.algorithm()).filter(|stated| *stated != digest));
    differing.next_back().cloned().map(Objection::OtherBytes)
}

fn property<'a>(image: &'a Image, name: &str) -> Option<&'a str> {
    image.attributes.properties.get(name).map(String::as_str)
}

/// The day in `image_build_date`, which may have a time of day behind it.
fn built(image: &Image) -> Option<Date> {
    property(image, "image_build_date")?.get(..10)?.parse().ok()
}

fn source_of<'a>(known: &'a [Version], image: &Image) -> Option<&'a Version> {
    let source = property(image, "image_source")?;
    known.iter().find(|version| version.origin.to_string() == source)
}

/// What says that an image is of this family.
fn family_told(family: &Family, known: &[Version], image: &Image) -> Vec<Telling> {
    let source = source_of(known, image).map(|_| Telling::Source);
    let is_named = read_name(family, image).is_some() || named_version(family, known, image).is_some();
    source.into_iter().chain(is_named.then_some(Telling::Name)).collect()
}

/// The only family whose `os_distro` and `os_version` the image has.
fn described<'a>(estate: &Estate<'a>, image: &Image) -> BTreeMap<&'a FamilyName, Vec<Telling>> {
    let same = |family: &Family, key: &str| {
        let wanted = family.properties.get(key).map(String::as_str);
        wanted.is_some() && wanted == property(image, key)
    };
    let fits = |family: &&Family| same(family, "os_distro") && same(family, "os_version");
    let families = estate.desired.families.values().filter(fits);
    families.map(|family| (&family.name, vec![Telling::Distribution])).collect()
}

/// The versions that an image says it is.
fn versions_told(family: &Family, known: &[Version], image: &Image) -> BTreeMap<VersionName, Vec<Telling>> {
    let mut told: BTreeMap<VersionName, Vec<Telling>> = BTreeMap::new();
    let mut tell = |version: VersionName, telling| {
        let told = told.entry(version).or_default();
        if !told.contains(&telling) {
            told.push(telling);
        }
    };
    if let Some(version) = source_of(known, image) {
        tell(version.name.clone(), Telling::Source);
    }
    if let Some(version) = property(image, "internal_version").and_then(numbered) {
        tell(version, Telling::Version);
    }
    if let Some(version) = named_version(family, known, image) {
        tell(version, Telling::Version);
    }
    if let Some(day) = built(image) {
        let mut of_that_day = known.iter().filter(|version| version.built == Some(day));
        if let (Some(version), None) = (of_that_day.next(), of_that_day.next()) {
            tell(version.name.clone(), Telling::Built(day));
        }
    }
    told
}

/// A word that may be a publisher's version: no publisher's begins with a letter, and `(old)` is none.
fn numbered(text: &str) -> Option<VersionName> {
    VersionName::parse(text).ok().filter(|version| version.as_str().starts_with(|first: char| first.is_ascii_digit()))
}

/// What stands in the name where a version is usual: in its place in a template, in parentheses at the end, or, of
/// versions that are known, behind the title.
fn named_version(family: &Family, known: &[Version], image: &Image) -> Option<VersionName> {
    let name = &image.attributes.name;
    let read = read_name(family, image)
        .and_then(|reading| reading.version)
        .filter(|version| numbered(version.as_str()).is_some());
    let behind = || {
        let rest = name.strip_prefix(&family.title)?.trim_start_matches([' ', '-', '_']);
        known.iter().map(|version| &version.name).find(|version| version.as_str() == rest).cloned()
    };
    read.or_else(behind)
}

/// The name as one that the family gives, or as its bare title; either with a version in parentheses behind it.
fn read_name(family: &Family, image: &Image) -> Option<Reading> {
    let bare = Template::parse("{name}").ok();
    let templates: Vec<&Template> = std::iter::once(&family.lifecycle.latest.name)
        .chain(family.lifecycle.superseded.iter().filter_map(|stage| stage.name.as_ref()))
        .chain(&bare)
        .collect();
    let read = |name: &str| templates.iter().find_map(|template| template.reading(name, &family.title, &family.name));
    let name = &image.attributes.name;
    read(name).or_else(|| {
        let (rest, version) = name.strip_suffix(')')?.rsplit_once(" (")?;
        let reading = read(rest)?;
        Some(Reading { version: Some(numbered(version)?), ..reading })
    })
}

/// The newest version that there was when the image was uploaded.
fn newest_then(known: &[Version], image: &Image) -> Option<VersionName> {
    let day = image.recorded_on()?;
    let there = known.iter().filter(|version| version.built.is_some_and(|built| built <= day));
    there.max_by(|one, other| one.name.compare_age(&other.name)).map(|version| version.name.clone())
}
