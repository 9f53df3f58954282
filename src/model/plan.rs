//! A plan: what will be done, in which order, what will not be done and why.
//!
//! The plan is a value. It can be compared, shown, saved and refused, and it leaves nothing to decide when it is
//! applied. **An edge `a → b` means that `a` happens before `b`.**

use std::collections::BTreeMap;

use petgraph::Direction;
use petgraph::acyclic::Acyclic;
use petgraph::data::Build;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::name::{Address, SiteName};
use super::observed::Observed;
use super::operation::{Operation, Verb};
use super::packages::PackageChanges;
use super::reason::{Because, Edge, Note, Reason};
use super::usage::Usage;

/// One operation of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How people call the image.
    pub address: Address,
    /// Where it is.
    pub site: SiteName,
    /// What is done.
    pub operation: Operation,
    /// Why, the most telling reason first.
    pub reasons: Vec<Reason>,
    /// What the usage sources said, where they were asked.
    pub usage: Option<Usage>,
}

/// Something the plan would do and refuses to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What is held.
    pub address: Address,
    /// Where.
    pub site: SiteName,
    /// What would be done.
    pub verb: Verb,
    /// Why it is not.
    pub because: Because,
}

/// A guard on the plan as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Its name in messages and JSON.
    pub id: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// The numbers behind it, as one sentence.
    pub detail: String,
    /// How to lift it, where it can be.
    pub lift: Option<String>,
}

/// What a guard says of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has nothing against it.
    Pass,
    /// It would refuse it, but was lifted explicitly.
    Lifted,
    /// It refuses it.
    Block,
}

/// How many operations of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Creations.
    pub create: usize,
    /// Updates.
    pub update: usize,
    /// Deletions.
    pub delete: usize,
}

impl Counts {
    /// All of them.
    pub const fn total(self) -> usize {
        self.create + self.update + self.delete
    }
}

/// What is to be done.
#[must_use = "a plan that nobody looks at protects nobody"]
#[derive(Debug, Clone, Default)]
pub struct Plan {
    graph: Acyclic<DiGraph<Step, Edge>>,
    /// What is refused.
    pub holds: Vec<Hold>,
    /// What is to be said without an act.
    pub notes: Vec<Note>,
    /// What new versions change of the packages inside, as far as somebody has looked. It is no part of what is done.
    pub packages: BTreeMap<NodeIndex, PackageChanges>,
    /// The guards on the plan as a whole.
    pub guards: Vec<Guard>,
    /// How many images are the catalogue's own.
    pub managed: usize,
}

/// A cycle in the order of work: a mistake of the planner, never of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle;

impl Plan {
    /// Adds an operation.
    pub fn add(&mut self, step: Step) -> NodeIndex {
        self.graph.add_node(step)
    }

    /// Says that one step comes before another, and why.
    ///
    /// # Errors
    /// The order would run in a circle.
    pub fn order(&mut self, before: NodeIndex, after: NodeIndex, why: Edge) -> Result<(), Cycle> {
        self.graph.try_add_edge(before, after, why).map(|_| ()).map_err(|_| Cycle)
    }

    /// The steps in an order that respects every edge; always the same for the same plan.
    pub fn steps(&self) -> impl Iterator<Item = (NodeIndex, &Step)> {
        self.graph.nodes_iter().map(|node| (node, &self.graph[node]))
    }

    /// The step at a node.
    pub fn step(&self, node: NodeIndex) -> &Step {
        &self.graph[node]
    }

    /// Every edge: before, after, why.
    pub fn edges(&self) -> impl Iterator<Item = (NodeIndex, NodeIndex, Edge)> + '_ {
        self.graph.inner().edge_references().map(|edge| (edge.source(), edge.target(), *edge.weight()))
    }

    /// What must come before a step.
    pub fn before(&self, node: NodeIndex) -> impl Iterator<Item = (NodeIndex, Edge)> + '_ {
        self.graph.inner().edges_directed(node, Direction::Incoming).map(|edge| (edge.source(), *edge.weight()))
    }

    /// What must come after a step.
    pub fn after(&self, node: NodeIndex) -> impl Iterator<Item = (NodeIndex, Edge)> + '_ {
        self.graph.inner().edges_directed(node, Direction::Outgoing).map(|edge| (edge.target(), *edge.weight()))
    }

    /// How many operations of each kind.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, step) in self.steps() {
            match step.operation.verb() {
                Verb::Create => counts.create += 1,
                Verb::Update => counts.update += 1,
                Verb::Delete => counts.delete += 1,
            }
        }
        counts
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// Whether a guard refuses it.
    pub fn is_blocked(&self) -> bool {
        self.guards.iter().any(|guard| guard.verdict == Verdict::Block)
    }

    /// Plays the whole plan on a world.
    pub fn play(&self, observed: &mut Observed) {
        for (_, step) in self.steps() {
            step.operation.effect(&step.site, observed);
        }
    }
}
