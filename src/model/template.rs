//! Name templates: `{name} - {uploaded:%Y-%m-%d}`.
//!
//! The problem: the name of a version depends on dates that may only be set by this very run, yet a plan reviewed on
//! Monday must be the same plan on Tuesday. The idea: a template is rendered from [`Facts`] whose dates know whether
//! they are recorded or will be set by this run; [`Facts::without_run_dates`] gives the form that enters the plan's id.
//! What this does not solve: whether the name is free. The planner does that.

use std::fmt;

use jiff::civil::Date;

use super::name::{FamilyName, VersionName};

mod reading;

pub use reading::Reading;

/// What a template may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The family's public title, without any suffix.
    Name,
    /// The family's own name.
    Family,
    /// The version.
    Version,
    /// Date of the first upload of the version, anywhere.
    Uploaded,
    /// Date on which a newer version took over.
    Superseded,
    /// Date on which the publisher built it.
    Built,
    /// 1 for the newest superseded version, 2 for the one before, and so on.
    Rank,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Family, Self::Version, Self::Uploaded, Self::Superseded, Self::Built, Self::Rank];

    /// The word between the braces.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Family => "family",
            Self::Version => "version",
            Self::Uploaded => "uploaded",
            Self::Superseded => "superseded",
            Self::Built => "built",
            Self::Rank => "n",
        }
    }

    /// Whether it is a date, and so takes a format.
    pub const fn is_date(self) -> bool {
        match self {
            Self::Uploaded | Self::Superseded | Self::Built => true,
            Self::Name | Self::Family | Self::Version | Self::Rank => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Variable, Option<String>),
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// A template with a mistake in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTemplate {
    /// Byte offset of the mistake within the template.
    pub offset: usize,
    /// How many bytes of it are wrong.
    pub length: usize,
    /// What is wrong.
    pub problem: String,
    /// The variable that was perhaps meant.
    pub near: Option<&'static str>,
}

impl fmt::Display for InvalidTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem)
    }
}

impl std::error::Error for InvalidTemplate {}

/// A date, and whether it is already on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Recorded by an earlier run, or published.
    Recorded(Date),
    /// Will be set by this run, to this day.
    ThisRun(Date),
    /// A date of this run whose day does not matter: what enters a plan's id.
    AnyRun,
    /// Not known; renders as `unknown`.
    Unknown,
}

impl Moment {
    /// The moment without what only depends on the day of the run.
    #[must_use]
    pub const fn without_run_date(self) -> Self {
        match self {
            Self::ThisRun(_) | Self::AnyRun => Self::AnyRun,
            Self::Recorded(date) => Self::Recorded(date),
            Self::Unknown => Self::Unknown,
        }
    }

    /// The day as it stands in a tag.
    pub fn text(self) -> String {
        self.formatted("%Y-%m-%d")
    }

    fn formatted(self, format: &str) -> String {
        match self {
            Self::Recorded(date) | Self::ThisRun(date) => date.strftime(format).to_string(),
            Self::AnyRun => "(date of the run)".to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// What a template is rendered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The family's public title; absent for a family that has left the file and whose title cannot be told.
    pub name: Option<String>,
    /// The family.
    pub family: FamilyName,
    /// The version.
    pub version: VersionName,
    /// First upload.
    pub uploaded: Moment,
    /// When a newer version took over.
    pub superseded: Moment,
    /// When the publisher built it.
    pub built: Moment,
    /// Rank among the superseded versions, from 1.
    pub rank: usize,
}

impl Facts {
    /// The same facts, with every date that this run sets replaced by a placeholder.
    #[must_use]
    pub fn without_run_dates(&self) -> Self {
        Self {
            uploaded: self.uploaded.without_run_date(),
            superseded: self.superseded.without_run_date(),
            built: self.built.without_run_date(),
            ..self.clone()
        }
    }
}

impl Template {
    /// Parses a template. `{{` and `}}` stand for the braces themselves.
    ///
    /// # Errors
    /// An unknown variable, a format where none is possible or that strftime does not know, or an unclosed brace.
    pub fn parse(source: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(next) = rest.chars().next() {
            let offset = source.len() - rest.len();
            if rest.starts_with("{{") || rest.starts_with("}}") {
                text.push(next);
                rest = &rest[2..];
            } else if next == '{' {
                let Some(end) = rest.find('}') else {
                    return Err(mistake(offset, rest.len(), "this `{` is not closed"));
                };
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(parse_variable(&rest[1..end], offset + 1)?);
                rest = &rest[end + 1..];
            } else if next == '}' {
                return Err(mistake(offset, 1, "this `}` closes nothing; write `}}` for the brace itself"));
            } else {
                text.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the template names this variable.
    pub fn uses(&self, variable: Variable) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Value(used, _) if *used == variable))
    }

    /// The name made of these facts; `None` where the template wants the title and nobody knows it.
    pub fn render(&self, facts: &Facts) -> Option<String> {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Value(variable, format) => name.push_str(&value(*variable, format.as_deref(), facts)?),
            }
        }
        Some(name)
    }

    /// The title that must have been rendered into `name`, given all other facts: how a family that has left the file
    /// is still called by its own title.
    pub fn title_in(&self, name: &str, facts: &Facts) -> Option<String> {
        // A character that no image name can hold, so that it splits exactly where the title stood.
        const MARK: &str = "\u{0}";
        let rendered = self.render(&Facts { name: Some(MARK.to_owned()), ..facts.clone() })?;
        let (before, after) = rendered.split_once(MARK)?;
        if after.contains(MARK) {
            return None;
        }
        let title = name.strip_prefix(before)?.strip_suffix(after)?;
        (!title.is_empty()).then(|| title.to_owned())
    }
}

fn value(variable: Variable, format: Option<&str>, facts: &Facts) -> Option<String> {
    let date = |moment: Moment| moment.formatted(format.unwrap_or("%Y-%m-%d"));
    Some(match variable {
        Variable::Name => facts.name.clone()?,
        Variable::Family => facts.family.to_string(),
        Variable::Version => facts.version.to_string(),
        Variable::Uploaded => date(facts.uploaded),
        Variable::Superseded => date(facts.superseded),
        Variable::Built => date(facts.built),
        Variable::Rank => facts.rank.to_string(),
    })
}

fn parse_variable(inside: &str, offset: usize) -> Result<Part, InvalidTemplate> {
    let (word, format) = match inside.split_once(':') {
        Some((word, format)) => (word, Some(format)),
        None => (inside, None),
    };
    let Some(variable) = Variable::ALL.into_iter().find(|variable| variable.word() == word) else {
        let near = Variable::ALL
            .into_iter()
            .map(Variable::word)
            .filter(|candidate| strsim::damerau_levenshtein(candidate, word) <= candidate.len().div_ceil(3))
            .min_by_key(|candidate| strsim::damerau_levenshtein(candidate, word));
        let problem = format!("`{{{}}}` is not a variable of a name template", word.escape_debug());
        return Err(InvalidTemplate { near, ..mistake(offset, word.len().max(1), &problem) });
    };
    if let Some(format) = format {
        let format_offset = offset + word.len() + 1;
        if !variable.is_date() {
            let problem = format!("only dates take a format, and `{word}` is none");
            return Err(mistake(format_offset, format.len().max(1), &problem));
        }
        let sample = jiff::civil::date(2026, 10, 15);
        if format.is_empty() || jiff::fmt::strtime::format(format, sample).is_err() {
            let problem = format!("`{}` is not a strftime format for a date", format.escape_debug());
            return Err(mistake(format_offset, format.len().max(1), &problem));
        }
    }
    Ok(Part::Value(variable, format.map(str::to_owned)))
}

fn mistake(offset: usize, length: usize, problem: &str) -> InvalidTemplate {
    InvalidTemplate { offset, length, problem: problem.to_owned(), near: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn facts() -> Facts {
        Facts {
            name: Some("Ubuntu 24.04".to_owned()),
            family: FamilyName::parse("ubuntu-24.04").unwrap(),
            version: VersionName::parse("20261015").unwrap(),
            uploaded: Moment::Recorded(date(2026, 10, 15)),
            superseded: Moment::ThisRun(date(2026, 11, 2)),
            built: Moment::Unknown,
            rank: 1,
        }
    }

    #[test]
    fn templates_say_what_they_are_told() {
        for (template, name) in [
            ("{name} - Latest", "Ubuntu 24.04 - Latest"),
            ("{name} - {uploaded}", "Ubuntu 24.04 - 2026-10-15"),
            ("{name}-{superseded:%d-%m-%Y}", "Ubuntu 24.04-02-11-2026"),
            ("{family}/{version}_prev{n} {{x}}", "ubuntu-24.04/20261015_prev1 {x}"),
            ("{built:%Y%m%d}", "unknown"),
        ] {
            assert_eq!(Template::parse(template).unwrap().render(&facts()).as_deref(), Some(name), "{template}");
        }
    }

    #[test]
    fn dates_of_the_run_leave_the_identity() {
        let template = Template::parse("{name} {superseded:%Y}").unwrap();
        assert_eq!(template.render(&facts().without_run_dates()).as_deref(), Some("Ubuntu 24.04 (date of the run)"));
    }

    #[test]
    fn a_title_is_found_again_in_its_name() {
        let template = Template::parse("{name} - {uploaded}").unwrap();
        assert_eq!(template.title_in("Old - One - 2026-10-15", &facts()).as_deref(), Some("Old - One"));
        assert_eq!(template.title_in("Old - One - 2026-10-16", &facts()), None);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        let refusal = Template::parse("{name} {uplaoded}").unwrap_err();
        assert_eq!((refusal.offset, refusal.length, refusal.near), (8, 8, Some("uploaded")));
        for bad in ["{name", "name}", "{name:%Y}", "{uploaded:}", "{uploaded:%Q}", "{}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
