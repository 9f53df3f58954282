//! Reports of drift, turned into text.
//!
//! As with plans, what was found is told once, by [`compose`], into a [`Report`]; every format renders that report and
//! nothing else, and the JSON of one run is the baseline of the next. The words for classes and fixes are in `words`.
//!
//! To add an output format: one file with a function from [`Report`] to a text, its line in [`Format`] and its line in
//! [`render`].

mod codequality;
mod compose;
mod github;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod prometheus;
mod report;
mod saved;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

pub use compose::{Told, compose};
pub use human::conclusion;
pub use json::DRIFT_SCHEMA;
pub use report::{Problem, Report};
pub use saved::{NotAReport, read_baseline};

use super::Styles;
use crate::model::image::words as keywords;

keywords!(
    /// The formats in which drift can be told.
    Format {
        /// For people at a terminal.
        Human = "human",
        /// The report itself, for programs and as a baseline.
        Json = "json",
        /// For an issue, a comment or a step summary.
        Markdown = "markdown",
        /// One page, with a picture of every family through time.
        Html = "html",
        /// For node_exporter's textfile collector.
        Prometheus = "prometheus",
        /// For test reports.
        Junit = "junit",
        /// For GitLab's code quality widget.
        Codequality = "codequality",
        /// Annotations for a GitHub workflow's log.
        Github = "github",
    }
);

/// The report in a format. `before` is what the file held that this text is to replace, of which Prometheus keeps when
/// a check last succeeded. Every text ends in a newline.
pub fn render(format: Format, report: &Report, styles: Styles, before: Option<&str>) -> String {
    match format {
        Format::Human => human::render(report, styles),
        Format::Json => json::render(report),
        Format::Markdown => markdown::render(report),
        Format::Html => html::render(report),
        Format::Prometheus => prometheus::render(report, before),
        Format::Junit => junit::render(report),
        Format::Codequality => codequality::render(report),
        Format::Github => github::render(report),
    }
}
