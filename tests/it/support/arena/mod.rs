//! A cloud so small that everything that can happen on it can be tried: the state of the model check.
//!
//! One family: an old version that nobody needs, the present latest, a newer one at its publisher, and a tenant's image
//! that bears all our marks. The appliers are the real thing: the planner's plan, the schedule, the machines; only what
//! answers their requests is made here, one request a step.

mod glance;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use gallerist::apply::machine::{Machine, Next, Outcome};
use gallerist::apply::request::{Answer, Failure, FailureKind, Request};
use gallerist::apply::schedule::{Schedule, Unit};
use gallerist::model::image::{Attributes, Image, Status, Visibility};
use gallerist::model::name::{ImageId, ProjectId, SiteName};
use gallerist::model::plan::Plan;
use petgraph::graph::NodeIndex;

use super::sim::Cloud;
use super::world::World;

/// What is taken away, or made to lie, to see that it is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    Nothing,
    /// The second question about users is answered with what was true at the first.
    StaleSecondQuestion,
    /// Glance reports the digest of what was sent, whatever it has stored.
    FalseDigest,
    /// Whoever owns an image, Glance says that we do.
    FalseOwner,
    /// Of two PATCH requests of a hand-over the second arrives first.
    OtherWayRound,
}

/// A run of `apply` between two requests.
#[derive(Clone)]
struct Run {
    /// Its number among [`PLANS`].
    plan: usize,
    /// The number of the first image it makes.
    first: u8,
    /// What became of the pieces of work that have ended, in their order.
    past: Vec<Vec<(NodeIndex, Outcome)>>,
    unit: Unit,
    request: Request,
}

/// Everything there is, at one moment.
#[derive(Clone)]
pub(crate) struct Arena {
    images: BTreeMap<ImageId, Image>,
    users: BTreeSet<ImageId>,
    runs: [Option<Run>; 2],
    lock: Option<usize>,
    made: u8,
    /// A PATCH that was answered and has not arrived.
    late: Option<Box<Request>>,
    /// What must never happen and did.
    pub(crate) broken: BTreeSet<&'static str>,
    pub(crate) left: Budget,
}

/// How often everything may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) runs: u8,
    pub(crate) crashes: u8,
    pub(crate) boots: u8,
    pub(crate) lost: u8,
    pub(crate) corrupt: u8,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// An applier begins: takes the lock, reads, plans.
    Begin(usize),
    /// Its request is done and answered.
    Step(usize),
    /// Its request is done, and the answer is lost.
    LoseAnswer(usize),
    /// Its request is lost on the way.
    LoseRequest(usize),
    /// Its bytes are damaged in Glance's store.
    Corrupt(usize),
    /// It dies.
    Crash(usize),
    /// Somebody frees the lock of one that died.
    Unlock,
    /// A tenant makes a server from the image of this number.
    Boot(usize),
    /// Every tenant deletes what he has.
    Leave,
}

impl fmt::Debug for Arena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for image in self.images.values() {
            let used = if self.users.contains(&image.id) { ", in use" } else { "" };
            let Attributes { name, visibility, tags, .. } = &image.attributes;
            writeln!(formatter, "{} `{name}` {visibility} {}{used} {tags:?}", image.id, image.status)?;
        }
        for run in self.runs.iter().flatten() {
            writeln!(formatter, "about to {:?}", run.request)?;
        }
        write!(formatter, "lock {:?}, {:?}, {:?}", self.lock, self.broken, self.left)
    }
}

impl Hash for Arena {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { images, users, runs, lock, made, late, broken, left } = self;
        format!("{images:?}{late:?}").hash(hasher);
        (users, lock, made, broken, left).hash(hasher);
        for (applier, run) in runs.iter().enumerate() {
            applier.hash(hasher);
            let Some(Run { plan, first, past, unit, request }) = run else { continue };
            (plan, first, format!("{past:?}{unit:?}{request:?}")).hash(hasher);
        }
    }
}

impl PartialEq for Arena {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// Every plan that was ever made, once, so that a state need only say which it has.
static PLANS: Mutex<Vec<(String, Plan)>> = Mutex::new(Vec::new());

fn interned(plan: Plan) -> usize {
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let text = format!("{plan:?}");
    plans.iter().position(|(known, _)| *known == text).unwrap_or_else(|| {
        plans.push((text, plan));
        plans.len() - 1
    })
}

fn unanswered() -> Answer {
    Answer::Failed(Failure { kind: FailureKind::Unanswered, message: "no answer".to_owned() })
}

impl Arena {
    /// The arena, where these images are.
    pub(crate) fn new(world: &World, site: &SiteName, left: Budget) -> Self {
        let mut images = world.observed.sites[site].images.clone();
        let model = images.values().max_by_key(|image| image.id.clone()).expect("there is a latest").clone();
        let foreign = Image {
            id: ImageId::parse("foreign").unwrap(),
            owner: Some(ProjectId::parse("a-tenant").unwrap()),
            attributes: Attributes { visibility: Visibility::Community, ..model.attributes },
            ..model
        };
        images.insert(foreign.id.clone(), foreign);
        Self {
            images,
            users: BTreeSet::new(),
            runs: [None, None],
            lock: None,
            made: 0,
            late: None,
            broken: BTreeSet::new(),
            left,
        }
    }

    pub(crate) fn number_of_images(&self) -> usize {
        self.images.len()
    }

    pub(crate) fn is_running(&self, applier: usize) -> bool {
        self.runs[applier].is_some()
    }

    pub(crate) const fn lock(&self) -> Option<usize> {
        self.lock
    }

    pub(crate) fn is_delivering(&self, applier: usize) -> bool {
        self.runs[applier].as_ref().is_some_and(|run| matches!(run.request, Request::Deliver { .. }))
    }

    pub(crate) fn can_boot(&self, number: usize) -> bool {
        let image = self.images.values().nth(number);
        image.is_some_and(|image| {
            image.status == Status::Active
                && image.attributes.visibility > Visibility::Private
                && !self.users.contains(&image.id)
        })
    }

    pub(crate) fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    pub(crate) fn boot(&mut self, number: usize) {
        let id = self.images.keys().nth(number).cloned();
        self.users.extend(id);
    }

    pub(crate) fn leave(&mut self) {
        self.users.clear();
    }

    pub(crate) fn set_lock(&mut self, holder: Option<usize>) {
        self.lock = holder;
    }

    pub(crate) fn crash(&mut self, applier: usize) {
        self.runs[applier] = None;
    }

    /// Reads the cloud and makes a plan of it.
    pub(crate) fn plan(&self, world: &World, site: &SiteName, sabotage: Sabotage) -> Plan {
        let mut seen = Cloud::new(world.clone());
        let view = seen.world.observed.sites.get_mut(site).expect("the only site");
        view.images = self.images.keys().filter_map(|id| Some((id.clone(), self.read(id, sabotage)?))).collect();
        for id in &self.users {
            seen.boot(site, id);
        }
        seen.plan()
    }

    /// Begins a run; one that finds nothing to do has ended.
    pub(crate) fn begin(&mut self, applier: usize, world: &World, site: &SiteName, sabotage: Sabotage) {
        let plan = self.plan(world, site, sabotage);
        let creations = u8::try_from(plan.counts().create).expect("the arena has one family");
        let first = self.made;
        self.made += creations;
        self.runs[applier] = next_unit(interned(plan), first, Vec::new());
    }

    /// Does what a run has asked for, and lets it ask for the next thing.
    pub(crate) fn step(&mut self, applier: usize, event: Event, sabotage: Sabotage) {
        let Some(Run { plan, first, mut past, mut unit, request }) = self.runs[applier].take() else { return };
        let arrives = !matches!(event, Event::LoseRequest(_));
        let answer = arrives.then(|| self.perform(&request, sabotage));
        let answer = answer.filter(|_| !matches!(event, Event::LoseAnswer(_))).unwrap_or_else(unanswered);
        if let (Event::Corrupt(_), Request::Deliver { targets, .. }) = (event, &request) {
            for target in targets {
                if let Some(image) = self.images.get_mut(&target.id) {
                    image.disk_format = Some("damaged".to_owned());
                }
            }
        }
        self.runs[applier] = match unit.next(Some(answer)) {
            Next::Ask(request) => Some(Run { plan, first, past, unit, request }),
            Next::Finished(outcomes) => {
                past.push(outcomes);
                next_unit(plan, first, past)
            }
        };
        self.look();
    }

    /// The tenant's image, to be compared with what it was.
    pub(crate) fn foreign(&self) -> Option<&Image> {
        self.images.values().find(|image| image.id.as_str() == "foreign")
    }
}

/// Lets the schedule go on from what has ended until something is asked, or nothing is left.
fn next_unit(plan: usize, first: u8, mut past: Vec<Vec<(NodeIndex, Outcome)>>) -> Option<Run> {
    let plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut made = first;
    let new_id = || {
        made += 1;
        ImageId::parse(format!("new-{made}")).unwrap()
    };
    let mut schedule = Schedule::new(&plans[plan].1, new_id);
    for outcomes in &past {
        schedule.begin();
        schedule.ended(outcomes.clone());
    }
    while let Some((_, mut unit)) = schedule.begin() {
        match unit.next(None) {
            Next::Ask(request) => return Some(Run { plan, first, past, unit, request }),
            Next::Finished(outcomes) => {
                schedule.ended(outcomes.clone());
                past.push(outcomes);
            }
        }
    }
    None
}
