//! The binary: parse, run, say how it ended.

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::Parser;
use gallerist::cli::{self, Ci, Cli, Colour};
use gallerist::commands;
use gallerist::exit::Exit;
use gallerist::render::console::{Console, Input, Volume};
use gallerist::render::fold::Log;

fn main() -> ExitCode {
    if let Some(flag) = cli::meant_with_two_dashes(std::env::args_os()) {
        let console = Console::new(ColorChoice::Auto, Volume::Normal, Input::Forbidden);
        console.complain(&format!("error: long flags have two dashes: `--{flag}`, not `-{flag}`"));
        return Exit::Usage.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is wrong use. With the stream gone there is nobody to tell.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let console = console(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            console.complain(&format!("error: cannot start: {error}"));
            return Exit::Error.into();
        }
    };
    match runtime.block_on(commands::run(&cli, &console)) {
        Ok(exit) => exit.into(),
        Err(stop) => {
            if !stop.message.is_empty() {
                console.complain(&stop.message);
            }
            stop.exit.into()
        }
    }
}

fn console(cli: &Cli) -> Console {
    let choice = match cli.global.color {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    };
    let volume = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Volume::Quiet,
        (false, 0) => Volume::Normal,
        (false, 1..) => Volume::Loud,
    };
    let input = if cli.global.no_input { Input::Forbidden } else { Input::Allowed };
    Console::new(choice, volume, input).in_log_of(log(cli.global.ci))
}

fn log(ci: Ci) -> Log {
    let is_true = |name| std::env::var_os(name).is_some_and(|value| value == "true");
    match ci {
        Ci::Github => Log::Github,
        Ci::Gitlab => Log::Gitlab,
        Ci::Auto if is_true("GITHUB_ACTIONS") => Log::Github,
        Ci::Auto if is_true("GITLAB_CI") => Log::Gitlab,
        Ci::Auto | Ci::None => Log::Plain,
    }
}
