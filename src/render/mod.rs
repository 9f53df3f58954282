//! Plans, turned into text.
//!
//! What this room is for: telling people and programs what a plan does, in the words and shapes they know. A plan is
//! told once, by [`compose`], into a [`Document`]; every format renders that document and nothing else, so that none
//! can say what another does not, and `show` can tell a saved plan again.
//!
//! What it refuses to know: clouds, the network, the clock, the terminal, and why a decision was made the way it was.
//! Nothing here prints; whoever asked gets a text.
//!
//! To add an output format: one file with a function from [`Document`] to a text, its line in [`Format`] and its line
//! in [`render`]. To add a reason or a hold: its sentence in `words`; the compiler asks for it.

pub mod adoption;
pub mod brief;
mod compose;
pub mod console;
pub mod diagnostics;
pub mod diff;
pub mod document;
pub mod drift;
pub mod escape;
pub mod events;
mod fields;
pub mod fold;
mod github;
mod gitlab;
pub mod graph;
mod html;
mod human;
mod json;
mod markdown;
mod page;
pub mod progress;
mod refusal;
pub mod relock;
mod rows;
mod saved;
pub mod style;
pub mod summary;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod upstream;
pub mod usage;
pub mod words;

pub use compose::{Coverage, Shown, compose};
pub use document::Document;
pub use human::{conclusion, parts};
pub use json::PLAN_SCHEMA;
pub use refusal::refusal;
pub use saved::{NotAPlan, read_saved};
pub use style::Styles;

use crate::model::image::words as keywords;

keywords!(
    /// The formats in which a plan can be told.
    Format {
        /// For people at a terminal, after Terraform's plans.
        Human = "human",
        /// The document itself, for programs; also what `--out` saves.
        Json = "json",
        /// For comments on pull requests and step summaries.
        Markdown = "markdown",
        /// One file to keep or to send.
        Html = "html",
        /// For the widget in GitLab's merge requests (`artifacts:reports:terraform`).
        Gitlab = "gitlab",
        /// Annotations for a GitHub workflow's log.
        Github = "github",
    }
);

/// How a text for people is to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Colours; plain unless asked for.
    pub styles: Styles,
    /// How much is told.
    pub verbosity: Verbosity,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// One line an operation.
    Brief,
    /// What changes.
    #[default]
    Usual,
    /// What stays as well.
    Full,
}

/// The plan in a format. Every text ends in a newline.
pub fn render(format: Format, document: &Document, manner: Manner) -> String {
    match format {
        Format::Human => human::render(document, manner),
        Format::Json => json::render(document),
        Format::Markdown => markdown::render(document),
        Format::Html => html::render(document),
        Format::Gitlab => gitlab::render(document),
        Format::Github => github::render(document),
    }
}
