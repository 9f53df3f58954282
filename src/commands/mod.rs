//! One verb a file; wiring only.
//!
//! A command reads its arguments, calls the rooms that do the work, and says how it ended. To add one: a file here, a
//! variant in `cli.rs` and its line in [`run`].

mod adopt;
mod apply;
mod ci;
mod completions;
mod demo;
mod drift;
mod explain;
mod files;
mod front;
mod graph;
mod init;
mod lock;
mod locks;
mod man;
mod outcome;
mod plan;
mod present;
mod sandbox;
mod schema;
mod show;
mod signals;
mod snapshot;
mod teller;
mod twin;
mod unlock;
mod upstream;
mod usage;
mod validate;

pub use plan::detailed_exit;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::render::console::Console;

/// Why a command ended early.
#[derive(Debug)]
pub struct Stop {
    /// The exit code.
    pub exit: Exit,
    /// What to tell people, whole lines.
    pub message: String,
}

impl Stop {
    /// A stop with a message of its own form.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::new(Exit::Error, format!("error: {:#}", error.into()))
    }
}

/// Runs a command to its end.
///
/// # Errors
/// It ended early; the exit code and the message are in the [`Stop`].
pub async fn run(cli: &Cli, console: &Console) -> Result<Exit, Stop> {
    let work = async {
        match &cli.command {
            Command::Demo(_) => demo::run(&cli.global, console).await,
            Command::Init(_) => init::run(&cli.global, console),
            Command::Validate(options) => validate::run(&cli.global, options, console),
            Command::Plan(options) => plan::run(&cli.global, options, console).await,
            Command::Apply(options) => apply::run(&cli.global, options, console).await,
            Command::Adopt(options) => adopt::run(&cli.global, options, console).await,
            Command::Drift(options) => drift::run(&cli.global, options, console).await,
            Command::Show(options) => show::run(options, console),
            Command::Graph(options) => graph::run(&cli.global, options, console).await,
            Command::Lock(options) => lock::run(&cli.global, options, console).await,
            Command::Snapshot(options) => snapshot::run(&cli.global, options, console).await,
            Command::Usage(options) => usage::run(&cli.global, options, console).await,
            Command::Upstream(options) => upstream::run(&cli.global, options, console).await,
            Command::Sandbox(options) => sandbox::run(options, console).await,
            Command::Unlock(options) => unlock::run(&cli.global, options, console).await,
            Command::Explain(options) => explain::run(options, console),
            Command::Schema(options) => schema::run(options, console),
            Command::Completions(options) => completions::run(options, console),
            Command::Man(options) => man::run(options, console),
        }
    };
    let ended = match (cli.global.timeout, &cli.command) {
        // `apply` keeps to the limit itself: it has a lock to give back, and work to bring to a safe point.
        (None, _) | (Some(_), Command::Apply(_)) => work.await,
        (Some(limit), _) => tokio::time::timeout(limit, work)
            .await
            .unwrap_or_else(|_| Err(Stop::new(Exit::Error, format!("error: not done within {limit:?} (--timeout)")))),
    };
    ci::ended(ended.as_ref().map_or_else(|stop| stop.exit, |exit| *exit), console);
    ended
}
