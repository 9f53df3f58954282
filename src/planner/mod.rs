//! Decisions. Pure: facts in, plan out; no I/O, no async, no clock, no errors.
//!
//! The problem: many catalogues were lost because a tool read, decided and acted in one loop. The idea: everything
//! there is to know is read first; [`plan`] then decides everything at once and leaves nothing to decide later. What
//! it is not told, it does not assume: an image that nobody was asked about is in use, a family whose publisher is
//! silent stays as it is. What this does not solve: that the world moves on; `apply` re-reads before each act.
//!
//! One family on one site is settled at a time, in the order of the files:
//! `casting` (which image plays which part) → `deletion` (which parts end) → `appearance` (what the others should look
//! like) → `order` (what must come before what) → `guards` (what the plan as a whole may not do). `audit` then plays
//! the plan and objects if planning again would find more to do.
//!
//! `drift` decides nothing: it tells where the cloud and the catalogue disagree, and why.
//!
//! To add a safety rule: one variant of [`crate::model::reason::Because`], and its test in `deletion` or `casting`; the
//! compiler then asks for its sentence. To add a rule of order: one variant of [`crate::model::reason::Edge`] and its
//! lines in `order`.

pub mod adoption;
mod appearance;
pub mod audit;
mod casting;
mod deletion;
pub mod drift;
mod family;
mod guards;
pub mod identity;
mod inventory;
mod narrow;
mod order;
mod passage;
mod title;

pub use inventory::{Part, Piece, inventory};
pub use narrow::narrow;
use passage::Originals;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use crate::model::desired::{Audience, Desired, Family};
use crate::model::lifecycle::{Lifecycle, SnapshotUse};
use crate::model::name::{Address, FamilyName, ImageId, SiteName, VersionName};
use crate::model::observed::{Observed, SiteView};
use crate::model::ours::{Marks, OwnedImage};
use crate::model::plan::Plan;
use crate::model::reason::{Because, Note};
use crate::model::template::{Facts, Moment};

/// Decides what to do.
pub fn plan(desired: &Desired, observed: &Observed, now: Timestamp) -> Plan {
    let mut context = Context::new(desired, observed, now.to_zoned(TimeZone::UTC).date());
    let mut plan = Plan::default();
    for site in &desired.sites {
        let Some(view) = observed.sites.get(site) else { continue };
        for (name, images) in context.families_on(view) {
            // Families are independent: what one of them finds holds back nothing of another.
            let settled = family::settle(&context, site, view, &name, images);
            context.originals.planned(settled.latest.as_ref(), view.offers.as_ref());
            settled.enter(&mut plan);
        }
        plan.notes.extend(unrecognised(&context, site, view));
    }
    order::copies(&mut plan);
    plan.managed = observed.sites.values().map(|view| view.owned(&desired.catalogue).count()).sum();
    if desired.boot_test.is_none() && plan.counts().create > 0 {
        plan.notes.push(Note::NoBootTest);
    }
    plan.guards = guards::judge(desired, &plan);
    plan
}

/// An image whose users must be known before the plan can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub site: SiteName,
    /// Which image.
    pub image: ImageId,
    /// Whose usage counts.
    pub audience: Audience,
    /// Whether snapshots count.
    pub snapshots: SnapshotUse,
}

/// The images that would be deleted if nobody used them: the only ones anybody needs to be asked about.
pub fn candidates(desired: &Desired, observed: &Observed, now: Timestamp) -> Vec<Candidate> {
    let mut context = Context::new(desired, observed, now.to_zoned(TimeZone::UTC).date());
    let mut candidates = Vec::new();
    for site in &desired.sites {
        let Some(view) = observed.sites.get(site) else { continue };
        // Where nobody was asked, every candidate is held for that very reason.
        let unasked = SiteView { usage: BTreeMap::new(), ..view.clone() };
        for (name, images) in context.families_on(view) {
            let snapshots = context.lifecycle(&name).deletion.snapshots;
            let by_id: BTreeMap<_, _> =
                images.iter().map(|image| (image.id().clone(), deletion::audience(image))).collect();
            let settled = family::settle(&context, site, &unasked, &name, images);
            context.originals.planned(settled.latest.as_ref(), view.offers.as_ref());
            let unknown =
                settled.refused.into_iter().filter(|(hold, _)| matches!(hold.because, Because::UsageUnknown(_)));
            candidates.extend(unknown.filter_map(|(_, image)| {
                let image = image?;
                let audience = *by_id.get(&image)?;
                Some(Candidate { site: site.clone(), image, audience, snapshots })
            }));
        }
    }
    candidates
}

/// The names that the latest versions bear, or will: nobody else's public image should.
pub fn public_names(desired: &Desired, now: Timestamp) -> Vec<String> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let families = desired.families.values().filter(|family| family.audience == Audience::Everybody);
    let names: BTreeSet<String> = families.filter_map(|family| public_name(family, today)).collect();
    names.into_iter().collect()
}

/// The name that the latest version of a family bears, or will.
fn public_name(family: &Family, today: Date) -> Option<String> {
    let version = family.wanted.name().cloned().or_else(|| VersionName::parse("unknown").ok())?;
    family.lifecycle.latest.name.render(&Facts {
        name: Some(family.title.clone()),
        family: family.name.clone(),
        version,
        uploaded: Moment::ThisRun(today),
        superseded: Moment::Unknown,
        built: Moment::Unknown,
        rank: 0,
    })
}

/// Images that carry our catalogue's mark without being ours: reported, never touched.
fn unrecognised(context: &Context<'_>, site: &SiteName, view: &SiteView) -> Option<Note> {
    let ids: Vec<_> = view
        .images
        .values()
        .filter(|image| OwnedImage::recognise(image, &context.desired.catalogue, &view.project).is_none())
        .map(|image| image.id.clone())
        .collect();
    (!ids.is_empty()).then(|| Note::Unrecognised { site: site.clone(), ids })
}

/// What every decision may look at.
struct Context<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    today: Date,
    several_sites: bool,
    /// The first upload of each version that any site has on record, so that a version is called the same everywhere.
    uploaded: BTreeMap<(FamilyName, VersionName), Date>,
    /// What other regions may copy, as far as it has been settled.
    originals: Originals,
}

impl<'a> Context<'a> {
    fn new(desired: &'a Desired, observed: &'a Observed, today: Date) -> Self {
        let mut uploaded: BTreeMap<_, Date> = BTreeMap::new();
        let mut originals = Originals::default();
        for (site, view) in &observed.sites {
            for image in view.owned(&desired.catalogue) {
                let family = family_of(&desired.moved, image.marks());
                if let Some(date) = image.uploaded() {
                    let key = (family.clone(), image.marks().version.clone());
                    uploaded.entry(key).and_modify(|earliest| *earliest = date.min(*earliest)).or_insert(date);
                }
                originals.found(site, view.offers.as_ref(), family, &image);
            }
        }
        Self { desired, observed, today, several_sites: desired.sites.len() > 1, uploaded, originals }
    }

    /// Every family that the file names or the site holds, with its images there.
    fn families_on(&self, view: &SiteView) -> BTreeMap<FamilyName, Vec<OwnedImage>> {
        let mut families: BTreeMap<FamilyName, Vec<OwnedImage>> =
            self.desired.families.keys().map(|name| (name.clone(), Vec::new())).collect();
        for image in view.owned(&self.desired.catalogue) {
            families.entry(family_of(&self.desired.moved, image.marks())).or_default().push(image);
        }
        families
    }

    /// The family as images.toml has it; none if it has left the file.
    fn family(&self, name: &FamilyName) -> Option<&'a Family> {
        self.desired.families.get(name)
    }

    fn lifecycle(&self, name: &FamilyName) -> &'a Lifecycle {
        self.family(name).map_or(&self.desired.retirement, |family| &family.lifecycle)
    }

    fn address(&self, site: &SiteName, family: &FamilyName, version: Option<&VersionName>) -> Address {
        Address { family: family.clone(), version: version.cloned(), site: self.several_sites.then(|| site.clone()) }
    }
}

/// The family an image belongs to, under the name that images.toml has for it now.
fn family_of(moved: &BTreeMap<FamilyName, FamilyName>, marks: &Marks) -> FamilyName {
    let mut name = &marks.family;
    let mut seen = BTreeSet::new();
    // A file may carry the history of several renames; a circle in it ends where it began.
    while let Some(next) = moved.get(name)
        && seen.insert(name)
    {
        name = next;
    }
    name.clone()
}
