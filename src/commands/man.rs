//! `man`: manual pages, one for each verb.

use anyhow::Context as _;
use clap::CommandFactory;

use super::Stop;
use crate::cli::{Cli, Man};
use crate::exit::Exit;
use crate::render::console::Console;

pub(super) fn run(options: &Man, console: &Console) -> Result<Exit, Stop> {
    std::fs::create_dir_all(&options.folder).with_context(|| format!("cannot make {}", options.folder.display()))?;
    clap_mangen::generate_to(Cli::command(), &options.folder)
        .with_context(|| format!("cannot write manual pages into {}", options.folder.display()))?;
    console.say(&format!("manual pages written into {}", options.folder.display()));
    Ok(Exit::Done)
}
