//! The versions of a family through time, as a picture: a bar from the publication of each to its replacement, the
//! latest up to today, what was deleted up to the day it was missed, and from the day on which the publisher had something newer, what tenants are missing.
//!
//! The bars are SVG without any text, stretched to the width there is; words stand beside them as HTML, which wraps on
//! a phone. Every shape has its words in a `title`, and the row says them all once more for those who see no pictures.

use jiff::civil::Date;

use super::report::{FamilyEntry, Report};
use crate::render::escape::html;

/// The height of a picture, and of a bar in it, in its own units; its width is 1000.
const HEIGHT: i64 = 24;
const WIDTH: i64 = 1000;

/// The days that the pictures span: the same for all, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Date,
    pub(super) to: Date,
}

impl Window {
    /// From the earliest publication to today; none where no version has a date.
    pub(super) fn of(report: &Report, today: Date) -> Option<Self> {
        let there = report.families.iter().flat_map(|family| &family.versions).filter_map(published);
        let gone =
            report.families.iter().flat_map(|family| &family.gone).filter_map(|gone| gone.built.or(gone.uploaded));
        let from = there.chain(gone).min()?;
        Some(Self { from: from.min(today.yesterday().ok()?), to: today })
    }

    fn across(self, day: Date) -> i64 {
        let whole = i64::from((self.to - self.from).get_days()).max(1);
        i64::from((day.clamp(self.from, self.to) - self.from).get_days()) * WIDTH / whole
    }

    /// The first days of months, or of quarters or years where there would be too many.
    fn ticks(self) -> Vec<Date> {
        let months = (i32::from(self.to.year()) - i32::from(self.from.year())) * 12 + i32::from(self.to.month())
            - i32::from(self.from.month());
        let step = match months {
            ..=8 => 1,
            9..=24 => 3,
            25.. => 12,
        };
        let mut day = self.from.first_of_month();
        let mut ticks = Vec::new();
        while let Ok(next) = day.checked_add(jiff::Span::new().months(1)) {
            day = next;
            if day > self.to {
                break;
            }
            if (i32::from(day.month()) - 1) % step == 0 {
                ticks.push(day);
            }
        }
        ticks
    }
}

/// The day a version was published: built, or else uploaded.
fn published(version: &super::report::VersionEntry) -> Option<Date> {
    version.built.or(version.uploaded)
}

/// The picture of one family.
pub(super) fn picture(family: &FamilyEntry, window: Window) -> String {
    let mut shapes: Vec<String> = window.ticks().into_iter().map(|day| rule(window.across(day))).collect();
    // Oldest first, so that a newer bar lies over an older one.
    for gone in family.gone.iter().rev() {
        let Some(from) = gone.built.or(gone.uploaded) else { continue };
        let replaced = gone.superseded.map_or_else(String::new, |day| format!(", replaced {day}"));
        let title = format!("{}: {from}{replaced}, deleted by {}", gone.version, gone.gone);
        shapes.push(bar("gone", window.across(from), window.across(gone.gone), &title));
    }
    for version in family.versions.iter().rev() {
        let Some(from) = published(version) else { continue };
        let latest = Some(&version.version) == family.latest.as_ref();
        let (kind, to) = if latest { ("latest", window.to) } else { ("old", version.superseded.unwrap_or(window.to)) };
        let until = if latest { "the latest".to_owned() } else { format!("replaced {to}") };
        shapes.push(bar(
            kind,
            window.across(from),
            window.across(to),
            &format!("{}: {from}, {until}", version.version),
        ));
    }
    if family.behind_days.is_some_and(|days| days > 0)
        && let (Some(newer), Some(since)) = (&family.upstream, family.upstream_built)
    {
        let title = format!("{newer}: published {since}, not on the cloud yet");
        shapes.push(bar("behind", window.across(since), window.across(window.to), &title));
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">{}</svg>",
        html(&in_words(family)),
        shapes.concat()
    )
}

/// The scale below the pictures.
pub(super) fn scale(window: Window) -> String {
    let labels: Vec<String> = window
        .ticks()
        .into_iter()
        .map(|day| {
            let format = if day.month() == 1 { "%Y" } else { "%b" };
            // A label is as wide as a few days; one at the very end would leave the page.
            let left = window.across(day) * 100 / WIDTH;
            (left, format!("<span style=\"left:{left}%\">{}</span>", day.strftime(format)))
        })
        .filter(|(left, _)| *left < 94)
        .map(|(_, label)| label)
        .collect();
    format!("<div class=\"scale\" aria-hidden=\"true\">{}</div>", labels.concat())
}

fn bar(kind: &str, from: i64, to: i64, title: &str) -> String {
    // Also a version that lived for a day is to be seen.
    let width = (to - from).max(4);
    let x = from.min(WIDTH - width);
    let (y, height) = if kind == "behind" { (HEIGHT - 6, 6) } else { (2, HEIGHT - 8) };
    let title = html(title);
    format!(
        "<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{title}</title></rect>"
    )
}

fn rule(x: i64) -> String {
    format!("<line class=\"rule\" x1=\"{x}\" y1=\"0\" x2=\"{x}\" y2=\"{HEIGHT}\"/>")
}

fn in_words(family: &FamilyEntry) -> String {
    let versions: Vec<_> = family.versions.iter().map(|version| version.version.as_str()).collect();
    let gone: Vec<_> = family.gone.iter().map(|gone| gone.version.as_str()).collect();
    let gone = if gone.is_empty() { String::new() } else { format!("; deleted: {}", gone.join(", ")) };
    format!("versions of {}, newest first: {}{gone}", family.family, versions.join(", "))
}
