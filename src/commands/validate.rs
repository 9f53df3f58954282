//! `validate`: images.toml alone.

use super::{Stop, front};
use crate::cli::{DataFormat, Global, Validate};
use crate::exit::Exit;
use crate::render::console::Console;
use crate::render::diagnostics;

pub(super) fn run(global: &Global, options: &Validate, console: &Console) -> Result<Exit, Stop> {
    let loaded = crate::manifest::load(&global.config);
    let (exit, diagnostics) = match &loaded {
        Ok((_, warnings)) => (Exit::Done, warnings),
        Err(mistakes) => (Exit::Configuration, mistakes),
    };
    match options.format {
        DataFormat::Json => {
            let document = serde_json::json!({
                "valid": exit == Exit::Done,
                "diagnostics": diagnostics.iter().map(diagnostics::json).collect::<Vec<_>>(),
            });
            console.answer(&format!("{document:#}\n"))?;
        }
        DataFormat::Human => {
            if !diagnostics.is_empty() {
                console.complain(&front::snippets(diagnostics, console));
            }
        }
    }
    match (loaded, options.format) {
        (Ok((manifest, warnings)), DataFormat::Human) => {
            let lock = front::lock_file(&global.config, console)?;
            let locked = lock.map_or_else(String::new, |lock| format!(", {} locked versions", lock.len()));
            console.answer(&format!(
                "ok: {} images{locked}, {} warnings in {}\n",
                manifest.families.len(),
                warnings.len(),
                global.config.display()
            ))?;
        }
        (Err(mistakes), DataFormat::Human) => {
            let count = mistakes.len();
            let noun = if count == 1 { "mistake" } else { "mistakes" };
            console.complain(&format!("error: {count} {noun} in {}", global.config.display()));
        }
        (_, DataFormat::Json) => {}
    }
    Ok(exit)
}
