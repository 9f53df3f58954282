//! `validate`: images.toml, and images.lock.toml beside it. No network.

use super::{Stop, front};
use crate::cli::{DataFormat, Global, Validate};
use crate::exit::Exit;
use crate::manifest::Diagnostic;
use crate::manifest::codes::Severity;
use crate::render::console::Console;
use crate::render::diagnostics;
use crate::render::words::count;

pub(super) fn run(global: &Global, options: &Validate, console: &Console) -> Result<Exit, Stop> {
    let (sentence, diagnostics) = look(global);
    let mistakes = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error).count();
    let path = global.config.display();
    match options.format {
        DataFormat::Json => {
            let document = serde_json::json!({
                "valid": mistakes == 0,
                "diagnostics": diagnostics.iter().map(diagnostics::json).collect::<Vec<_>>(),
            });
            console.answer(&crate::render::escape::json(&format!("{document:#}\n")))?;
        }
        DataFormat::Human => {
            if !diagnostics.is_empty() {
                console.complain(&front::snippets(&diagnostics, console));
            }
            if mistakes == 0 {
                console.answer(&format!("ok: {sentence}, {} in {path}\n", count(diagnostics.len(), "warning")))?;
            } else {
                console.complain(&format!("error: {} in {path}", count(mistakes, "mistake")));
            }
        }
    }
    Ok(if mistakes == 0 { Exit::Done } else { Exit::Configuration })
}

/// What there is, in a few words, and everything that is wrong or odd with it.
fn look(global: &Global) -> (String, Vec<Diagnostic>) {
    let (manifest, mut diagnostics) = match crate::manifest::load(&global.config) {
        Ok(loaded) => loaded,
        Err(mistakes) => return (String::new(), mistakes),
    };
    let mut sentence = count(manifest.families.len(), "image");
    match front::read_lock(&global.config) {
        Ok(None) => {}
        Ok(Some(lock)) => {
            sentence = format!("{sentence}, {}", count(lock.len(), "locked version"));
            diagnostics.extend(front::misfits(&manifest, &lock, &global.config));
        }
        Err(mistakes) => diagnostics.extend(mistakes),
    }
    (sentence, diagnostics)
}
