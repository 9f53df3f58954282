//! What must hold in every world, each law in one sentence.
//!
//! The oracles are naive on purpose: they look at images, tags and answers with their own eyes, and none of them asks
//! the planner how it decides. A law takes a world and a seed for whatever it chooses freely, such as the order of work.

use std::collections::BTreeSet;

use gallerist::model::desired::{Audience, Family, Wanted};
use gallerist::model::image::{Attributes, Image, Status, Visibility};
use gallerist::model::name::{FamilyName, ImageId, SiteName, VersionName};
use gallerist::model::observed::Observed;
use gallerist::model::operation::{Operation, Verb};
use gallerist::model::plan::{Plan, Step};
use gallerist::model::usage::{Answer, Usage};
use gallerist::planner::{self, audit, identity::plan_id};
use jiff::ToSpan;
use jiff::civil::Date;

use super::sim::{after, any_order};
use super::world::{CATALOGUE, PROJECT, SERVERS, VOLUMES, World, midday, today};

/// What a broken law says of the world.
pub(crate) type Law = fn(&World, u64) -> Result<(), String>;

pub(crate) fn plan_of(world: &World) -> Plan {
    planner::plan(&world.desired, &world.observed, world.now)
}

fn with(world: &World, observed: Observed) -> World {
    World { observed, ..world.clone() }
}

pub(crate) fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn named(step: &Step) -> String {
    format!("{} {} ({:?})", step.operation.verb().name(), step.address, step.operation.id())
}

pub(crate) fn all_named(plan: &Plan) -> Vec<String> {
    plan.steps().map(|(_, step)| named(step)).collect()
}

/// Every tag that begins so, without its beginning.
fn tagged<'a>(image: &'a Image, key: &str) -> Vec<&'a str> {
    image.attributes.tags.iter().filter_map(|tag| tag.strip_prefix(key)).collect()
}

fn superseded_on(image: &Image) -> Option<Date> {
    tagged(image, "gallerist:superseded=").first()?.parse().ok()
}

/// The ownership rule, stated a second time.
fn is_ours(image: &Image) -> bool {
    image.owner.as_ref().is_some_and(|owner| owner.as_str() == PROJECT)
        && image.attributes.tags.contains("gallerist")
        && tagged(image, "gallerist:catalogue=") == [CATALOGUE]
        && tagged(image, "gallerist:family=").len() == 1
        && tagged(image, "gallerist:version=").len() == 1
        && !["image_type", "base_image_ref", "instance_uuid"]
            .iter()
            .any(|property| image.attributes.properties.contains_key(*property))
}

/// The family an image is in, under its present name; circles are not drawn here.
fn family_in(world: &World, image: &Image) -> FamilyName {
    let marked = FamilyName::parse(tagged(image, "gallerist:family=")[0]).unwrap();
    world.desired.moved.get(&marked).cloned().unwrap_or(marked)
}

fn family_images<'a>(
    world: &'a World,
    observed: &'a Observed,
    site: &SiteName,
    family: &'a FamilyName,
) -> impl Iterator<Item = &'a Image> {
    observed.sites[site].images.values().filter(move |image| is_ours(image) && family_in(world, image) == *family)
}

fn deletions(plan: &Plan) -> BTreeSet<(SiteName, ImageId)> {
    plan.steps()
        .filter(|(_, step)| step.operation.verb() == Verb::Delete)
        .filter_map(|(_, step)| Some((step.site.clone(), step.operation.id()?.clone())))
        .collect()
}

/// The same facts give the same plan, in whatever order they were listed.
pub(crate) fn same_facts_same_plan(world: &World, seed: u64) -> Result<(), String> {
    let mut shuffled = world.clone();
    for (site, view) in &world.observed.sites {
        let mut images: Vec<_> = view.images.clone().into_iter().collect();
        let length = images.len().max(1);
        images.rotate_left(usize::try_from(seed).unwrap_or(0) % length);
        images.reverse();
        shuffled.observed.sites.get_mut(site).unwrap().images = images.into_iter().collect();
    }
    let (one, other) = (plan_of(world), plan_of(&shuffled));
    require(format!("{one:?}") == format!("{other:?}"), || format!("{one:#?}\nagainst {other:#?}"))?;
    require(plan_id(&one) == plan_id(&other), || "one plan, two identities".to_owned())
}

/// A plan reviewed on Monday is the same plan on Tuesday, if nothing has happened and no stage has come.
pub(crate) fn the_day_of_the_run_is_not_part_of_the_plan(world: &World, _: u64) -> Result<(), String> {
    let tomorrow = today(world.now).tomorrow().unwrap();
    let ages = [0.days(), 1.days(), 2.months(), 1.year()];
    let something_comes = world.observed.sites.values().flat_map(|view| view.images.values()).any(|image| {
        superseded_on(image).is_some_and(|since| ages.iter().any(|age| since.checked_add(*age).unwrap() == tomorrow))
    });
    if something_comes {
        return Ok(());
    }
    let later = World { now: midday(tomorrow), ..world.clone() };
    let (one, other) = (plan_of(world), plan_of(&later));
    require(plan_id(&one) == plan_id(&other), || format!("{one:#?}\nagainst {other:#?}"))
}

/// Played in any order, a plan leaves nothing to do but deletions; two more runs reach silence.
pub(crate) fn every_order_converges(world: &World, seed: u64) -> Result<(), String> {
    let first = plan_of(world);
    let mut now = with(world, after(&world.observed, any_order(&first, seed)));
    let mut unanswered = now.clone();
    unanswered.observed.sites.values_mut().for_each(|view| view.usage.clear());
    let second = plan_of(&unanswered);
    require(second.is_empty(), || format!("after {:?} still {:?}", all_named(&first), all_named(&second)))?;
    for _ in 0..2 {
        now.observed = after(&now.observed, any_order(&plan_of(&now), seed));
    }
    let last = plan_of(&now);
    require(last.is_empty(), || format!("still not silent: {:?}", all_named(&last)))
}

/// A run that was cut off after any step is finished by the next ones.
pub(crate) fn a_crash_anywhere_is_finished_later(world: &World, seed: u64) -> Result<(), String> {
    let first = plan_of(world);
    let order = any_order(&first, seed);
    let done = usize::try_from(seed % 1000).unwrap() % (order.len() + 1);
    let mut now = with(world, after(&world.observed, order[..done].iter().copied()));
    for _ in 0..3 {
        now.observed = after(&now.observed, any_order(&plan_of(&now), seed));
    }
    let last = plan_of(&now);
    require(last.is_empty(), || format!("cut off after {done}, and then for ever {:?}", all_named(&last)))
}

/// No step leaves an image as it is, none touches an image twice, and the planner's own objector is content.
pub(crate) fn every_step_changes_something_once(world: &World, _: u64) -> Result<(), String> {
    let plan = plan_of(world);
    let mut touched = BTreeSet::new();
    for (_, step) in plan.steps() {
        require(step.operation.before() != step.operation.after(), || named(step))?;
        let id = step.operation.id();
        require(id.is_none_or(|id| touched.insert((&step.site, id))), || format!("twice: {}", named(step)))?;
    }
    let objections = audit::objections(&world.desired, &world.observed, &plan, world.now);
    require(objections.is_empty(), || objections.join("\n"))
}

/// A family for everybody whose public name has a usable image keeps one, after every step of every order.
pub(crate) fn the_name_never_points_nowhere(world: &World, seed: u64) -> Result<(), String> {
    let plan = plan_of(world);
    let order = any_order(&plan, seed);
    for (site, family, name) in world.desired.sites.iter().flat_map(|site| {
        let public = world.desired.families.values().filter(|family| family.audience == Audience::Everybody);
        public.map(move |family| (site, &family.name, latest_name_of(family)))
    }) {
        let bearers = |observed: &Observed| {
            family_images(world, observed, site, family).any(|image| {
                image.attributes.name == name
                    && image.attributes.visibility == Visibility::Public
                    && image.status == Status::Active
            })
        };
        // Where everything that was ever shown is unusable, an older version under the name is somebody's
        // makeshift, and the plan says by a hold that the family waits for people.
        if !bearers(&world.observed) || !plan.holds.iter().all(|hold| hold.address.family != *family) {
            continue;
        }
        for done in 0..=order.len() {
            let observed = after(&world.observed, order[..done].iter().copied());
            require(bearers(&observed), || {
                format!(
                    "nobody is called `{name}` at {site} after {:?}",
                    order[..done].iter().map(|step| named(step)).collect::<Vec<_>>()
                )
            })?;
        }
    }
    Ok(())
}

fn latest_name_of(family: &Family) -> String {
    family.lifecycle.latest.name.source().replace("{name}", &family.title)
}

/// No step targets an image that is not ours.
pub(crate) fn hands_off_what_is_not_ours(world: &World, _: u64) -> Result<(), String> {
    for (_, step) in plan_of(world).steps() {
        if let Some(id) = step.operation.id() {
            let image = &world.observed.sites[&step.site].images[id];
            require(is_ours(image), || format!("{}: {image:#?}", named(step)))?;
        }
    }
    Ok(())
}

/// Nothing is deleted unless everything that must be known about it is known.
pub(crate) fn deletion_needs_evidence(world: &World, seed: u64) -> Result<(), String> {
    let plan = plan_of(world);
    let order = any_order(&plan, seed);
    let end = after(&world.observed, order.iter().copied());
    for (done, step) in order.iter().enumerate().filter(|(_, step)| step.operation.verb() == Verb::Delete) {
        let before = after(&world.observed, order[..done].iter().copied());
        may_go(world, step, &before, &end).map_err(|why| format!("{}: {why}", named(step)))?;
    }
    Ok(())
}

fn may_go(world: &World, step: &Step, before: &Observed, end: &Observed) -> Result<(), String> {
    let (site, id) = (&step.site, step.operation.id().unwrap());
    let view = &world.observed.sites[site];
    let image = &view.images[id];
    let answers: Vec<Answer> =
        view.usage.get(id).map(Usage::answers).into_iter().flatten().map(|(_, answer)| answer.clone()).collect();
    require(!answers.is_empty() && answers.iter().all(|answer| *answer == Answer::Nobody), || format!("{answers:?}"))?;
    let name = family_in(world, image);
    let family = world.desired.families.get(&name);
    let lifecycle = family.map_or(&world.desired.retirement, |family| &family.lifecycle);
    let siblings = |observed| family_images(world, observed, site, &name).filter(|other| other.id != *id);
    if let Some(since) = superseded_on(image) {
        require(lifecycle.deletion.after.is_reached(since, today(world.now)), || "too young".to_owned())?;
        let version = |image: &Image| VersionName::parse(tagged(image, "gallerist:version=")[0]).unwrap();
        let newer = siblings(end)
            .filter(|other| superseded_on(other).is_some() && version(other).compare_age(&version(image)).is_ge())
            .count();
        require(newer >= lifecycle.deletion.keep, || format!("one of the newest: {newer} are newer"))?;
    } else {
        let never_shown =
            tagged(image, "gallerist:applied=").is_empty() && image.attributes.visibility == Visibility::Private;
        require(never_shown, || "superseded by no earlier run".to_owned())?;
    }
    if let Some(Wanted::Version { name: wanted, .. }) = family.map(|family| &family.wanted)
        && tagged(image, "gallerist:version=") == [wanted.as_str()]
    {
        let usable = siblings(end)
            .any(|other| tagged(other, "gallerist:version=") == [wanted.as_str()] && other.status == Status::Active);
        require(usable, || "the wanted version".to_owned())?;
    }
    let public = |image: &Image| image.attributes.visibility == Visibility::Public;
    let private = family.is_some_and(|family| family.audience == Audience::Project);
    require(private || !public(image) || siblings(before).any(public), || "the last public version".to_owned())?;
    let usable = |image: &Image| public(image) && image.status == Status::Active;
    require(private || family.is_none() || !usable(image) || siblings(before).any(usable), || {
        "the last usable version".to_owned()
    })
}

/// Knowing less never deletes more.
pub(crate) fn ignorance_is_conservative(world: &World, seed: u64) -> Result<(), String> {
    let informed = deletions(&plan_of(world));
    let mut ignorant = Vec::new();
    for (site, view) in &world.observed.sites {
        for (id, usage) in &view.usage {
            let silent = [SERVERS, VOLUMES].get(usize::try_from(seed % 3).unwrap());
            let answers: Vec<_> = usage
                .answers()
                .filter(|_| silent.is_some())
                .map(|(source, answer)| {
                    let unknown = Answer::Unknown("silent".to_owned());
                    (source, if Some(&source) == silent { unknown } else { answer.clone() })
                })
                .collect();
            let mut world = world.clone();
            world.observed.sites.get_mut(site).unwrap().usage.insert(id.clone(), Usage::new(answers));
            ignorant.push((format!("{silent:?} is silent about {id}"), world));
        }
    }
    for family in world.desired.families.keys() {
        let mut world = world.clone();
        world.desired.families.get_mut(family).unwrap().wanted = Wanted::Unknown("silent".to_owned());
        ignorant.push((format!("the publisher of {family} is silent"), world));
    }
    for (what, world) in ignorant {
        let more: Vec<_> = deletions(&plan_of(&world)).difference(&informed).cloned().collect();
        require(more.is_empty(), || format!("{what}, and that deletes {more:?}"))?;
    }
    Ok(())
}

/// Asking about the candidates alone is enough: every deletion is of a candidate, and other answers change nothing.
pub(crate) fn only_candidates_need_be_asked_about(world: &World, _: u64) -> Result<(), String> {
    let candidates: BTreeSet<_> = planner::candidates(&world.desired, &world.observed, world.now)
        .into_iter()
        .map(|candidate| (candidate.site, candidate.image))
        .collect();
    let plan = plan_of(world);
    let unasked: Vec<_> = deletions(&plan).difference(&candidates).cloned().collect();
    require(unasked.is_empty(), || format!("nobody would have asked about {unasked:?}"))?;
    let mut asked = world.clone();
    for (site, view) in &mut asked.observed.sites {
        view.usage.retain(|id, _| candidates.contains(&(site.clone(), id.clone())));
    }
    require(plan_id(&plan) == plan_id(&plan_of(&asked)), || "other answers change the plan".to_owned())
}

/// More deletions than the limit are refused as a whole.
pub(crate) fn the_brake_holds(world: &World, _: u64) -> Result<(), String> {
    let plan = plan_of(world);
    let managed: usize =
        world.observed.sites.values().map(|view| view.images.values().filter(|image| is_ours(image)).count()).sum();
    let limit = world.desired.limits.deletions.unwrap_or((managed * 30 / 100).max(10));
    require(deletions(&plan).len() <= limit || plan.is_blocked(), || format!("{limit} < {:?}", all_named(&plan)))
}

/// What was for a project alone is never shown to anybody else, and what has left the file to nobody more than before.
pub(crate) fn nothing_becomes_wider_than_it_may(world: &World, _: u64) -> Result<(), String> {
    for (_, step) in plan_of(world).steps() {
        let family = world.desired.families.get(&step.address.family);
        let shown: Vec<&Attributes> = match &step.operation {
            Operation::Create(create) => vec![&create.staged, &create.shown],
            Operation::Update(update) => vec![&update.after],
            Operation::Delete(_) => vec![],
            Operation::Adopt(adopt) => vec![adopt.after()],
        };
        for attributes in shown {
            let for_project = family.is_some_and(|family| family.audience == Audience::Project)
                || attributes.tags.contains("gallerist:audience=project");
            let shared_before = step.operation.before().is_some_and(|before| before.visibility == Visibility::Shared);
            let widest = if shared_before { Visibility::Shared } else { Visibility::Private };
            require(!for_project || attributes.visibility <= widest, || named(step))?;
            let wider = step.operation.before().is_some_and(|before| before.visibility < attributes.visibility);
            require(family.is_some() || !wider, || format!("retired and wider: {}", named(step)))?;
        }
        if let Operation::Create(create) = &step.operation {
            require(create.staged.visibility == Visibility::Private, || named(step))?;
        }
    }
    Ok(())
}
