//! Which images of our own project are versions of the catalogue, and what would make them its own.
//!
//! The problem: a cloud that others curated by hand, or with another tool, holds the right images under the wrong
//! marks; a tool that takes over whatever bears the right name takes over the wrong one some day. The idea: everything
//! that an image tells of itself is weighed ([`telling`]), the bytes above all; who fits two families or two versions, or
//! is told apart by nothing but a name, is not adopted, and the report says what is lacking. Whoever knows better says
//! so with a [`Claim`], image by image. What is adopted gets marks and nothing else: what it looks like counts as what
//! was last applied to it, so that the next ordinary plan is the first to change it, in the open.
//!
//! What this does not solve: since when a version has been superseded, where its name does not say so. It counts from
//! today, so that nobody's image goes sooner than the lifecycle promises.

mod telling;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::telling::Finding;
use super::{Context, guards};
use crate::model::adoption::{Adopt, Claim, Objection, Proposal, Sureness};
use crate::model::desired::{Audience, Desired, Family};
use crate::model::digest::{Algorithm, Digest, Digests};
use crate::model::image::{Image, Listing, Visibility};
use crate::model::name::{FamilyName, ImageId, SiteName, VersionName};
use crate::model::observed::{Observed, SiteView};
use crate::model::operation::Operation;
use crate::model::ours::{BootVerdict, Condemned, Marks, Role};
use crate::model::plan::{Plan, Step};
use crate::model::reason::Reason;
use crate::model::template::Moment;
use crate::model::version::Version;

/// Everything that is weighed.
#[derive(Debug, Clone, Copy)]
pub struct Estate<'a> {
    /// The families.
    pub desired: &'a Desired,
    /// What the catalogue has already.
    pub observed: &'a Observed,
    /// Every image of our project, site by site.
    pub images: &'a BTreeMap<SiteName, BTreeMap<ImageId, Image>>,
    /// The versions of each family that its publisher still lists.
    pub known: &'a BTreeMap<FamilyName, Vec<Version>>,
    /// Digests of images whose bytes were read.
    pub read: &'a BTreeMap<(SiteName, ImageId), Digests>,
    /// What somebody says.
    pub claims: &'a [Claim],
    /// How sure it must be what an image is.
    pub least: Sureness,
    /// The time.
    pub now: Timestamp,
}

/// The adoptions, and what is proposed for each image that may be meant.
pub fn adoption(estate: &Estate<'_>) -> (Plan, Vec<Proposal>) {
    let context = Context::new(estate.desired, estate.observed, estate.now.to_zoned(TimeZone::UTC).date());
    let (mut plan, mut proposals) = (Plan::default(), Vec::new());
    for (site, view) in &estate.observed.sites {
        let mut findings = telling::findings(estate, site, view);
        only_one_each(&mut findings, view, estate.desired);
        let parts = parts(&findings, view, estate.desired);
        for finding in findings {
            let role = parts.get(&finding.image.id).copied();
            if let (Some(adoptable), Some((family, version)), Some(role)) = (&finding.adoptable, &finding.is, role)
                && let Some(family) = estate.desired.families.get(family)
            {
                let (marks, superseded) = marks(&context, family, version, role, &finding);
                plan.add(Step {
                    address: context.address(site, &family.name, Some(version)),
                    site: site.clone(),
                    operation: Operation::Adopt(Box::new(Adopt::new(adoptable.clone(), marks, superseded))),
                    reasons: vec![Reason::Adopted(finding.sureness)],
                    usage: None,
                });
            }
            proposals.push(finding.proposal(site, role));
        }
    }
    plan.managed = estate.observed.sites.values().map(|view| view.owned(&estate.desired.catalogue).count()).sum();
    plan.guards = guards::judge(estate.desired, &plan);
    proposals.sort_by_key(|proposal| {
        let is = (proposal.family.clone(), proposal.version.clone());
        (proposal.verdict.is_err(), proposal.site.clone(), is, proposal.image.clone())
    });
    (plan, proposals)
}

/// Images of which reading the bytes would tell more: a family fits, and its publisher states digests of an algorithm
/// that Glance did not use.
pub fn unread(estate: &Estate<'_>) -> BTreeSet<(SiteName, ImageId)> {
    let mut unread = BTreeSet::new();
    for (site, view) in &estate.observed.sites {
        for finding in telling::findings(estate, site, view) {
            let place = (site.clone(), finding.image.id.clone());
            let settled = finding.sureness >= Sureness::Proven || estate.read.contains_key(&place);
            let versions = finding.families.iter().filter_map(|family| estate.known.get(family)).flatten();
            let mut stated = versions.filter_map(Version::stored_digests);
            let found = digests(finding.image, None);
            if finding.adoptable.is_some() && !settled && stated.any(|stated| !comparable(stated, &found)) {
                unread.insert(place);
            }
        }
    }
    unread
}

/// What is known of an image's bytes.
fn digests(image: &Image, read: Option<&Digests>) -> Vec<Digest> {
    let glance = image.hash.as_ref().and_then(|(algorithm, value)| {
        Digest::from_hexadecimal(Algorithm::from_name(&algorithm.to_ascii_lowercase())?, value).ok()
    });
    let read = [Algorithm::Sha256, Algorithm::Sha512].into_iter().filter_map(|algorithm| read?.of(algorithm).cloned());
    glance.into_iter().chain(read).collect()
}

fn comparable(stated: &Digests, found: &[Digest]) -> bool {
    found.iter().any(|digest| stated.of(digest.algorithm()).is_some())
}

/// One version is one image: of several, the one that is surest alone; none, where two are equally sure, or where the
/// catalogue has the version already.
fn only_one_each(findings: &mut [Finding<'_>], view: &SiteView, desired: &Desired) {
    let there: BTreeMap<_, _> = view
        .owned(&desired.catalogue)
        .map(|image| {
            ((super::family_of(&desired.moved, image.marks()), image.marks().version.clone()), image.id().clone())
        })
        .collect();
    let mut rivals: BTreeMap<(FamilyName, VersionName), Vec<(Sureness, ImageId)>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.objection.is_none()) {
        if let Some(is) = &finding.is {
            rivals.entry(is.clone()).or_default().push((finding.sureness, finding.image.id.clone()));
        }
    }
    for finding in findings.iter_mut().filter(|finding| finding.objection.is_none()) {
        let Some(is) = &finding.is else { continue };
        let others = rivals.get(is).into_iter().flatten().filter(|(_, id)| *id != finding.image.id);
        let others: Vec<ImageId> =
            others.filter(|(sureness, _)| *sureness >= finding.sureness).map(|(_, id)| id.clone()).collect();
        finding.objection = match there.get(is) {
            Some(id) => Some(Objection::AlreadyThere(id.clone())),
            None => (!others.is_empty()).then_some(Objection::Rivals(others)),
        };
    }
}

/// The part that each adopted image gets: the newest that tenants find under no other name is what they get as the
/// latest, unless the catalogue has one already; every other one is superseded. Which version *should* be the latest is
/// the next plan's business.
fn parts(findings: &[Finding<'_>], view: &SiteView, desired: &Desired) -> BTreeMap<ImageId, Role> {
    let shown: BTreeSet<FamilyName> = view
        .owned(&desired.catalogue)
        .filter(|image| image.part_played() == Role::Shown)
        .map(|image| super::family_of(&desired.moved, image.marks()))
        .collect();
    let mut families: BTreeMap<&FamilyName, Vec<(&VersionName, &Finding<'_>)>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.objection.is_none() && finding.adoptable.is_some()) {
        if let Some((family, version)) = &finding.is {
            families.entry(family).or_default().push((version, finding));
        }
    }
    let mut parts = BTreeMap::new();
    for (family, mut members) in families {
        members.sort_by(|one, other| other.0.compare_age(one.0));
        let audience = desired.families.get(family).map_or(Audience::Everybody, |family| family.audience);
        let latest = members.iter().find(|(_, finding)| is_found(finding.image, audience) && !shown.contains(family));
        let latest = latest.map(|(_, finding)| finding.image.id.clone());
        for (_, finding) in members {
            let role = if latest.as_ref() == Some(&finding.image.id) { Role::Shown } else { Role::Superseded };
            parts.insert(finding.image.id.clone(), role);
        }
    }
    parts
}

/// Whether those whom the family is for find the image in their own list.
fn is_found(image: &Image, audience: Audience) -> bool {
    let seen = match audience {
        Audience::Everybody => image.attributes.visibility == Visibility::Public,
        Audience::Project => true,
    };
    seen && image.attributes.listing == Listing::Listed
}

fn marks(
    context: &Context<'_>,
    family: &Family,
    version: &VersionName,
    role: Role,
    finding: &Finding<'_>,
) -> (Marks, Option<Moment>) {
    let superseded = match role {
        Role::Staged | Role::Shown => None,
        Role::Superseded => Some(finding.reading.superseded.map_or(Moment::ThisRun(context.today), Moment::Recorded)),
    };
    let day = superseded.and_then(|moment| match moment {
        Moment::Recorded(day) | Moment::ThisRun(day) => Some(day),
        Moment::AnyRun | Moment::Unknown => None,
    });
    let digest = digests(finding.image, None).into_iter().next();
    let marks = Marks {
        catalogue: context.desired.catalogue.clone(),
        family: family.name.clone(),
        version: version.clone(),
        uploaded: finding.reading.uploaded.or_else(|| finding.image.recorded_on()),
        superseded: day,
        digest,
        source: None,
        applied: None,
        built: finding.built,
        audience: family.audience,
        condemned: Condemned::No,
        boot: BootVerdict::NotFailed,
    };
    (marks, superseded)
}
