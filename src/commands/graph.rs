//! `graph`: the order of work, of the present plan or of a saved one.

use super::{Stop, front, present, show};
use crate::cli::{self, Global, Graph as Options};
use crate::exit::Exit;
use crate::render::console::Console;
use crate::render::graph::{GraphFormat, graph};

pub(super) async fn run(global: &Global, options: &Options, console: &Console) -> Result<Exit, Stop> {
    let document = if let Some(saved) = &options.saved {
        show::read(saved)?
    } else {
        let front = front::prepare(global, &options.planning, console).await?;
        present::document(&front, global, &options.planning)
    };
    let format = match options.format {
        cli::GraphFormat::Dot => GraphFormat::Dot,
        cli::GraphFormat::Mermaid => GraphFormat::Mermaid,
        cli::GraphFormat::Svg => GraphFormat::Svg,
    };
    console.answer(&graph(format, &document)?)?;
    Ok(Exit::Done)
}
