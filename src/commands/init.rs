//! `init`: a first images.toml, with a comment for everything in it. It is the one that ships with gallerist.

use std::io::{ErrorKind, Write as _};

use super::Stop;
use crate::cli::Global;
use crate::exit::Exit;
use crate::render::console::Console;

const FIRST: &str = include_str!("../../images.toml");

pub(super) fn run(global: &Global, console: &Console) -> Result<Exit, Stop> {
    let path = global.config.display();
    let written = std::fs::File::create_new(&global.config).and_then(|mut file| file.write_all(FIRST.as_bytes()));
    match written {
        Ok(()) => {
            console.answer(&format!(
                "{path}: written\n\nNext: name your catalogue in it, then `gallerist validate` and `gallerist plan`.\n"
            ))?;
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Stop::new(Exit::Error, format!("error: {path} is there already, and was left as it is")))
        }
        Err(error) => Err(Stop::new(Exit::Error, format!("error: cannot write {path}: {error}"))),
    }
}
