//! The order of work for Mermaid: flat chains from left to right. Subgraphs would fill two screens with five changes.

use std::collections::BTreeSet;

use super::{ACTIONS, Order, colours, label};
use crate::render::escape::terminal;

pub(super) fn render(order: &Order<'_>) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    let mut named = BTreeSet::new();
    let mut drawn = BTreeSet::new();
    let mut open: Vec<usize> = order.beginnings().collect();
    open.reverse();
    // Every arrow is in exactly one chain; a chain ends where all arrows of its last step are drawn.
    while let Some(beginning) = open.pop() {
        let mut step = beginning;
        let mut chain = node(order, step, &mut named);
        while let Some(after) = order.after(step).find(|after| !drawn.contains(&(step, *after))) {
            drawn.insert((step, after));
            chain = format!("{chain} --> {}", node(order, after, &mut named));
            if order.after(step).any(|other| !drawn.contains(&(step, other))) {
                open.push(step);
            }
            step = after;
        }
        lines.push(format!("  {chain}"));
    }
    for action in ACTIONS.into_iter().filter(|action| order.steps.iter().any(|step| step.action() == *action)) {
        let (fill, line) = colours(action);
        lines.push(format!("  classDef {} fill:{fill},stroke:{line},color:#000", action.name()));
    }
    format!("{}\n", lines.join("\n"))
}

/// A step: with its label where it is first named, else its name alone.
fn node(order: &Order<'_>, number: usize, named: &mut BTreeSet<usize>) -> String {
    if !named.insert(number) {
        return format!("n{number}");
    }
    let step = order.steps[number];
    format!("n{number}[\"{}<br/>{}\"]:::{}", label(step), text(&step.address), step.action().name())
}

/// For a label in quotation marks: whatever could end it or be markup becomes one of Mermaid's own entities. A backtick
/// at the beginning would make the label Markdown.
fn text(foreign: &str) -> String {
    let mut shown = String::with_capacity(foreign.len());
    for character in terminal(foreign).chars() {
        match character {
            '#' | '"' | '&' | '<' | '>' | '`' | '\\' => shown.extend(["#", &u32::from(character).to_string(), ";"]),
            _ => shown.push(character),
        }
    }
    shown
}
