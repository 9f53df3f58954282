//! Whose log a text ends in, and how that log folds what is long.
//!
//! GitHub takes `::group::` and `::endgroup::` at the start of a line, GitLab an escape sequence with a time and a name.
//! No foreign text is part of either, and `escape` sees to that none is one.

use jiff::Timestamp;

/// Whose log a text ends in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Log {
    /// Nobody's: a terminal, a file, another program.
    #[default]
    Plain,
    /// That of a GitHub workflow.
    Github,
    /// That of a GitLab job.
    Gitlab,
}

/// What is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Every change of a plan in detail.
    Plan,
    /// What an apply does.
    Apply,
}

impl Fold {
    const fn title(self) -> &'static str {
        match self {
            Self::Plan => "Every change in detail",
            Self::Apply => "What is done",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plan => "gallerist_plan",
            Self::Apply => "gallerist_apply",
        }
    }
}

impl Log {
    /// The line before what is folded; nothing where nothing can be.
    pub fn opens(self, fold: Fold, now: Timestamp) -> String {
        let (title, name, time) = (fold.title(), fold.name(), now.as_second());
        match self {
            Self::Plain => String::new(),
            Self::Github => format!("::group::{title}\n"),
            Self::Gitlab => format!("\u{1b}[0Ksection_start:{time}:{name}[collapsed=true]\r\u{1b}[0K{title}\n"),
        }
    }

    /// The line behind it.
    pub fn closes(self, fold: Fold, now: Timestamp) -> String {
        let (name, time) = (fold.name(), now.as_second());
        match self {
            Self::Plain => String::new(),
            Self::Github => "::endgroup::\n".to_owned(),
            Self::Gitlab => format!("\u{1b}[0Ksection_end:{time}:{name}\r\u{1b}[0K\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_opened_and_closed_by_the_same_name() {
        let now = "2026-11-23T03:34:07Z".parse().unwrap();
        let both = |log: Log| (log.opens(Fold::Plan, now), log.closes(Fold::Plan, now));
        assert_eq!(both(Log::Plain), (String::new(), String::new()));
        assert_eq!(both(Log::Github), ("::group::Every change in detail\n".to_owned(), "::endgroup::\n".to_owned()));
        assert_eq!(
            both(Log::Gitlab),
            (
                "\u{1b}[0Ksection_start:1795404847:gallerist_plan[collapsed=true]\r\u{1b}[0KEvery change in detail\n"
                    .to_owned(),
                "\u{1b}[0Ksection_end:1795404847:gallerist_plan\r\u{1b}[0K\n".to_owned()
            )
        );
    }
}
