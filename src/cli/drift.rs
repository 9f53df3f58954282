//! The options of `drift`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::drift::Class;
use crate::model::lifecycle::Age;

/// What the classes of findings mean, as `drift --help` prints it.
const DRIFT_HELP: &str = "Classes:
  changed    somebody changed an image since it was last applied
  missing    what tenants should find is gone, or cannot be used; an old version that is gone only where --baseline
             had it, and where apply cannot have deleted it: not due yet, or still in use
  duplicate  several public images bear one public name
  pending    images.toml asks for something that was not applied yet
  outdated   the publisher has a newer version than tenants get
  stale      the version that tenants get is older than --max-age
  unmanaged  a public image that no catalogue knows
  broken     what is published is no longer what is on record

Exit codes:
  0  none of the classes in --fail-on was found
  1  something could not be read: the report says what, and of that nothing is known
  2  there is drift of a class in --fail-on
 78  images.toml, or the file of --accept, is not valid";

/// The forms of a report of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriftFormat {
    /// For people.
    Human,
    /// One JSON document; also the baseline of a later run.
    Json,
    /// For an issue, a comment or a step summary.
    Markdown,
    /// One page, without scripts.
    Html,
    /// Metrics for node_exporter's textfile collector.
    Prometheus,
    /// A test report.
    Junit,
    /// For GitLab's code quality widget.
    Codequality,
    /// Annotations in the log of a GitHub workflow.
    Github,
}

/// `drift`
#[derive(Debug, Args)]
#[command(after_long_help = DRIFT_HELP)]
pub struct Drift {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = DriftFormat::Human, value_name = "FORMAT")]
    pub format: DriftFormat,
    /// A further output of the same run, such as prometheus=images.prom; may be repeated
    #[arg(long, value_name = "KIND=PATH", value_parser = drift_report)]
    pub report: Vec<(DriftFormat, PathBuf)>,
    /// The classes that make it exit with 2, separated by commas; `none` for no class
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',', value_parser = class,
        default_value = "changed,missing,duplicate")]
    pub fail_on: Vec<Option<Class>>,
    /// Findings that may be so: TOML with [[accept]] address, class, reason, until
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// An earlier report in JSON: tells what is new, known and resolved
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// How old the latest version of a family may be: 60d, 2 months
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub max_age: Option<Age>,
    /// Exit with 0 whatever is found; what cannot be read is still an error
    #[arg(long)]
    pub exit_zero: bool,
}

fn age(text: &str) -> Result<Age, String> {
    let span = text.parse::<jiff::Span>().ok();
    span.and_then(Age::from_span).ok_or_else(|| format!("`{text}` is no age in days or more; write 60d, 8w or 1y"))
}

fn class(text: &str) -> Result<Option<Class>, String> {
    if text == "none" {
        return Ok(None);
    }
    let words: Vec<_> = Class::ALL.iter().map(|class| class.name()).collect();
    Class::from_name(text).map(Some).ok_or_else(|| format!("`{text}` is no class; one of: {}", words.join(", ")))
}

fn drift_report(text: &str) -> Result<(DriftFormat, PathBuf), String> {
    super::report_of(text, "prometheus=images.prom")
}
