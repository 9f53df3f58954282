//! `show`: a saved plan, in any format.

use std::path::Path;

use super::{Stop, present};
use crate::cli::Show;
use crate::exit::Exit;
use crate::render::console::Console;
use crate::render::document::Document;
use crate::render::read_saved;

pub(super) fn run(options: &Show, console: &Console) -> Result<Exit, Stop> {
    let document = read(&options.saved)?;
    console.answer(&present::text(&document, options.format, console))?;
    Ok(Exit::Done)
}

/// A saved plan. It is data, and only ever shown or compared.
///
/// # Errors
/// The file cannot be read, or is no plan.
pub(super) fn read(path: &Path) -> Result<Document, Stop> {
    let wrong = |problem: String| Stop::new(Exit::Error, format!("error: {}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    read_saved(&text).map_err(|error| wrong(error.to_string()))
}
