//! What a GitHub workflow is told beside its log: annotations, the summary of the step, values for the steps after it.
//!
//! The summary needs no token, so it reaches people in pull requests from forks as well. GitHub drops a summary of more
//! than 1 MiB as a whole, so nothing is added that would make it so large.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::render::console::Console;
use crate::render::document::Document;
use crate::render::drift::{self, Report};
use crate::render::escape::markdown_block;
use crate::render::fold::Log;
use crate::render::{Format, Manner, Styles, render};

/// The largest summary of a step.
const LARGEST_SUMMARY: u64 = 1 << 20;

/// Whether the answer of the command has annotations in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Annotations {
    /// It has not: they are still to be made.
    Wanted,
    /// It has.
    Shown,
}

/// Tells of a plan.
pub(super) fn plan(document: &Document, annotations: Annotations, console: &Console) {
    if !is_github(console) {
        return;
    }
    if annotations == Annotations::Wanted {
        console.complain(render(Format::Github, document, Manner::default()).trim_end());
    }
    summarise(&render(Format::Markdown, document, Manner::default()), console);
    let summary = document.gallerist.summary;
    output(
        console,
        &[
            ("plan_id", &document.gallerist.plan_id),
            ("changes", &document.resource_changes.len()),
            ("creates", &summary.create),
            ("updates", &summary.update),
            ("deletes", &summary.delete),
            ("held", &summary.held),
            ("blocked", &document.gallerist.blocked),
        ],
    );
}

/// Tells of drift.
pub(super) fn drift(report: &Report, annotations: Annotations, console: &Console) {
    if !is_github(console) {
        return;
    }
    let told = |format| drift::render(format, report, Styles::default(), None);
    if annotations == Annotations::Wanted {
        console.complain(told(drift::Format::Github).trim_end());
    }
    summarise(&told(drift::Format::Markdown), console);
    output(
        console,
        &[("findings", &report.open().count()), ("drift", &report.has_drift()), ("complete", &report.complete)],
    );
}

/// Tells how an apply ended: the lines that end it, for people.
pub(super) fn applied(summary: &str, console: &Console) {
    if is_github(console) {
        summarise(&format!("{}\n", markdown_block("text", summary)), console);
    }
}

/// Tells the exit code, which a step that goes on after a failure has no other way to know.
pub(super) fn ended(exit: Exit, console: &Console) {
    if is_github(console) {
        output(console, &[("exitcode", &exit.code())]);
    }
}

fn is_github(console: &Console) -> bool {
    match console.log() {
        Log::Github => true,
        Log::Plain | Log::Gitlab => false,
    }
}

fn summarise(markdown: &str, console: &Console) {
    let Some(path) = named_by("GITHUB_STEP_SUMMARY") else { return };
    let there = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if there.saturating_add(markdown.len() as u64) >= LARGEST_SUMMARY {
        console.complain("warning: the summary of this step would be larger than GitHub takes; it is left out");
        return;
    }
    append(&path, &format!("{markdown}\n"), console);
}

/// Names and values are our own: numbers, flags and digests, each on one line.
fn output(console: &Console, values: &[(&str, &dyn std::fmt::Display)]) {
    let Some(path) = named_by("GITHUB_OUTPUT") else { return };
    let lines: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    append(&path, &lines.concat(), console);
}

fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// What cannot be told here is in the log all the same.
fn append(path: &Path, text: &str, console: &Console) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        console.complain(&format!("warning: cannot write {}: {error}", path.display()));
    }
}
