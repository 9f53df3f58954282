//! A cloud that moves: plans are played in any order their edges allow, and everybody else lives their lives.
//!
//! Seeded and without a clock, so every life can be lived again; cloneable, so that lives can branch.

use std::collections::{BTreeMap, BTreeSet};

use gallerist::model::image::{Image, Listing, Protection};
use gallerist::model::name::{FamilyName, ImageId, SiteName};
use gallerist::model::observed::Observed;
use gallerist::model::operation::Operation;
use gallerist::model::plan::{Plan, Step};
use gallerist::model::usage::{Answer, Source, Usage, User, UserKind};
use gallerist::planner;
use jiff::ToSpan;

use super::world::{SERVERS, VOLUMES, WantedSpec, World, midday, today};

/// The steps of a plan in one of the orders that its edges allow; every order has a seed.
pub(crate) fn any_order(plan: &Plan, seed: u64) -> Vec<&Step> {
    let edges: Vec<_> = plan.edges().map(|(before, after, _)| (before, after)).collect();
    let mut waiting: Vec<_> = plan.steps().map(|(node, _)| node).collect();
    let mut seed = seed;
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready: Vec<_> = waiting
            .iter()
            .copied()
            .filter(|node| !edges.iter().any(|(before, after)| after == node && waiting.contains(before)))
            .collect();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let next = ready[usize::try_from(seed >> 33).unwrap() % ready.len()];
        waiting.retain(|node| *node != next);
        order.push(plan.step(next));
    }
    order
}

/// The world after these steps. Nobody had to be asked about images that were still the latest, so what is known of
/// who uses a newly superseded image is forgotten.
pub(crate) fn after<'a>(observed: &Observed, steps: impl IntoIterator<Item = &'a Step>) -> Observed {
    let mut observed = observed.clone();
    for step in steps {
        step.operation.effect(&step.site, &mut observed);
        if let Operation::Update(update) = &step.operation
            && update.before.marks().superseded.is_none()
            && let Some(view) = observed.sites.get_mut(&step.site)
        {
            view.usage.remove(update.before.id());
        }
    }
    observed
}

/// A cloud with people in it.
#[derive(Debug, Clone)]
pub(crate) struct Cloud {
    pub(crate) world: World,
    /// Who uses what, whether anybody asks or not.
    users: BTreeMap<(SiteName, ImageId), BTreeSet<Source>>,
    silent: BTreeSet<Source>,
    made: usize,
}

impl Cloud {
    pub(crate) fn new(world: World) -> Self {
        Self { world, users: BTreeMap::new(), silent: BTreeSet::new(), made: 0 }
    }

    /// Asks about the candidates, as a run does, and decides.
    pub(crate) fn plan(&mut self) -> Plan {
        let candidates = planner::candidates(&self.world.desired, &self.world.observed, self.world.now);
        for view in self.world.observed.sites.values_mut() {
            view.usage.clear();
        }
        for candidate in candidates {
            let usage = self.ask(&candidate.site, &candidate.image);
            let view = self.world.observed.sites.get_mut(&candidate.site).unwrap();
            view.usage.insert(candidate.image, usage);
        }
        planner::plan(&self.world.desired, &self.world.observed, self.world.now)
    }

    fn ask(&self, site: &SiteName, image: &ImageId) -> Usage {
        let users = self.users.get(&(site.clone(), image.clone()));
        Usage::new([SERVERS, VOLUMES].map(|source| {
            let answer = if self.silent.contains(&source) {
                Answer::Unknown("HTTP 503".to_owned())
            } else if users.is_some_and(|users| users.contains(&source)) {
                Answer::Users(User { kind: UserKind::Server, id: "somebody's".to_owned(), project: None }, vec![])
            } else {
                Answer::Nobody
            };
            (source, answer)
        }))
    }

    /// Does the first `limit` steps of a plan, in the order of that seed. New images get ids that were never used.
    pub(crate) fn apply(&mut self, plan: &Plan, seed: u64, limit: usize) {
        for step in any_order(plan, seed).into_iter().take(limit) {
            let known: BTreeSet<ImageId> = self.world.observed.sites[&step.site].images.keys().cloned().collect();
            step.operation.effect(&step.site, &mut self.world.observed);
            let view = self.world.observed.sites.get_mut(&step.site).unwrap();
            let new: Vec<ImageId> = view.images.keys().filter(|id| !known.contains(*id)).cloned().collect();
            for id in new {
                self.made += 1;
                let chosen = ImageId::parse(format!("made-{}", self.made)).unwrap();
                let image = view.images.remove(&id).unwrap();
                view.images.insert(chosen.clone(), Image { id: chosen, created_at: Some(self.world.now), ..image });
            }
        }
    }

    pub(crate) fn days_pass(&mut self, days: u16) {
        self.world.now = midday(today(self.world.now).saturating_add(i64::from(days).days()));
    }

    pub(crate) fn publish(&mut self, family: &FamilyName, wanted: WantedSpec) {
        if let Some(family) = self.world.desired.families.get_mut(family) {
            family.wanted = wanted.wanted();
        }
    }

    pub(crate) fn leave_file(&mut self, family: &FamilyName) {
        self.world.desired.families.remove(family);
    }

    pub(crate) fn boot(&mut self, site: &SiteName, image: &ImageId) {
        self.users.entry((site.clone(), image.clone())).or_default().insert(SERVERS);
    }

    pub(crate) fn everybody_leaves(&mut self) {
        self.users.clear();
    }

    pub(crate) fn goes_silent(&mut self, source: Source) {
        self.silent.insert(source);
    }

    pub(crate) fn answers_again(&mut self) {
        self.silent.clear();
    }

    /// An image by its number in the listing, whatever it is called.
    pub(crate) fn pick(&self, number: usize) -> Option<(SiteName, ImageId)> {
        let all: Vec<_> = self
            .world
            .observed
            .sites
            .iter()
            .flat_map(|(site, view)| view.images.keys().map(|id| (site.clone(), id.clone())))
            .collect();
        all.get(number % all.len().max(1)).cloned()
    }

    pub(crate) fn image_mut(&mut self, site: &SiteName, image: &ImageId) -> Option<&mut Image> {
        self.world.observed.sites.get_mut(site)?.images.get_mut(image)
    }

    pub(crate) fn delete_by_hand(&mut self, site: &SiteName, image: &ImageId) {
        self.world.observed.sites.get_mut(site).and_then(|view| view.images.remove(image));
    }

    /// The catalogue as tenants would describe it: a line an image, sorted by name, of name, visibility, what stands
    /// out, and version.
    pub(crate) fn listing(&self) -> String {
        let mut lines: Vec<String> = self
            .world
            .observed
            .sites
            .values()
            .flat_map(|view| view.images.iter())
            .map(|(_, image)| line(image))
            .collect();
        lines.sort();
        lines.concat()
    }
}

fn line(image: &Image) -> String {
    let attributes = &image.attributes;
    let mut words = vec![format!("{:<40}", attributes.name), attributes.visibility.to_string()];
    words.extend((attributes.listing == Listing::Hidden).then(|| "hidden".to_owned()));
    words.extend((attributes.protection == Protection::Protected).then(|| "protected".to_owned()));
    words.extend(attributes.properties.get("os_purpose").map(|purpose| format!("os_purpose={purpose}")));
    let tagged = |key: &str| attributes.tags.iter().find_map(|tag| tag.strip_prefix(key)).map(str::to_owned);
    words.extend(tagged("gallerist:version="));
    words.extend(tagged("gallerist:superseded=").map(|date| format!("superseded {date}")));
    format!("{}\n", words.join(" ").trim_end())
}
