//! The command line: types whose doc comments are the help, and what is read into them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

mod adopt;
mod drift;
mod plan;
mod rehearsal;

pub use adopt::Adopt;
pub use drift::{Drift, DriftFormat};
pub use plan::{Apply, ApplyFormat, Graph, GraphFormat, Plan, PlanFormat, Planning, Show};
pub use rehearsal::{Sandbox, Snapshot};

/// The exit codes, as `--help` prints them.
const EXIT_CODES: &str = "Exit codes:
  0  done, or nothing to do         5  apply ended half way
  1  error, nothing was changed     6  another apply holds the lock
  2  there are changes, or drift    7  not approved, or nobody to ask
  3  a guard refused               64  wrong use of the command line
  4  the plan is stale             78  images.toml is not valid

Environment: OS_CLOUD and the other OS_* variables, OS_CLIENT_CONFIG_FILE, NO_COLOR, CLICOLOR, CLICOLOR_FORCE";

/// Curates an OpenStack cloud's public images: a file says what the catalogue should be, `plan` shows what would
/// change, `apply` changes it.
#[derive(Debug, Parser)]
#[command(name = "gallerist", version, after_long_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The file that says what the catalogue should be
    #[arg(short, long, global = true, value_name = "FILE", default_value = "images.toml", env = "GALLERIST_CONFIG")]
    pub config: PathBuf,
    /// The entry of clouds.yaml to work on; where images.toml lists clouds, one of these
    #[arg(long, global = true, value_name = "NAME")]
    pub os_cloud: Option<String>,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but errors beside the answer
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Whose log the output ends in: folds, annotations, a summary of the step
    #[arg(long, global = true, value_enum, default_value_t = Ci::Auto, value_name = "PLATFORM")]
    pub ci: Ci,
    /// Never ask; also in force where standard input is no terminal
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Give up after this long: 30s, 10m, 2h
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<std::time::Duration>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whose log the output ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// As GITHUB_ACTIONS and GITLAB_CI say.
    Auto,
    /// A GitHub workflow: annotations, groups, the summary and the outputs of the step.
    Github,
    /// A GitLab job: sections that fold, and colours.
    Gitlab,
    /// Nobody's; also for output that is piped into something else.
    None,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Plan and apply a whole catalogue on the embedded cloud; needs no network and no credentials
    Demo(Demo),
    /// Write a first images.toml; never overwrites one
    Init(Init),
    /// Check images.toml and its lock file; needs no network
    Validate(Validate),
    /// Show what would change
    Plan(Plan),
    /// Plan, show, ask, do
    Apply(Apply),
    /// Show where the cloud differs from what was applied, and what is behind upstream; never changes anything
    Drift(Drift),
    /// Show a saved plan
    Show(Show),
    /// Draw the order of work of a plan
    Graph(Graph),
    /// Look upstream and pin versions in images.lock.toml
    Lock(Lock),
    /// Show the newest version of each family against the latest on the cloud
    Upstream(Upstream),
    /// Take over images that are there already
    Adopt(Adopt),
    /// Show who still uses which version
    Usage(Usage),
    /// Record what a plan would read, for `plan --snapshot`
    Snapshot(Snapshot),
    /// Serve the embedded cloud on loopback
    Sandbox(Sandbox),
    /// Remove a lock that a dead run left
    Unlock(Unlock),
    /// Explain an error code
    Explain(Explain),
    /// Print a JSON Schema
    Schema(Schema),
    /// Print completions for a shell
    Completions(Completions),
    /// Write manual pages into a folder
    Man(Man),
}

/// The forms of other answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// `demo`
#[derive(Debug, Args)]
pub struct Demo {}

/// `init`
#[derive(Debug, Args)]
pub struct Init {}

/// `validate`
#[derive(Debug, Args)]
pub struct Validate {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = DataFormat::Human, value_name = "FORMAT")]
    pub format: DataFormat,
}

/// `upstream`
#[derive(Debug, Args)]
pub struct Upstream {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = DataFormat::Human, value_name = "FORMAT")]
    pub format: DataFormat,
    /// Ask the publishers alone; needs no credentials
    #[arg(long)]
    pub no_cloud: bool,
}

/// `lock`
#[derive(Debug, Args)]
#[command(after_help = "A job that proposes updates: gallerist lock && git commit -m 'New images' images.lock.toml")]
pub struct Lock {
    /// Look up these families only; the others keep what they have
    #[arg(value_name = "FAMILY")]
    pub families: Vec<String>,
}

/// `usage`
#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 where not all users could be found out.")]
pub struct Usage {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = UsageFormat::Human, value_name = "FORMAT")]
    pub format: UsageFormat,
}

/// The forms of a usage report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UsageFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// For a spreadsheet.
    Csv,
}

/// `unlock`
#[derive(Debug, Args)]
pub struct Unlock {
    /// The id of the lock, as the refused apply printed it
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// The code, such as E0102
    #[arg(value_name = "CODE")]
    pub code: String,
}

/// `schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    #[arg(value_enum, value_name = "KIND")]
    pub kind: SchemaKind,
}

/// The documents that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// images.toml, for editors.
    Config,
    /// images.lock.toml.
    Lock,
    /// A plan.
    Plan,
    /// A report of drift.
    Drift,
    /// The events of an apply.
    Events,
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct Man {
    /// The folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// The long flag that somebody has written with one dash, as Terraform does. Asked before anything is parsed, for
/// `-out=plan.json` would pass as `-o ut=plan.json`.
pub fn meant_with_two_dashes(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut cli = Cli::command();
    cli.build();
    let is_flag = |name: &str| {
        let commands = std::iter::once(&cli).chain(cli.get_subcommands());
        let mut flags = commands.flat_map(clap::Command::get_arguments);
        flags.any(|flag| flag.get_long_and_visible_aliases().is_some_and(|names| names.contains(&name)))
    };
    let words = arguments.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    words.take_while(|word| word != "--").find_map(|word| {
        let name = word.strip_prefix('-')?.split('=').next()?;
        (name.len() > 1 && is_flag(name)).then(|| name.to_owned())
    })
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration; write 30s, 10m or 2h"))?;
    std::time::Duration::try_from(span).map_err(|_| format!("`{text}` is negative"))
}

fn report_of<F: ValueEnum>(text: &str, example: &str) -> Result<(F, PathBuf), String> {
    let (kind, path) = text.split_once('=').ok_or_else(|| format!("write KIND=PATH, such as {example}"))?;
    let format = F::from_str(kind, false).map_err(|_| {
        let kinds: Vec<_> = F::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let kinds: Vec<_> = kinds.iter().map(clap::builder::PossibleValue::get_name).collect();
        format!("`{kind}` is no kind of report; one of: {}", kinds.join(", "))
    })?;
    match path {
        "" | "-" => Err("a report goes to a file; standard output has --format".to_owned()),
        path => Ok((format, PathBuf::from(path))),
    }
}
