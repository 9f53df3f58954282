//! The independent objector: plays a plan and plans again.
//!
//! The problem: a plan that does not settle what it says would be applied every night, for ever. The idea: before a
//! plan is shown, it is played on a copy of the observed world; planning again must find nothing to do but to delete
//! what this plan has just replaced. An objection is a mistake of the planner, and is reported as one. The objector
//! never repairs anything.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::desired::Desired;
use crate::model::observed::Observed;
use crate::model::operation::Verb;
use crate::model::plan::Plan;

/// What speaks against a plan, one sentence each; nothing, if the planner is right.
pub fn objections(desired: &Desired, observed: &Observed, plan: &Plan, now: Timestamp) -> Vec<String> {
    let mut objections = Vec::new();
    let mut operands = BTreeSet::new();
    for (_, step) in plan.steps() {
        if step.operation.before().is_some() && step.operation.before() == step.operation.after() {
            objections.push(format!("{}: an update that changes nothing", step.address));
        }
        if let Some(id) = step.operation.id()
            && !operands.insert((&step.site, id))
        {
            objections.push(format!("{}: image {id} is changed twice", step.address));
        }
    }
    let mut after = observed.clone();
    plan.play(&mut after);
    // What was true of an image's users before the plan need not be true after it; the next run asks again.
    after.sites.values_mut().for_each(|view| view.usage.clear());
    let again = super::plan(desired, &after, now);
    for (_, step) in again.steps() {
        match step.operation.verb() {
            Verb::Delete => {}
            verb @ (Verb::Create | Verb::Update) => objections.push(format!(
                "{}: the plan does not settle it, a second one would {} it again ({:?})",
                step.address,
                verb.name(),
                step.reasons
            )),
        }
    }
    objections
}
