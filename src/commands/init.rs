//! `init`: a first images.toml, with a comment for everything in it, and beside it the schema by which editors complete
//! it. The file is the one that ships with gallerist.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::Stop;
use crate::cli::Global;
use crate::exit::Exit;
use crate::manifest::schema;
use crate::render::console::Console;

const FIRST: &str = include_str!("../../images.toml");
/// What its first line names, wherever it is.
const SCHEMA: &str = "images.schema.json";

pub(super) fn run(global: &Global, console: &Console) -> Result<Exit, Stop> {
    // The first line of the shipped file names the schema's place in the repository.
    let (_, contents) = FIRST.split_once('\n').unwrap_or(("", FIRST));
    write(&global.config, &format!("#:schema ./{SCHEMA}\n{contents}"))?;
    let beside = global.config.with_file_name(SCHEMA);
    write(&beside, schema::CONFIG)?;
    let (path, beside) = (global.config.display(), beside.display());
    console.answer(&format!(
        "{path}: written\n{beside}: written, for editors that complete TOML by a schema\n\n\
         Next: name your catalogue in it, then `gallerist validate` and `gallerist plan`.\n"
    ))?;
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let path = path.display();
        let message = if error.kind() == ErrorKind::AlreadyExists {
            format!("error: {path} is there already, and was left as it is")
        } else {
            format!("error: cannot write {path}: {error}")
        };
        Stop::new(Exit::Error, message)
    })
}
