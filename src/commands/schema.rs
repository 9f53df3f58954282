//! `schema`: the JSON Schema of a document.

use super::Stop;
use crate::cli::{Schema, SchemaKind};
use crate::exit::Exit;
use crate::manifest::schema;
use crate::render::PLAN_SCHEMA;
use crate::render::console::Console;
use crate::render::drift::DRIFT_SCHEMA;
use crate::render::events::EVENTS_SCHEMA;

pub(super) fn run(options: &Schema, console: &Console) -> Result<Exit, Stop> {
    let schema = match options.kind {
        SchemaKind::Config => schema::CONFIG,
        SchemaKind::Lock => schema::LOCK,
        SchemaKind::Plan => PLAN_SCHEMA,
        SchemaKind::Drift => DRIFT_SCHEMA,
        SchemaKind::Events => EVENTS_SCHEMA,
    };
    console.answer(schema)?;
    Ok(Exit::Done)
}
