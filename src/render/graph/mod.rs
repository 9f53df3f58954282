//! The order of work, as a picture: what must be done before what.
//!
//! What this room is for: drawing the operations of a [`Document`] and the order between them, for people who review a
//! plan. What it refuses to know: why the order is as it is (`planner::order` decides it) and how things are drawn on a
//! screen; a picture is a text in the language of Graphviz, of Mermaid, or SVG.
//!
//! An arrow that follows from two others is left out: where `a` comes before `b` and `b` before `c`, nobody needs to see
//! that `a` comes before `c`. So families come out as chains, left to right, one below the other.
//!
//! To add a language: one file with a function from [`Order`] to a text, its line in [`GraphFormat`] and in [`graph`].

mod dot;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use super::document::{Action, Document, ResourceChange};
use crate::model::image::words;

words!(
    /// The languages in which the order of work can be drawn.
    GraphFormat {
        /// Graphviz.
        Dot = "dot",
        /// Mermaid, which GitHub and GitLab draw in Markdown.
        Mermaid = "mermaid",
        /// A picture for browsers.
        Svg = "svg",
    }
);

/// A plan whose steps wait for each other in a circle. No plan of ours does; a file from elsewhere may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle(String);

impl fmt::Display for Circle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the order of work runs in a circle: `{}` would have to come before itself", self.0)
    }
}

impl std::error::Error for Circle {}

/// The order of work in a language.
///
/// # Errors
/// The document contradicts itself.
pub fn graph(format: GraphFormat, document: &Document) -> Result<String, Circle> {
    let order = Order::of(document)?;
    Ok(match format {
        GraphFormat::Dot => dot::render(&order),
        GraphFormat::Mermaid => mermaid::render(&order),
        GraphFormat::Svg => svg::render(&order),
    })
}

/// Operations and the arrows between them.
struct Order<'a> {
    steps: Vec<&'a ResourceChange>,
    /// The numbers of the steps, each behind those that come before it.
    sorted: Vec<usize>,
    /// This step before that one, as far as it does not follow from two other arrows.
    arrows: BTreeSet<(usize, usize)>,
}

impl<'a> Order<'a> {
    fn of(document: &'a Document) -> Result<Self, Circle> {
        let steps: Vec<&ResourceChange> = document.resource_changes.iter().collect();
        // One address may stand for two images where an earlier run was interrupted; whatever waits for it waits for both.
        let mut numbers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            numbers.entry(&step.address).or_default().push(number);
        }
        let before: Vec<BTreeSet<usize>> = steps
            .iter()
            .enumerate()
            .map(|(number, step)| {
                // A file from elsewhere may name steps that it does not have.
                let named = step.gallerist.depends_on.iter().filter_map(|address| numbers.get(address.as_str()));
                named.flatten().copied().filter(|earlier| *earlier != number).collect()
            })
            .collect();
        let arrows = before.iter().enumerate().flat_map(|(step, before)| before.iter().map(move |it| (*it, step)));
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        let nodes: Vec<_> = steps.iter().map(|_| graph.add_node(())).collect();
        graph.extend_with_edges(arrows.clone().map(|(earlier, later)| (nodes[earlier], nodes[later])));
        let sorted = toposort(&graph, None)
            .map_err(|circle| Circle(super::escape::terminal(&steps[circle.node_id().index()].address)))?;
        let follows = |(earlier, later): &(usize, usize)| before[*later].iter().any(|it| before[*it].contains(earlier));
        Ok(Self {
            arrows: arrows.filter(|arrow| !follows(arrow)).collect(),
            sorted: sorted.into_iter().map(petgraph::graph::NodeIndex::index).collect(),
            steps,
        })
    }

    /// What comes directly after a step.
    fn after(&self, step: usize) -> impl Iterator<Item = usize> + '_ {
        self.arrows.range((step, 0)..=(step, usize::MAX)).map(|(_, after)| *after)
    }

    /// Steps that have nothing before them, in order.
    fn beginnings(&self) -> impl Iterator<Item = usize> + '_ {
        let later: BTreeSet<usize> = self.arrows.iter().map(|(_, after)| *after).collect();
        (0..self.steps.len()).filter(move |step| !later.contains(step))
    }
}

/// What is done, in the words for people, without escapes for any language.
fn label(step: &ResourceChange) -> String {
    format!("{} {}", step.action().symbol(), step.action().name())
}

/// Fill, line: the colours of GitHub's own diffs, legible with black text on light and dark pages.
const fn colours(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Create => ("#dafbe1", "#1a7f37"),
        Action::Update => ("#fff8c5", "#9a6700"),
        Action::Delete => ("#ffebe9", "#cf222e"),
    }
}

const ACTIONS: [Action; 3] = [Action::Create, Action::Update, Action::Delete];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{empty, hostile_document, rotation};

    fn arrows(document: &Document) -> Vec<(usize, usize)> {
        Order::of(document).unwrap().arrows.into_iter().collect()
    }

    #[test]
    fn what_follows_from_other_arrows_is_left_out() {
        let document = rotation();
        let number =
            |address: &str| document.resource_changes.iter().position(|change| change.address == address).unwrap();
        let (deleted, replaced, created) =
            (number("ubuntu-24.04/20260807"), number("ubuntu-24.04/20261015"), number("ubuntu-24.04/20261118"));
        let dependencies = &document.resource_changes[deleted].gallerist.depends_on;
        assert_eq!(dependencies.len(), 2);
        let mut expected = vec![(created, replaced), (replaced, deleted)];
        expected.sort_unstable();
        assert_eq!(arrows(&document), expected);
        assert_eq!(arrows(&empty()), []);
    }

    #[test]
    fn a_circle_is_refused_and_a_stranger_passed_over() {
        let mut document = rotation();
        let addresses: Vec<_> = document.resource_changes.iter().map(|change| change.address.clone()).collect();
        for change in &mut document.resource_changes {
            change.gallerist.depends_on.clone_from(&addresses);
        }
        for format in GraphFormat::ALL {
            assert!(graph(*format, &document).unwrap_err().to_string().contains("runs in a circle"));
        }
        for change in &mut document.resource_changes {
            change.gallerist.depends_on = vec!["elsewhere/1".to_owned()];
        }
        assert_eq!(arrows(&document), []);
    }

    #[test]
    fn no_name_changes_the_picture() {
        for name in crate::render::escape::tests::hostile() {
            for format in GraphFormat::ALL {
                let lines = |name: &str| graph(*format, &hostile_document(name)).unwrap().lines().count();
                assert_eq!(lines(&name), lines("tame"), "{format} {name:?}");
                let text = graph(*format, &hostile_document(&name)).unwrap();
                // Within quotation marks Graphviz takes everything for text, and escapes what it writes itself.
                assert!(*format == GraphFormat::Dot || !text.contains("<script"), "{format} {name:?}");
                assert!(!text.contains(['\u{1b}', '\u{202e}']), "{format} {name:?}");
            }
        }
    }

    #[test]
    fn where_nothing_is_done_nothing_is_drawn() {
        assert_eq!(
            graph(GraphFormat::Mermaid, &empty()).unwrap(),
            "flowchart LR
"
        );
    }
}
