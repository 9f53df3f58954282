//! What became of a plan, as the summary tells it and as the exit code says it.

use std::collections::BTreeMap;
use std::time::Duration;

use petgraph::graph::NodeIndex;

use crate::apply::machine::Outcome;
use crate::apply::request::FailureKind;
use crate::exit::Exit;
use crate::model::operation::Verb;
use crate::model::plan::Plan;
use crate::render::document::Action;
use crate::render::summary::{self, Interruption};

/// What the summary is made of.
pub(super) fn told(
    plan: &Plan,
    outcomes: &BTreeMap<NodeIndex, Outcome>,
    interruption: Interruption,
    elapsed: Duration,
) -> summary::Outcome {
    let mut told = summary::Outcome { interruption, elapsed, ..summary::Outcome::default() };
    for (node, step) in plan.steps() {
        let address = step.address.to_string();
        match outcomes.get(&node) {
            Some(Outcome::Done(_) | Outcome::Staged(..)) => {
                let action = match step.operation.verb() {
                    Verb::Create => Action::Create,
                    Verb::Update => Action::Update,
                    Verb::Delete => Action::Delete,
                };
                told.done.push((action, address));
            }
            Some(Outcome::Kept(users, why)) => {
                let users: Vec<_> = users.iter().map(|user| format!("{} {}", user.kind.name(), user.id)).collect();
                let who = if users.is_empty() { String::new() } else { format!(" ({})", users.join(", ")) };
                told.kept.push((address, format!("{why}{who}")));
            }
            Some(Outcome::Failed(failure)) => told.failed.push((address, failure.message.clone())),
            Some(Outcome::Stale(why)) => told.failed.push((address, format!("left alone: {why}"))),
            Some(Outcome::Skipped(why)) => told.waiting.push((address, Some(why.clone()))),
            None => told.waiting.push((address, None)),
        }
    }
    told
}

/// How the run ended. Whatever was given back or got no answer may have changed the cloud.
pub(super) fn exit(plan: &Plan, outcomes: &BTreeMap<NodeIndex, Outcome>) -> Exit {
    let done = outcomes.values().filter(|outcome| outcome.is_good()).count();
    let touched = outcomes.values().any(|outcome| match outcome {
        Outcome::Kept(..) => true,
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Unanswered | FailureKind::Interrupted | FailureKind::HalfWay => true,
            FailureKind::Gone | FailureKind::Refused => false,
        },
        Outcome::Done(_) | Outcome::Staged(..) | Outcome::Stale(_) | Outcome::Skipped(_) => false,
    });
    let stale = outcomes.values().any(|outcome| matches!(outcome, Outcome::Stale(_)));
    if done == plan.counts().total() {
        Exit::Done
    } else if done > 0 || touched {
        Exit::Partial
    } else if stale {
        Exit::Stale
    } else {
        Exit::Error
    }
}
