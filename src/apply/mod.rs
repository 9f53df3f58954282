//! Effects, abstractly: walks a plan without doing any I/O itself.
//!
//! The machines (`delivery`, `handover`, `removal`, `adoption`) say what they want done and hear what came of it; `schedule` says
//! which of them may begin; [`run`] is the thin shell that carries requests to a [`Perform`] and answers back. The
//! performer may be a real cloud, the embedded one, or a simulated world: the machines are the same, and a crash is
//! simply a point between two of their steps.
//!
//! This room knows no HTTP and no plan-making, and never prints: what happens is told as [`event::Event`]s.

pub mod adoption;
pub mod delivery;
pub mod event;
mod evidence;
pub mod handover;
pub mod machine;
pub mod removal;
pub mod request;
pub mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use petgraph::graph::NodeIndex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::event::Event;
use self::machine::{Machine, Next, Outcome};
use self::request::{Answer, Failure, FailureKind, Request};
use self::schedule::{Schedule, Unit, UnitId};
use crate::model::name::ImageId;
use crate::model::plan::Plan;

/// Where bytes that move are reported to: done so far, and how many there are.
pub type Meter = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// Does what it is asked.
#[async_trait]
pub trait Perform: Send + Sync + 'static {
    /// Does one request and says what came of it. Never fails otherwise than by an answer.
    async fn perform(&self, request: Request, meter: Meter) -> Answer;
}

/// Applies a plan and tells what became of each step. `cancel` stops it at the next safe point: a transfer is broken
/// off, a hand-over and a removal are seen through, nothing new begins.
pub async fn run(
    plan: &Plan,
    performer: Arc<dyn Perform>,
    parallelism: usize,
    cancel: CancellationToken,
    events: &(dyn Fn(Event) + Send + Sync),
) -> BTreeMap<NodeIndex, Outcome> {
    let new_id = || ImageId::parse(uuid::Uuid::new_v4().to_string()).expect("a UUID is made of an id's characters");
    let mut schedule = Schedule::new(plan, new_id);
    let mut running: JoinSet<(UnitId, Vec<(NodeIndex, Outcome)>)> = JoinSet::new();
    let (meter, mut readings) = tokio::sync::mpsc::unbounded_channel::<(UnitId, u64, Option<u64>)>();
    let mut told: BTreeSet<NodeIndex> = BTreeSet::new();
    loop {
        if cancel.is_cancelled() {
            schedule.stop("the run was interrupted");
        }
        while running.len() < parallelism.max(1) {
            let Some((id, unit)) = schedule.begin() else { break };
            for node in schedule.nodes(id) {
                if told.insert(node) {
                    let step = plan.step(node);
                    let (address, site) = (step.address.clone(), step.site.clone());
                    events(Event::Started { address, site, verb: step.operation.verb() });
                }
            }
            let (performer, cancel, meter) = (Arc::clone(&performer), cancel.clone(), meter.clone());
            running.spawn(async move {
                let meter: Meter = Arc::new(move |done, total| {
                    // Nobody listens any more once the run has ended.
                    let _ = meter.send((id, done, total));
                });
                (id, drive(unit, performer.as_ref(), &meter, &cancel).await)
            });
        }
        tokio::select! {
            biased;
            Some((unit, done, total)) = readings.recv() => {
                let addresses = schedule.nodes(unit).into_iter().map(|node| plan.step(node).address.clone()).collect();
                events(Event::Progress { addresses, done, total });
            }
            ended = running.join_next() => match ended {
                Some(Ok((_, outcomes))) => {
                    for (node, outcome) in &outcomes {
                        tell(plan, *node, outcome, events);
                    }
                    schedule.ended(outcomes);
                }
                // A panic in a performer ends its unit without outcomes; what depends on it never begins.
                Some(Err(_)) => {}
                None => break,
            },
        }
    }
    schedule.stop("another step of its family ended without an answer");
    let outcomes = schedule.outcomes().clone();
    for (node, outcome) in &outcomes {
        if matches!(outcome, Outcome::Skipped(_)) {
            tell(plan, *node, outcome, events);
        }
    }
    outcomes
}

fn tell(plan: &Plan, node: NodeIndex, outcome: &Outcome, events: &(dyn Fn(Event) + Send + Sync)) {
    // A staged image is half way: its step ends with the hand-over.
    if matches!(outcome, Outcome::Staged(..)) {
        return;
    }
    let step = plan.step(node);
    let (address, site) = (step.address.clone(), step.site.clone());
    events(Event::Finished { address, site, verb: step.operation.verb(), outcome: outcome.clone() });
}

async fn drive(
    mut unit: Unit,
    performer: &dyn Perform,
    meter: &Meter,
    cancel: &CancellationToken,
) -> Vec<(NodeIndex, Outcome)> {
    let mut answer = None;
    loop {
        match unit.next(answer.take()) {
            Next::Finished(outcomes) => return outcomes,
            Next::Ask(request) => {
                let interruptible =
                    matches!(request, Request::Deliver { .. } | Request::Copy { .. } | Request::Boot { .. });
                let work = performer.perform(request, Arc::clone(meter));
                answer = Some(if interruptible {
                    tokio::select! {
                        answer = work => answer,
                        () = cancel.cancelled() => Answer::Failed(Failure {
                            kind: FailureKind::Interrupted,
                            message: "interrupted".to_owned(),
                        }),
                    }
                } else {
                    work.await
                });
            }
        }
    }
}
