//! One family on one site, settled.

use std::collections::BTreeMap;

use super::appearance::{self, Look, Name};
use super::casting::{Cast, Latest, Superseded, cast};
use super::deletion::{self, Ending, Rank};
use super::passage::Place;
use super::{Context, order, title};
use crate::model::desired::{Audience, Family};
use crate::model::image::{Attributes, Visibility};
use crate::model::name::{FamilyName, ImageId, ImageName, SiteName, VersionName};
use crate::model::observed::SiteView;
use crate::model::operation::{
    Activation, Create, MinDisk, Operation, Record, Update, Verb, applied_digest, recorded_digest, staged,
};
use crate::model::ours::{BootVerdict, Condemned, Marks, OwnedImage, Role};
use crate::model::passage::Passage;
use crate::model::plan::{Hold, Plan, Step};
use crate::model::reason::{Because, Note, Reason};
use crate::model::template::{Facts, Moment};
use crate::model::version::Version;

/// What is decided about a family on a site.
#[derive(Default)]
pub(super) struct Settled {
    /// The step that shows the latest version, if there is one to take.
    pub(super) latest: Option<Step>,
    /// Updates of versions that this plan replaces.
    pub(super) replaced: Vec<Step>,
    /// Updates of versions that earlier plans replaced.
    pub(super) upkeep: Vec<Step>,
    /// Deletions.
    pub(super) ended: Vec<Step>,
    /// What is held, and the image it is about.
    pub(super) refused: Vec<(Hold, Option<ImageId>)>,
    notes: Vec<Note>,
}

impl Settled {
    pub(super) fn enter(self, plan: &mut Plan) {
        plan.holds.extend(self.refused.iter().map(|(hold, _)| hold.clone()));
        plan.notes.extend(self.notes.iter().cloned());
        order::enter(self, plan);
    }
}

/// Where a family is being settled.
struct Scene<'a> {
    context: &'a Context<'a>,
    site: &'a SiteName,
    view: &'a SiteView,
    name: &'a FamilyName,
    family: Option<&'a Family>,
}

pub(super) fn settle(
    context: &Context<'_>,
    site: &SiteName,
    view: &SiteView,
    name: &FamilyName,
    images: Vec<OwnedImage>,
) -> Settled {
    let scene = Scene { context, site, view, name, family: context.family(name) };
    let mut settled = Settled::default();
    settled.notes.extend(scene.duplicates(&images));
    let place = scene.family.map(|family| (family, Place { context, site, view, family }));
    let cast = cast(context, place.as_ref().map(|(family, place)| (*family, place)), images);
    if let Some(taken) = scene.name_taken(&cast) {
        let version = cast.latest.version();
        settled.refused.push((scene.hold(version.as_ref(), Verb::Create, taken), None));
        return settled;
    }
    if let Some(refusal) = &cast.refusal {
        let version = scene.wanted_version();
        settled.refused.push((scene.hold(version, Verb::Create, refusal.clone()), None));
    }
    settled.latest = scene.show_latest(&cast);
    scene.end_superseded(&cast, &mut settled);
    settled
}

impl Scene<'_> {
    /// A foreign public image under the name tenants know the family by makes that name say nothing; the family waits
    /// until somebody has decided whose it is. What tenants keep for themselves under that name blocks nothing.
    fn name_taken(&self, cast: &Cast<'_>) -> Option<Because> {
        let family = self.family.filter(|family| family.audience == Audience::Everybody)?;
        let version = cast.latest.version()?;
        let name = family.lifecycle.latest.name.render(&self.facts(&version, None, Moment::Unknown, 0))?;
        let catalogue = &self.context.desired.catalogue;
        let foreign = self.view.namesakes.values().find(|image| {
            image.attributes.name == name
                && image.attributes.visibility == Visibility::Public
                && OwnedImage::recognise(image, catalogue, &self.view.project).is_none()
        })?;
        Some(Because::NameTaken { name: ImageName::parse(name).ok()?, id: foreign.id.clone() })
    }

    fn show_latest(&self, cast: &Cast<'_>) -> Option<Step> {
        let family = self.family?;
        let (operation, reasons, version) = match &cast.latest {
            Latest::Nobody => return None,
            Latest::New(version, record, passage) => {
                let create = self.create(family, version, record, passage);
                let reason = match record {
                    Record::New => Reason::NewVersion { from: cast.present.clone() },
                    Record::Existing(_) => Reason::FinishUpload,
                };
                (Operation::Create(Box::new(create)), vec![reason], version.name.clone())
            }
            Latest::Existing(image, activation) => {
                let version = image.marks().version.clone();
                let uploaded = self.uploaded(&version, image.uploaded());
                let marks = Marks {
                    family: self.name.clone(),
                    uploaded: date(uploaded),
                    superseded: None,
                    audience: family.audience,
                    condemned: Condemned::No,
                    boot: BootVerdict::NotFailed,
                    ..image.marks().clone()
                };
                let facts = self.facts(&version, Some(image), Moment::Unknown, 0);
                let found = (image.attributes(), image.image().virtual_size);
                let look = appearance::latest(family, &marks, &facts, Some(found));
                let reasons = match (image.part_played(), activation) {
                    (Role::Staged | Role::Superseded, _) => {
                        vec![Reason::BecomesLatest { from: cast.present.clone() }]
                    }
                    (Role::Shown, Activation::Reactivate) => vec![Reason::UndoDeletion],
                    (Role::Shown, Activation::Unchanged) => self.why_upkeep(image, &look.after, Reason::Configuration),
                };
                let update = needed_update(image, look, *activation)?;
                (Operation::Update(Box::new(update)), reasons, version)
            }
        };
        Some(self.step(&version, operation, reasons))
    }

    fn create(&self, family: &Family, version: &Version, record: &Record, passage: &Passage) -> Create {
        let recorded = match record {
            Record::New => None,
            Record::Existing(image) => image.uploaded(),
        };
        let uploaded = self.uploaded(&version.name, recorded);
        let marks = Marks {
            catalogue: self.context.desired.catalogue.clone(),
            family: self.name.clone(),
            version: version.name.clone(),
            uploaded: date(uploaded),
            superseded: None,
            digest: passage.stored_digests(version).map(recorded_digest),
            source: passage.published_digests(version).is_none().then(|| recorded_digest(&version.published)),
            applied: None,
            built: version.built,
            audience: family.audience,
            condemned: Condemned::No,
            boot: BootVerdict::NotFailed,
        };
        let facts = Facts {
            uploaded,
            built: version.built.map_or(Moment::Unknown, Moment::Recorded),
            ..self.facts(&version.name, None, Moment::Unknown, 0)
        };
        let Look { after, stable } = appearance::latest(family, &marks, &facts, None);
        Create {
            family: self.name.clone(),
            version: version.clone(),
            record: record.clone(),
            staged: staged(&after, &family.title, &marks),
            shown: after,
            stable,
            marks,
            min_disk: family.min_disk.map_or(MinDisk::FromImage, MinDisk::Written),
            passage: passage.clone(),
        }
    }

    /// Decides who goes, then names the others: a name is only shared, and a rank only taken, by versions that stay.
    fn end_superseded(&self, cast: &Cast<'_>, settled: &mut Settled) {
        let lifecycle = self.context.lifecycle(self.name);
        let mut staying = Vec::new();
        for (newer, superseded) in cast.superseded.iter().enumerate() {
            let rest = cast.superseded[..newer].iter().filter(|other| self.stays_public(other)).count();
            let rank = Rank { newer, newer_public: rest };
            let ending = deletion::of_superseded(self.context, lifecycle, self.view, cast, superseded, rank);
            if self.conclude(&superseded.image, ending, Reason::Unused, settled) {
                staying.push(superseded);
            }
        }
        for image in &cast.abandoned {
            let ending = deletion::of_abandoned(lifecycle, self.view, cast, image, self.context.today);
            self.conclude(image, ending, Reason::Abandoned, settled);
        }
        let names = self.names(&staying);
        for (rank, (superseded, name)) in staying.iter().zip(names).enumerate() {
            let Some(step) = self.keep(cast, superseded, rank + 1, name) else { continue };
            match superseded.image.part_played() {
                Role::Superseded => settled.upkeep.push(step),
                Role::Shown | Role::Staged => settled.replaced.push(step),
            }
        }
    }

    /// Whether a superseded version is public now and will be after the plan.
    fn stays_public(&self, superseded: &Superseded) -> bool {
        let found = superseded.image.attributes();
        let lifecycle = self.context.lifecycle(self.name);
        let then = date(superseded.since)
            .and_then(|since| lifecycle.stage_on(since, self.context.today).visibility)
            .unwrap_or(found.visibility)
            .min(appearance::widest(self.family, superseded.image.marks(), found));
        found.visibility == Visibility::Public && then == Visibility::Public
    }

    /// Whether the image stays.
    fn conclude(&self, image: &OwnedImage, ending: Ending, reason: Reason, settled: &mut Settled) -> bool {
        let version = &image.marks().version;
        match ending {
            Ending::Stays => true,
            Ending::Due(on) => {
                let address = self.context.address(self.site, self.name, Some(version));
                settled.notes.push(Note::DeletionDue { address, on });
                true
            }
            Ending::Held(because) => {
                settled.refused.push((self.hold(Some(version), Verb::Delete, because), Some(image.id().clone())));
                true
            }
            Ending::Goes(delete) => {
                let mut step = self.step(version, Operation::Delete(delete), vec![reason]);
                step.usage = self.view.usage.get(image.id()).cloned();
                settled.ended.push(step);
                false
            }
        }
    }

    fn keep(&self, cast: &Cast<'_>, superseded: &Superseded, rank: usize, name: Option<Name>) -> Option<Step> {
        let image = &superseded.image;
        let version = &image.marks().version;
        let facts = self.superseded_facts(superseded, rank);
        let marks = Marks {
            family: self.name.clone(),
            uploaded: date(facts.uploaded),
            superseded: date(superseded.since),
            condemned: Condemned::No,
            ..image.marks().clone()
        };
        let lifecycle = self.context.lifecycle(self.name);
        let stage = lifecycle.stage_on(date(superseded.since)?, self.context.today);
        let widest = appearance::widest(self.family, image.marks(), image.attributes());
        let look = appearance::superseded(image.attributes(), &stage, name, widest, &marks, &facts);
        let activation = match image.marks().condemned {
            Condemned::Yes => Activation::Reactivate,
            Condemned::No => Activation::Unchanged,
        };
        let reasons = match (superseded.since, cast.latest.version(), activation) {
            (Moment::ThisRun(_), Some(by), _) => vec![Reason::Superseded { by }],
            (Moment::ThisRun(_), None, _) => vec![Reason::Retired],
            (_, _, Activation::Reactivate) => vec![Reason::UndoDeletion],
            (_, _, Activation::Unchanged) => self.why_upkeep(image, &look.after, |_| Reason::Stage),
        };
        let update = needed_update(image, look, activation)?;
        Some(self.step(version, Operation::Update(Box::new(update)), reasons))
    }

    /// The name of each superseded version that stays, newest first. Where two would bear the same, both say which
    /// version they are.
    fn names(&self, staying: &[&Superseded]) -> Vec<Option<Name>> {
        let lifecycle = self.context.lifecycle(self.name);
        let mut names: Vec<Option<Name>> = staying
            .iter()
            .enumerate()
            .map(|(rank, superseded)| {
                let stage = lifecycle.stage_on(date(superseded.since)?, self.context.today);
                appearance::stage_name(&stage, &self.superseded_facts(superseded, rank + 1))
            })
            .collect();
        let mut bearers: BTreeMap<String, usize> = BTreeMap::new();
        for name in names.iter().flatten() {
            *bearers.entry(name.text.clone()).or_default() += 1;
        }
        for (name, superseded) in names.iter_mut().zip(staying) {
            if let Some(name) = name
                && bearers.get(&name.text).is_some_and(|bearers| *bearers > 1)
            {
                let suffix = format!(" ({})", superseded.image.marks().version);
                name.text.push_str(&suffix);
                name.stable.push_str(&suffix);
            }
        }
        names
    }

    fn superseded_facts(&self, superseded: &Superseded, rank: usize) -> Facts {
        let image = &superseded.image;
        let mut facts = self.facts(&image.marks().version, Some(image), superseded.since, rank);
        if facts.name.is_none() {
            let lifecycle = self.context.lifecycle(self.name);
            let name = &image.attributes().name;
            // A name that no template made is kept whole, once: afterwards it carries a date.
            facts.name = title::found_in(name, lifecycle, &facts)
                .or_else(|| (image.part_played() == Role::Shown).then(|| name.clone()));
        }
        facts
    }

    fn facts(&self, version: &VersionName, image: Option<&OwnedImage>, superseded: Moment, rank: usize) -> Facts {
        Facts {
            name: self.family.map(|family| family.title.clone()),
            family: self.name.clone(),
            version: version.clone(),
            uploaded: self.uploaded(version, image.and_then(OwnedImage::uploaded)),
            superseded,
            built: image.and_then(|image| image.marks().built).map_or(Moment::Unknown, Moment::Recorded),
            rank,
        }
    }

    /// The first upload of a version on any site; this run's, where none has it yet.
    fn uploaded(&self, version: &VersionName, here: Option<jiff::civil::Date>) -> Moment {
        let anywhere = self.context.uploaded.get(&(self.name.clone(), version.clone())).copied();
        anywhere.or(here).map_or(Moment::ThisRun(self.context.today), Moment::Recorded)
    }

    /// Why an image whose part stays the same must change: what differs, and who made it differ.
    fn why_upkeep(&self, image: &OwnedImage, after: &Attributes, own: impl Fn(Vec<String>) -> Reason) -> Vec<Reason> {
        let differing = appearance::differences(image.attributes(), after);
        let mut reasons = Vec::new();
        if image.marks().family != *self.name {
            reasons.push(Reason::Moved { from: image.marks().family.to_string() });
        }
        let touched = image.marks().applied.as_ref() != Some(&applied_digest(image.attributes()));
        if touched && !differing.is_empty() {
            reasons.push(Reason::ChangedOutside(differing));
        } else if reasons.is_empty() {
            reasons.push(own(differing));
        }
        reasons
    }

    fn duplicates(&self, images: &[OwnedImage]) -> Vec<Note> {
        let mut versions: BTreeMap<&VersionName, Vec<ImageId>> = BTreeMap::new();
        for image in images {
            versions.entry(&image.marks().version).or_default().push(image.id().clone());
        }
        versions
            .into_iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|(version, ids)| Note::Duplicate {
                address: self.context.address(self.site, self.name, Some(version)),
                ids,
            })
            .collect()
    }

    fn wanted_version(&self) -> Option<&VersionName> {
        self.family.and_then(|family| family.wanted.name())
    }

    fn step(&self, version: &VersionName, operation: Operation, reasons: Vec<Reason>) -> Step {
        Step {
            address: self.context.address(self.site, self.name, Some(version)),
            site: self.site.clone(),
            operation,
            reasons,
            usage: None,
        }
    }

    fn hold(&self, version: Option<&VersionName>, verb: Verb, because: Because) -> Hold {
        let address = self.context.address(self.site, self.name, version);
        Hold { address, site: self.site.clone(), verb, because }
    }
}

/// The update that gives an image this look, if it does not have it already. The digest of what was applied is no
/// difference of its own: it also covers properties that nobody manages.
fn needed_update(image: &OwnedImage, look: Look, activation: Activation) -> Option<Update> {
    let before = image.attributes();
    let unsealed = |attributes: &Attributes| {
        let mut attributes = attributes.clone();
        attributes.tags.retain(|tag| !tag.starts_with("gallerist:applied="));
        attributes
    };
    let satisfied = image.role() != Role::Staged
        && activation == Activation::Unchanged
        && unsealed(before) == unsealed(&look.after);
    (!satisfied).then(|| Update { before: image.clone(), after: look.after, stable: look.stable, activation })
}

fn date(moment: Moment) -> Option<jiff::civil::Date> {
    match moment {
        Moment::Recorded(date) | Moment::ThisRun(date) => Some(date),
        Moment::AnyRun | Moment::Unknown => None,
    }
}
