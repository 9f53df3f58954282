//! What a plan as a whole may not do.
//!
//! The problem: every single deletion of a plan can be right and the plan still be a mistake, because a block was lost
//! in a merge. The idea: few numbers, written out in the refusal, lifted only by an explicit number at least as large
//! as what the plan does; a later and larger plan is then refused again. What this does not solve: a mistake that stays
//! below the limit. That is what review is for.

use crate::model::desired::Desired;
use crate::model::plan::{Guard, Plan, Verdict};

/// A night in which every publisher updates deletes about one version of each family; that must pass unattended.
const ALWAYS_ALLOWED: usize = 10;
const PERCENT: usize = 30;

/// The verdict of each guard.
pub(super) fn judge(desired: &Desired, plan: &Plan) -> Vec<Guard> {
    vec![nothing_configured(desired, plan), too_many_deletions(desired, plan)]
}

fn nothing_configured(desired: &Desired, plan: &Plan) -> Guard {
    let (verdict, detail) = if desired.families.is_empty() {
        (Verdict::Block, format!("images.toml names no image, which would retire all {} managed images", plan.managed))
    } else {
        (Verdict::Pass, format!("{} families configured", desired.families.len()))
    };
    Guard { id: "nothing-configured", verdict, detail, lift: None }
}

fn too_many_deletions(desired: &Desired, plan: &Plan) -> Guard {
    let deletions = plan.counts().delete;
    let usual = ALWAYS_ALLOWED.max(plan.managed * PERCENT / 100);
    let limit = desired.limits.deletions.unwrap_or(usual);
    let verdict = match (deletions <= usual, deletions <= limit) {
        (_, false) => Verdict::Block,
        (true, true) => Verdict::Pass,
        (false, true) => Verdict::Lifted,
    };
    Guard {
        id: "max-deletes",
        verdict,
        detail: format!("{deletions} of {} managed images would be deleted; the limit is {limit}", plan.managed),
        lift: (verdict == Verdict::Block).then(|| format!("--allow-deletes {deletions}")),
    }
}
