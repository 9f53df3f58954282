//! The options of the commands that make, show, draw and apply plans.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::duration;

/// The forms of a plan on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Human,
    /// One JSON document, shaped like Terraform's.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// One page, without scripts.
    Html,
    /// The counts, as GitLab's merge request widget reads them.
    Gitlab,
    /// Annotations in the log of a GitHub workflow.
    Github,
}

/// The forms in which an apply tells what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApplyFormat {
    /// For people.
    Human,
    /// One JSON object a line, as it happens; the last one is a summary, however the run ends. Never asks.
    Events,
}

/// What a plan is made of.
#[derive(Debug, Clone, Args)]
pub struct Planning {
    /// Only families, or addresses, that match; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub target: Vec<String>,
    /// Allow up to this many deletions in one plan
    #[arg(long, value_name = "N")]
    pub allow_deletes: Option<usize>,
}

/// `plan`
#[derive(Debug, Args)]
pub struct Plan {
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PlanFormat::Human, value_name = "FORMAT")]
    pub format: PlanFormat,
    /// A further output of the same run, such as markdown=plan.md; may be repeated
    #[arg(long, value_name = "KIND=PATH", value_parser = report)]
    pub report: Vec<(PlanFormat, PathBuf)>,
    /// Save the plan: JSON, without secrets
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Plan against a cloud that `gallerist snapshot` recorded; needs no credentials
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// A saved plan: it is made again, and must be the same
    #[arg(value_name = "PLAN", conflicts_with = "target")]
    pub saved: Option<PathBuf>,
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// Do not ask. Guards stay in force
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub auto_approve: bool,
    /// Only if the plan has this id, or an id that begins so
    #[arg(long, value_name = "ID")]
    pub expect_plan: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = ApplyFormat::Human, value_name = "FORMAT")]
    pub format: ApplyFormat,
    /// How many pieces of work run at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallelism: u16,
    /// Wait this long for another apply to end
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: std::time::Duration,
    /// A further output of the same run; may be repeated
    #[arg(long, value_name = "KIND=PATH", value_parser = report)]
    pub report: Vec<(PlanFormat, PathBuf)>,
}

/// `show`
#[derive(Debug, Args)]
pub struct Show {
    /// The saved plan
    #[arg(value_name = "PLAN")]
    pub saved: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = PlanFormat::Human, value_name = "FORMAT")]
    pub format: PlanFormat,
}

/// `graph`
#[derive(Debug, Args)]
pub struct Graph {
    /// A saved plan; without it, what `plan` would show now
    #[arg(value_name = "PLAN", conflicts_with_all = ["target", "allow_deletes"])]
    pub saved: Option<PathBuf>,
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// The language of the picture
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot, value_name = "FORMAT")]
    pub format: GraphFormat,
}

/// The languages in which the order of work can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz: `gallerist graph | dot -Tpng > plan.png`.
    Dot,
    /// For Markdown on GitHub and GitLab.
    Mermaid,
    /// For browsers.
    Svg,
}

fn glob(text: &str) -> Result<String, String> {
    let pattern = crate::model::name::bounded_pattern(text)?;
    globset::Glob::new(pattern).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn report(text: &str) -> Result<(PlanFormat, PathBuf), String> {
    super::report_of(text, "markdown=plan.md")
}
