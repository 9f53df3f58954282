//! Annotations for the log of a GitHub workflow.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word. So the worst comes
//! first, and the last of a kind says how many more there are.
//!
//! An annotation may stand at a line of a file; [`Annotation`] is what every report that has some makes of them.

use super::document::{Action, Document, Level};
use super::escape::{github_data, github_property, terminal};
use super::human::conclusion;

/// How many annotations of a kind GitHub shows.
const SHOWN: usize = 10;

/// One annotation.
#[derive(Debug, Clone)]
pub(super) struct Annotation {
    /// A word or two; foreign.
    pub(super) title: String,
    /// What is said; foreign.
    pub(super) message: String,
    /// The file and the line it is about.
    pub(super) place: Option<(String, usize)>,
}

impl Annotation {
    pub(super) fn new(title: &str, message: String) -> Self {
        Self { title: title.to_owned(), message, place: None }
    }
}

/// The commands, one a line.
pub(super) fn render(document: &Document) -> String {
    let body = &document.gallerist;
    let refusing = body.guards.iter().filter(|guard| guard.refuses());
    let errors = refusing.map(|guard| Annotation::new(&guard.id, guard.detail.clone()));
    let deletions = document.changes(Action::Delete).map(|change| {
        Annotation::new(&change.address, format!("will be DELETED: {}", change.gallerist.reasons.join("; ")))
    });
    let holds = body
        .holds
        .iter()
        .map(|hold| Annotation::new(&hold.address, format!("{} held: {}", hold.operation.name(), hold.detail)));
    let warnings = body.notes.iter().filter(|note| note.level == Level::Warning);
    let notes = warnings.map(|note| Annotation::new(&note.code, note.detail.clone()));
    let mut lines = commands("error", errors.collect());
    lines.extend(commands("warning", deletions.chain(holds).chain(notes).collect()));
    lines.extend(commands("notice", vec![Annotation::new("plan", conclusion(document))]));
    lines.push(String::new());
    lines.join("\n")
}

/// The commands for annotations of a kind, as many as are shown.
pub(super) fn commands(kind: &str, mut annotations: Vec<Annotation>) -> Vec<String> {
    if annotations.len() > SHOWN {
        let more = annotations.split_off(SHOWN - 1).len();
        annotations.push(Annotation::new("more", format!("{more} more of this kind; the log has all of them")));
    }
    annotations
        .into_iter()
        .map(|Annotation { title, message, place }| {
            let place = place.map_or_else(String::new, |(file, line)| {
                format!("file={},line={line},", github_property(&terminal(&file)))
            });
            let title = github_property(&format!("gallerist: {}", terminal(&title)));
            format!("::{kind} {place}title={title}::{}", github_data(&terminal(&message)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::escape::tests::hostile;
    use crate::render::testing::{blocked, hostile_document, rotation};

    #[test]
    fn the_worst_comes_first() {
        assert!(render(&rotation()).starts_with("::warning title=gallerist%3A ubuntu-24.04/20260807::will be DELETED"));
        let text = render(&blocked());
        assert!(text.starts_with("::error title=gallerist%3A max-deletes::9 of 35 managed images"), "{text}");
    }

    #[test]
    fn what_github_would_drop_is_counted() {
        let mut document = blocked();
        document.resource_changes = (0..5).flat_map(|_| document.resource_changes.clone()).collect();
        let text = render(&document);
        assert_eq!(text.matches("::warning ").count(), 10);
        assert!(text.contains("::36 more of this kind"), "{text}");
    }

    #[test]
    fn no_name_adds_a_command() {
        for name in hostile() {
            let text = render(&hostile_document(&name));
            assert_eq!(text.lines().count(), 5, "{text}");
            let commands = ["::error title=", "::warning title=", "::notice title="];
            assert!(text.lines().all(|line| commands.iter().any(|command| line.starts_with(command))), "{text}");
            assert!(!text.contains("##[") && !text.contains('\r'), "{text}");
        }
    }
}
