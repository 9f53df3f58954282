//! Which piece of work may begin, and what becomes of a plan as pieces end.
//!
//! The problem: the plan is a graph of operations, but some operations only make sense together: one download for all
//! sites, and the two requests of a hand-over with nothing in between. The idea: operations become *units*: a delivery
//! (all creations of one version), a hand-over (one image that gets the name on a site and those that lose it), a
//! single change, a removal, an adoption. A creation takes part in two units, first its delivery, then its hand-over. A
//! unit begins when everything before its operations is done; if that failed, it is skipped, with the reason, and nothing
//! else is. What this does not solve: how many run at once; the shell decides that.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use super::adoption::Adoption;
use super::delivery::{Delivery, Target};
use super::handover::{HandOver, Newcomer};
use super::machine::{Change, Machine, Next, Outcome};
use super::removal::Removal;
use super::request::Answer;
use crate::model::name::{FamilyName, ImageId, VersionName};
use crate::model::operation::{Create, Operation, Record};
use crate::model::plan::Plan;
use crate::model::reason::Edge;

/// A piece of work at some point of its way.
#[derive(Debug, Clone, PartialEq)]
pub enum Unit {
    /// One version to the sites that lack it.
    Delivery(Box<Delivery>),
    /// The name from one image to another, or a single change.
    HandOver(Box<HandOver>),
    /// The end of an image.
    Removal(Box<Removal>),
    /// Marks for an image that has none.
    Adoption(Box<Adoption>),
}

impl Machine for Unit {
    fn next(&mut self, answer: Option<Answer>) -> Next {
        match self {
            Self::Delivery(machine) => machine.next(answer),
            Self::HandOver(machine) => machine.next(answer),
            Self::Removal(machine) => machine.next(answer),
            Self::Adoption(machine) => machine.next(answer),
        }
    }
}

/// Which unit, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitId(usize);

#[derive(Debug, Clone, PartialEq)]
enum Task {
    Delivery(Vec<NodeIndex>),
    /// The step that gets the name, if there is one, and those that lose it.
    HandOver(Option<NodeIndex>, Vec<NodeIndex>),
    Removal(NodeIndex),
    Adoption(NodeIndex),
}

impl Task {
    fn nodes(&self) -> Vec<NodeIndex> {
        match self {
            Self::Delivery(nodes) => nodes.clone(),
            Self::HandOver(new, old) => new.iter().chain(old).copied().collect(),
            Self::Removal(node) | Self::Adoption(node) => vec![*node],
        }
    }
}

/// The state of a plan that is being applied.
pub struct Schedule<'a> {
    plan: &'a Plan,
    ids: BTreeMap<NodeIndex, ImageId>,
    tasks: Vec<Task>,
    begun: BTreeSet<UnitId>,
    staged: BTreeMap<NodeIndex, Outcome>,
    outcomes: BTreeMap<NodeIndex, Outcome>,
}

impl<'a> Schedule<'a> {
    /// The work of a plan. `new_id` chooses the ids of new images.
    pub fn new(plan: &'a Plan, mut new_id: impl FnMut() -> ImageId) -> Self {
        let mut deliveries: BTreeMap<(FamilyName, VersionName), Vec<NodeIndex>> = BTreeMap::new();
        let mut ids = BTreeMap::new();
        let (mut tasks, mut removals) = (Vec::new(), Vec::new());
        for (node, step) in plan.steps() {
            match &step.operation {
                Operation::Create(create) => {
                    let key = (create.family.clone(), create.version.name.clone());
                    deliveries.entry(key).or_default().push(node);
                    let id = match &create.record {
                        Record::New => new_id(),
                        Record::Existing(image) => image.id().clone(),
                    };
                    ids.insert(node, id);
                    tasks.push(Task::HandOver(Some(node), successors(plan, node)));
                }
                Operation::Update(_) => {
                    let loses_the_name = plan.before(node).any(|(_, why)| why == Edge::HandOver);
                    let successors = successors(plan, node);
                    if !successors.is_empty() {
                        tasks.push(Task::HandOver(Some(node), successors));
                    } else if !loses_the_name {
                        tasks.push(Task::HandOver(None, vec![node]));
                    }
                }
                Operation::Delete(_) => removals.push(Task::Removal(node)),
                Operation::Adopt(_) => tasks.push(Task::Adoption(node)),
            }
        }
        tasks.splice(0..0, deliveries.into_values().map(Task::Delivery));
        tasks.extend(removals);
        Self { plan, ids, tasks, begun: BTreeSet::new(), staged: BTreeMap::new(), outcomes: BTreeMap::new() }
    }

    /// The next unit that may begin, if there is one now. Units that can no longer begin are skipped on the way.
    pub fn begin(&mut self) -> Option<(UnitId, Unit)> {
        for index in 0..self.tasks.len() {
            let id = UnitId(index);
            if self.begun.contains(&id) {
                continue;
            }
            let task = self.tasks[index].clone();
            match self.readiness(&task) {
                Readiness::Waiting => {}
                Readiness::Hopeless(because) => {
                    self.begun.insert(id);
                    self.skip(&task, &because);
                }
                Readiness::Ready => {
                    self.begun.insert(id);
                    if let Some(unit) = self.unit(&task) {
                        return Some((id, unit));
                    }
                }
            }
        }
        None
    }

    /// Hears how a unit ended.
    pub fn ended(&mut self, outcomes: Vec<(NodeIndex, Outcome)>) {
        for (node, outcome) in outcomes {
            if matches!(outcome, Outcome::Staged(..)) {
                self.staged.insert(node, outcome);
            } else {
                self.outcomes.insert(node, outcome);
            }
        }
    }

    /// Skips everything that has not begun.
    pub fn stop(&mut self, because: &str) {
        for index in 0..self.tasks.len() {
            if self.begun.insert(UnitId(index)) {
                let task = self.tasks[index].clone();
                self.skip(&task, because);
            }
        }
    }

    /// The steps of a unit.
    pub fn nodes(&self, unit: UnitId) -> Vec<NodeIndex> {
        self.tasks[unit.0].nodes()
    }

    /// What became of each step so far.
    pub fn outcomes(&self) -> &BTreeMap<NodeIndex, Outcome> {
        &self.outcomes
    }

    fn skip(&mut self, task: &Task, because: &str) {
        for node in task.nodes() {
            self.outcomes.entry(node).or_insert_with(|| Outcome::Skipped(because.to_owned()));
        }
    }

    fn readiness(&self, task: &Task) -> Readiness {
        match task {
            Task::HandOver(Some(new), _) if self.ids.contains_key(new) => {
                match (self.staged.get(new), self.outcomes.get(new)) {
                    (Some(_), _) => Readiness::Ready,
                    (None, Some(_)) => Readiness::Hopeless(format!("{} was not created", self.plan.step(*new).address)),
                    (None, None) => Readiness::Waiting,
                }
            }
            Task::Delivery(_) | Task::HandOver(..) | Task::Adoption(_) => Readiness::Ready,
            Task::Removal(node) => {
                let mut readiness = Readiness::Ready;
                for (before, why) in self.plan.before(*node) {
                    match self.outcomes.get(&before) {
                        None => readiness = Readiness::Waiting,
                        Some(outcome) if outcome.is_good() => {}
                        Some(_) => {
                            let address = &self.plan.step(before).address;
                            return Readiness::Hopeless(format!("{address} was not done, and {}", why.sentence()));
                        }
                    }
                }
                readiness
            }
        }
    }

    fn unit(&self, task: &Task) -> Option<Unit> {
        match task {
            Task::Delivery(nodes) => {
                let targets = nodes.iter().filter_map(|node| {
                    let (step, create) = self.create(*node)?;
                    let id = self.ids.get(node)?.clone();
                    Some(Target { node: *node, site: step.site.clone(), id, create: create.clone() })
                });
                Some(Unit::Delivery(Box::new(Delivery::new(targets.collect()))))
            }
            Task::HandOver(new, old) => {
                let old = old.iter().filter_map(|node| self.change(*node)).collect();
                Some(Unit::HandOver(Box::new(HandOver::new(self.newcomer(*new)?, old))))
            }
            Task::Removal(node) => match &self.plan.step(*node).operation {
                Operation::Delete(delete) => {
                    let site = self.plan.step(*node).site.clone();
                    Some(Unit::Removal(Box::new(Removal::new(*node, site, (**delete).clone()))))
                }
                Operation::Create(_) | Operation::Update(_) | Operation::Adopt(_) => None,
            },
            Task::Adoption(node) => match &self.plan.step(*node).operation {
                Operation::Adopt(adopt) => {
                    let site = self.plan.step(*node).site.clone();
                    Some(Unit::Adoption(Box::new(Adoption::new(*node, site, (**adopt).clone()))))
                }
                Operation::Create(_) | Operation::Update(_) | Operation::Delete(_) => None,
            },
        }
    }

    fn newcomer(&self, new: Option<NodeIndex>) -> Option<Newcomer> {
        let Some(node) = new else { return Some(Newcomer::Nobody) };
        let Some((step, create)) = self.create(node) else {
            return self.change(node).map(Box::new).map(Newcomer::Known);
        };
        let Some(Outcome::Staged(image, delivered)) = self.staged.get(&node) else { return None };
        let after = match delivered {
            Some(delivered) => create.shown_with(delivered),
            None => create.shown.clone(),
        };
        // Glance may have written properties of its own while the bytes came in; the PATCH must not take them away.
        let mut after = after;
        let service =
            image.attributes.properties.iter().filter(|(name, _)| crate::model::operation::is_service_property(name));
        after.properties.extend(service.map(|(name, value)| (name.clone(), value.clone())));
        Some(Newcomer::Delivered { node, site: step.site.clone(), image: image.clone(), after: Box::new(after) })
    }

    fn create(&self, node: NodeIndex) -> Option<(&crate::model::plan::Step, &Create)> {
        let step = self.plan.step(node);
        match &step.operation {
            Operation::Create(create) => Some((step, create)),
            Operation::Update(_) | Operation::Delete(_) | Operation::Adopt(_) => None,
        }
    }

    fn change(&self, node: NodeIndex) -> Option<Change> {
        let step = self.plan.step(node);
        match &step.operation {
            Operation::Update(update) => Some(Change {
                node,
                site: step.site.clone(),
                before: update.before.clone(),
                after: update.after.clone(),
                activation: update.activation,
            }),
            Operation::Create(_) | Operation::Delete(_) | Operation::Adopt(_) => None,
        }
    }
}

enum Readiness {
    Ready,
    Waiting,
    Hopeless(String),
}

/// The steps that lose the name to this one.
fn successors(plan: &Plan, node: NodeIndex) -> Vec<NodeIndex> {
    let handed_over = plan.after(node).filter(|(_, why)| *why == Edge::HandOver);
    let mut found: Vec<_> = handed_over.map(|(after, _)| after).collect();
    found.sort();
    found
}
