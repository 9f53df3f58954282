//! The order of work for Graphviz: `gallerist graph --format dot | dot -Tsvg`.

use std::collections::BTreeSet;

use super::{Order, colours, label};
use crate::render::document::ResourceChange;
use crate::render::escape::terminal;

pub(super) fn render(order: &Order<'_>) -> String {
    let names = names(order);
    let mut lines = vec![
        "digraph plan {".to_owned(),
        "  rankdir=LR".to_owned(),
        "  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\"]".to_owned(),
    ];
    lines.extend(order.steps.iter().zip(&names).map(|(step, name)| {
        let (fill, line) = colours(step.action());
        // The backslash between the two lines is Graphviz's own; none of the address stays one.
        let label = format!("{}\\n{}", label(step), quoted(&step.address));
        format!("  {name} [label=\"{label}\", fillcolor=\"{fill}\", color=\"{line}\"]")
    }));
    lines.extend(order.arrows.iter().map(|(before, after)| format!("  {} -> {}", names[*before], names[*after])));
    lines.push("}\n".to_owned());
    lines.join("\n")
}

/// The addresses, for those who work with the graph; a number keeps apart two images of one address.
fn names(order: &Order<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let name = |(number, step): (usize, &&ResourceChange)| {
        let address = quoted(&step.address);
        if seen.insert(address.clone()) { format!("\"{address}\"") } else { format!("\"{address} #{number}\"") }
    };
    order.steps.iter().enumerate().map(name).collect()
}

fn quoted(text: &str) -> String {
    terminal(text).replace('\\', "\\\\").replace('"', "\\\"")
}
