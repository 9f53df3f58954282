//! How an apply ended, in words: what was done, what failed, what was not begun. The failed run needs it most.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use petgraph::graph::NodeIndex;

use super::escape::terminal;
use crate::apply::machine::Outcome;
use crate::model::operation::Verb;
use crate::model::plan::{Counts, Plan, Step};

/// The report on an apply; ends in a newline.
pub fn report(plan: &Plan, outcomes: &BTreeMap<NodeIndex, Outcome>, elapsed: Duration) -> String {
    let mut done = Counts::default();
    let mut lines: Vec<(&str, String)> = Vec::new();
    let mut good = Vec::new();
    for (node, step) in plan.steps() {
        match outcomes.get(&node) {
            Some(Outcome::Done(_) | Outcome::Staged(..)) => {
                good.push(step.address.to_string());
                count(&mut done, step);
            }
            Some(Outcome::Failed(failure)) => lines.push(("failed", told(step, &failure.message))),
            Some(Outcome::Stale(why)) => lines.push(("left", told(step, why))),
            Some(Outcome::Kept(users, why)) => {
                let users: Vec<_> = users.iter().map(|user| format!("{} {}", user.kind.name(), user.id)).collect();
                let who = if users.is_empty() { String::new() } else { format!(": {}", users.join(", ")) };
                lines.push(("kept", told(step, &format!("{why}{who}"))));
            }
            Some(Outcome::Skipped(why)) => lines.push(("waiting", told(step, why))),
            None => lines.push(("unknown", told(step, "it ended without a word"))),
        }
    }
    let all = plan.counts().total();
    let time = format!("{}m {:02}s", elapsed.as_secs() / 60, elapsed.as_secs() % 60);
    let Counts { create, update, delete } = done;
    if lines.is_empty() {
        return format!("\nApply complete! {create} added, {update} changed, {delete} destroyed. {time}\n");
    }
    let mut text = format!("\nApply incomplete: {} of {all} done. {time}\n", good.len());
    if !good.is_empty() {
        let _ = writeln!(text, "  {:8} {}", "done", good.join(", "));
    }
    lines.sort_by_key(|(word, _)| {
        ["failed", "left", "kept", "unknown", "waiting"].iter().position(|other| other == word)
    });
    for (word, line) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {word:8} {line}");
    }
    text.push_str("Run `gallerist apply` again: what is done is not done twice.\n");
    text
}

fn told(step: &Step, why: &str) -> String {
    format!("{}: {}", step.address, terminal(why))
}

fn count(counts: &mut Counts, step: &Step) {
    match step.operation.verb() {
        Verb::Create => counts.create += 1,
        Verb::Update => counts.update += 1,
        Verb::Delete => counts.delete += 1,
    }
}
