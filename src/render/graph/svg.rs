//! The order of work as a picture: boxes in columns, what comes later further to the right. No scripts, no fonts to
//! load, nothing that leads elsewhere.
//!
//! Steps that hang together are one block; blocks stand below each other. Within a block a step stands one column to
//! the right of the last step it waits for.

use std::collections::BTreeMap;

use petgraph::unionfind::UnionFind;

use super::{Order, colours, label};
use crate::render::escape::html;

const HEIGHT: usize = 44;
const ROW: usize = 60;
const GAP: usize = 48;
const MARGIN: usize = 16;
/// Width of a character of a monospaced font of 13 pixels, rounded up.
const CHARACTER: usize = 8;
/// Addresses are shown to this length; the whole one is in the box's title.
const LONGEST: usize = 60;

/// Where a step stands.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    row: usize,
}

pub(super) fn render(order: &Order<'_>) -> String {
    let places = places(order);
    let longest = order.steps.iter().map(|step| step.address.chars().count().min(LONGEST)).max().unwrap_or_default();
    let width = longest.max(12) * CHARACTER + 24;
    let columns = places.iter().map(|place| place.column + 1).max().unwrap_or_default();
    let rows = places.iter().map(|place| place.row + 1).max().unwrap_or_default();
    let left = |place: &Place| MARGIN + place.column * (width + GAP);
    let top = |place: &Place| MARGIN + place.row * ROW;
    let (whole_width, whole_height) = (MARGIN + columns * (width + GAP), 2 * MARGIN + rows * ROW);
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole_width}\" height=\"{whole_height}\" \
             viewBox=\"0 0 {whole_width} {whole_height}\" font-family=\"monospace\" font-size=\"13\" role=\"img\">"
        ),
        "<title>Order of work</title>".to_owned(),
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#57606a\"/></marker></defs>"
            .to_owned(),
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>".to_owned(),
    ];
    for (before, after) in &order.arrows {
        let (from, to) = (&places[*before], &places[*after]);
        let (x, y) = (left(from) + width, top(from) + HEIGHT / 2);
        let (end_x, end_y) = (left(to), top(to) + HEIGHT / 2);
        let (near, far) = (x + GAP / 2, end_x.saturating_sub(GAP / 2));
        lines.push(format!(
            "<path d=\"M{x} {y}C{near} {y} {far} {end_y} {end_x} {end_y}\" fill=\"none\" stroke=\"#57606a\" \
             marker-end=\"url(#tip)\"/>"
        ));
    }
    for (step, place) in order.steps.iter().zip(&places) {
        let (fill, line) = colours(step.action());
        let (x, y) = (left(place), top(place));
        let shown = match step.address.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &step.address[..end]),
            None => step.address.clone(),
        };
        lines.push(format!(
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"6\" \
             fill=\"{fill}\" stroke=\"{line}\"/><text x=\"{}\" y=\"{}\" fill=\"{line}\">{}</text><text x=\"{}\" \
             y=\"{}\">{}</text></g>",
            html(&step.address),
            x + 12,
            y + 18,
            html(&label(step)),
            x + 12,
            y + 35,
            html(&shown),
        ));
    }
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

/// A place for each step.
fn places(order: &Order<'_>) -> Vec<Place> {
    let count = order.steps.len();
    let mut columns = vec![0; count];
    for step in &order.sorted {
        for after in order.after(*step) {
            columns[after] = columns[after].max(columns[*step] + 1);
        }
    }
    let mut blocks = UnionFind::new(count);
    for (earlier, later) in &order.arrows {
        blocks.union(*earlier, *later);
    }
    // In each block every column has its own rows, so the block is as high as its fullest column.
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (step, block) in blocks.into_labeling().into_iter().enumerate() {
        members.entry(block).or_default().push(step);
    }
    let mut places = vec![Place { column: 0, row: 0 }; count];
    let mut top = 0;
    for steps in members.values() {
        let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
        for step in steps {
            let row = filled.entry(columns[*step]).or_default();
            places[*step] = Place { column: columns[*step], row: top + *row };
            *row += 1;
        }
        top += filled.values().max().copied().unwrap_or_default();
    }
    places
}
