//! A plan on its way to people: the document, and the texts made of it.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Stop;
use super::front::{self, Front};
use crate::cli::{Global, PlanFormat, Planning};
use crate::planner::identity::plan_id;
use crate::render::console::{Console, Volume};
use crate::render::document::{Document, Live};
use crate::render::{Coverage, Format, Manner, Shown, Verbosity, compose, render};

/// The plan as a document.
pub(super) fn document(front: &Front, global: &Global, planning: &Planning) -> Document {
    let plan_id = plan_id(&front.plan);
    compose(&Shown {
        plan: &front.plan,
        plan_id: &plan_id,
        desired: &front.desired,
        config: &global.config.display().to_string(),
        sites: front.shown.clone(),
        live: Live { source: front.source, read_at: front.now, milliseconds: front.reading, managed: 0 },
        targets: planning.target.clone(),
        coverage: if planning.target.is_empty() { Coverage::Whole } else { Coverage::Partial },
        now: front.now,
    })
}

/// The document in a format, for standard output.
pub(super) fn text(document: &Document, format: PlanFormat, console: &Console) -> String {
    let styles = front::styles(console);
    let verbosity = match console.volume() {
        Volume::Quiet | Volume::Normal => Verbosity::Usual,
        Volume::Loud => Verbosity::Full,
    };
    render(format.into(), document, Manner { styles, verbosity })
}

/// Writes the further outputs of a run.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write_reports(document: &Document, reports: &[(PlanFormat, PathBuf)]) -> Result<(), Stop> {
    for (format, path) in reports {
        let text = render((*format).into(), document, Manner::default());
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

impl From<PlanFormat> for Format {
    fn from(format: PlanFormat) -> Self {
        match format {
            PlanFormat::Human => Self::Human,
            PlanFormat::Json => Self::Json,
            PlanFormat::Markdown => Self::Markdown,
            PlanFormat::Html => Self::Html,
            PlanFormat::Gitlab => Self::Gitlab,
            PlanFormat::Github => Self::Github,
        }
    }
}
