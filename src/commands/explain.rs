//! `explain`: the long text of an error code.

use super::Stop;
use crate::cli::Explain;
use crate::exit::Exit;
use crate::manifest::codes::Code;
use crate::render::console::Console;

pub(super) fn run(options: &Explain, console: &Console) -> Result<Exit, Stop> {
    let name = options.code.to_ascii_uppercase();
    match Code::from_name(&name) {
        Some(code) => {
            console.answer(&format!("{}\n", code.explanation().trim_end()))?;
            Ok(Exit::Done)
        }
        None => Err(Stop::new(Exit::Usage, format!("error: there is no error code `{}`", options.code.escape_debug()))),
    }
}
