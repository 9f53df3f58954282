//! `completions`: for the shells that clap knows.

use clap::CommandFactory;

use super::Stop;
use crate::cli::{Cli, Completions};
use crate::exit::Exit;
use crate::render::console::Console;

pub(super) fn run(options: &Completions, console: &Console) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "gallerist", &mut script);
    console.answer(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
