//! A part of a plan.

use std::collections::{BTreeMap, BTreeSet};

use super::guards;
use crate::model::desired::Desired;
use crate::model::name::{Address, FamilyName, SiteName};
use crate::model::plan::{Plan, Step};
use crate::model::reason::Edge;

/// The part of a plan that concerns matching addresses. A family on a site is never torn apart: a hand-over without
/// its other half would leave two latest versions, or none. A copy takes its original along.
pub fn narrow(plan: &Plan, desired: &Desired, matches: &dyn Fn(&Address) -> bool) -> Plan {
    let place = |site: &SiteName, address: &Address| (site.clone(), address.family.clone());
    let mut wanted: BTreeSet<(SiteName, FamilyName)> = plan
        .steps()
        .map(|(_, step)| (&step.site, &step.address))
        .chain(plan.holds.iter().map(|hold| (&hold.site, &hold.address)))
        .filter(|(_, address)| matches(address))
        .map(|(site, address)| place(site, address))
        .collect();
    let is_wanted = |step: &Step| wanted.contains(&place(&step.site, &step.address));
    let originals =
        plan.edges().filter(|(_, copy, why)| *why == Edge::OriginalBeforeCopy && is_wanted(plan.step(*copy)));
    let originals: Vec<_> = originals.map(|(original, _, _)| plan.step(original)).collect();
    wanted.extend(originals.iter().map(|step| place(&step.site, &step.address)));
    let mut part = Plan::default();
    part.managed = plan.managed;
    part.notes.clone_from(&plan.notes);
    let mut nodes = BTreeMap::new();
    for (node, step) in plan.steps().filter(|(_, step)| wanted.contains(&place(&step.site, &step.address))) {
        nodes.insert(node, part.add(step.clone()));
    }
    for (before, after, why) in plan.edges() {
        if let (Some(before), Some(after)) = (nodes.get(&before), nodes.get(&after)) {
            let entered = part.order(*before, *after, why);
            debug_assert!(entered.is_ok(), "a part of an order is an order");
        }
    }
    part.holds = plan.holds.iter().filter(|hold| wanted.contains(&place(&hold.site, &hold.address))).cloned().collect();
    part.guards = guards::judge(desired, &part);
    part
}
