//! What must come before what, all in one place.
//!
//! The problem: a name without an image, even for a second, fails somebody's automation; a deletion too early fails it
//! for good. The idea: within a family the new version is shown, then the one it replaces loses the name, then what is
//! over goes. Families have no order among each other. What this does not solve: how small the moment is in which two
//! images bear one name; the hand-over in `apply` sends the two requests back to back.

use super::family::Settled;
use crate::model::operation::Operation;
use crate::model::passage::Route;
use crate::model::plan::Plan;
use crate::model::reason::Edge;

/// Puts the steps of a family on a site into the plan, in order.
pub(super) fn enter(settled: Settled, plan: &mut Plan) {
    let latest = settled.latest.map(|step| plan.add(step));
    let mut replaced: Vec<_> = settled.replaced.into_iter().map(|step| plan.add(step)).collect();
    for step in settled.upkeep {
        // Somebody may have given an older version the public name by hand; then it gives way like any other.
        let bears_the_name = latest.is_some_and(|latest| {
            plan.step(latest).operation.after().map(|after| &after.name)
                == step.operation.before().map(|before| &before.name)
        });
        let node = plan.add(step);
        if bears_the_name {
            replaced.push(node);
        }
    }
    let ended: Vec<_> = settled.ended.into_iter().map(|step| plan.add(step)).collect();
    let mut edges = Vec::new();
    if let Some(latest) = latest {
        edges.extend(replaced.iter().map(|replaced| (latest, *replaced, Edge::HandOver)));
    }
    for first in latest.iter().chain(&replaced) {
        edges.extend(ended.iter().map(|ended| (*first, *ended, Edge::LatestBeforeDeletion)));
    }
    for (before, after, why) in edges {
        // The three groups are ordered among each other and no edge runs within one, so there is no way to a circle.
        let entered = plan.order(before, after, why);
        debug_assert!(entered.is_ok(), "latest, replaced, ended is an order");
    }
}

/// Puts every copy behind its original, where the plan creates that too.
pub(super) fn copies(plan: &mut Plan) {
    let mut edges = Vec::new();
    for (copy, step) in plan.steps() {
        let Operation::Create(create) = &step.operation else { continue };
        let Route::Copy(original) = &create.passage.route else { continue };
        if original.image.is_none() {
            let source = plan.steps().find(|(_, other)| {
                other.site == original.site
                    && matches!(&other.operation, Operation::Create(other)
                        if other.family == create.family && other.version.name == create.version.name)
            });
            edges.extend(source.map(|(source, _)| (source, copy)));
        }
    }
    for (original, copy) in edges {
        let entered = plan.order(original, copy, Edge::OriginalBeforeCopy);
        debug_assert!(entered.is_ok(), "an original is no copy, so there is no way to a circle");
    }
}
