//! `plan`: what would change. Never changes anything: nothing here can write to a cloud.

use anyhow::Context as _;

use super::ci::{self, Annotations};
use super::{Stop, front, present, snapshot, teller};
use crate::cli::{Global, Plan, PlanFormat};
use crate::exit::Exit;
use crate::render::console::Console;
use crate::render::document::Document;
use crate::render::refusal;

pub(super) async fn run(global: &Global, options: &Plan, console: &Console) -> Result<Exit, Stop> {
    let front = if let Some(path) = &options.snapshot {
        snapshot::plan(global, &options.planning, path, console).await?
    } else {
        let mut front = front::prepare(global, &options.planning, console).await?;
        front::look_inside(&mut front).await?;
        front
    };
    let document = present::document(&front, global, &options.planning);
    if let Some(path) = &options.out {
        let text = present::text(&document, PlanFormat::Json, console);
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    present::write_reports(&document, &options.report)?;
    if options.format == PlanFormat::Human {
        teller::people(&document, console)?;
    } else {
        console.answer(&present::text(&document, options.format, console))?;
    }
    let shown = options.format == PlanFormat::Github;
    ci::plan(&document, if shown { Annotations::Shown } else { Annotations::Wanted }, console);
    let exit = detailed_exit(&document);
    if exit == Exit::Refused {
        return Err(Stop::new(exit, refusal(&document).join("\n")));
    }
    Ok(if options.detailed_exitcode { exit } else { Exit::Done })
}

/// How `plan --detailed-exitcode` ends. It looks at nothing but what is printed, so that the words and the code agree.
pub fn detailed_exit(document: &Document) -> Exit {
    match (document.gallerist.blocked, document.is_empty()) {
        (true, _) => Exit::Refused,
        (false, false) => Exit::Changes,
        (false, true) => Exit::Done,
    }
}
