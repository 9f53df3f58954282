//! A saved plan, read back to be shown.
//!
//! The problem: a plan file may come from a pull request's job, and whoever shows it shows what a stranger wrote. The
//! idea: it is bounded in size, it must have the form of our documents, and its own numbers must agree with what it
//! lists, so that no headline can hide a deletion. What this does not solve: whether it was ever a plan. It is only
//! shown; `apply` makes its own plan and compares the ids.

use std::fmt;

use super::document::{Action, Document, FORMAT_VERSION, Packages, ResourceChange, SCHEMA};

/// The largest file that is read: about ten thousand operations.
const LARGEST: usize = 64 << 20;

/// A file that is no saved plan, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAPlan(String);

impl fmt::Display for NotAPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a plan that `gallerist plan --out` wrote: {}", self.0)
    }
}

impl std::error::Error for NotAPlan {}

/// The document in a saved plan.
///
/// # Errors
/// The text is too large, is no such document, or contradicts itself.
pub fn read_saved(text: &str) -> Result<Document, NotAPlan> {
    if text.len() > LARGEST {
        return Err(NotAPlan(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let document: Document = serde_json::from_str(text).map_err(|error| NotAPlan(error.to_string()))?;
    match contradiction(&document) {
        None => Ok(document),
        Some(contradiction) => Err(NotAPlan(contradiction)),
    }
}

fn contradiction(document: &Document) -> Option<String> {
    let Document { format_version, gallerist, resource_changes, .. } = document;
    if gallerist.schema != SCHEMA || format_version != FORMAT_VERSION {
        return Some(format!("its schema is `{}`, this gallerist reads `{SCHEMA}`", gallerist.schema.escape_debug()));
    }
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let id = gallerist.plan_id.strip_prefix("sha256:").unwrap_or_default();
    if id.len() != 64 || !id.bytes().all(is_digit) {
        return Some("its `plan_id` is no SHA-256 digest".to_owned());
    }
    let counted = |action| document.changes(action).count();
    let summary = gallerist.summary;
    if (summary.create, summary.update, summary.delete, summary.held)
        != (counted(Action::Create), counted(Action::Update), counted(Action::Delete), gallerist.holds.len())
    {
        return Some("its summary does not agree with the operations it lists".to_owned());
    }
    if gallerist.blocked != gallerist.guards.iter().any(super::document::Guard::refuses) {
        return Some("whether it is blocked does not agree with its guards".to_owned());
    }
    let miscounted = |packages: &Packages| packages.counted() != (packages.changed, packages.added, packages.removed);
    if resource_changes.iter().filter_map(|change| change.gallerist.packages.as_ref()).any(miscounted) {
        return Some("its numbers of packages do not agree with the packages it lists".to_owned());
    }
    let odd = resource_changes.iter().find(|change| !has_its_sides(change))?;
    Some(format!("`{}` lacks what it was or what it will be", odd.address.escape_debug()))
}

fn has_its_sides(change: &ResourceChange) -> bool {
    let sides = (change.change.before.is_some(), change.change.after.is_some());
    match change.action() {
        Action::Create => sides == (false, true),
        Action::Update => sides == (true, true),
        Action::Delete => sides == (true, false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{bounded, harm};
    use crate::render::testing::{empty, rotation};
    use crate::render::{Format, Manner, render};

    fn saved(document: &Document) -> String {
        render(Format::Json, document, Manner::default())
    }

    #[test]
    fn a_saved_plan_is_the_plan() {
        for document in [rotation(), empty()] {
            assert_eq!(read_saved(&saved(&document)), Ok(document));
        }
    }

    #[test]
    fn a_field_of_a_later_version_is_passed_over() {
        let mut value: serde_json::Value = serde_json::from_str(&saved(&rotation())).unwrap();
        value["gallerist"]["later"] = 1.into();
        assert_eq!(read_saved(&value.to_string()), Ok(rotation()));
    }

    #[test]
    fn what_contradicts_itself_is_not_shown() {
        type Forgery = fn(&mut Document);
        let forgeries: [(&str, Forgery); 7] = [
            ("summary", |document| document.gallerist.summary.delete = 0),
            ("summary", |document| document.resource_changes.clear()),
            ("schema", |document| document.gallerist.schema = "urn:other\n".to_owned()),
            ("plan_id", |document| document.gallerist.plan_id = "sha256:##[error]".to_owned()),
            ("packages", |document| {
                document.resource_changes[3].gallerist.packages.as_mut().unwrap().removed = 0;
            }),
            ("guards", |document| document.gallerist.blocked = true),
            ("lacks", |document| document.resource_changes[0].change.after = None),
        ];
        for (word, forge) in forgeries {
            let mut document = rotation();
            forge(&mut document);
            let refusal = read_saved(&saved(&document)).unwrap_err().to_string();
            assert!(refusal.contains(word) && !refusal.contains('\n'), "{refusal}");
        }
        assert!(read_saved("{}").is_err());
        assert!(read_saved("").is_err());
        assert!(read_saved(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn any_harm_is_shown_or_refused() {
        bounded(|| {
            let good = saved(&rotation());
            proptest!(ProptestConfig::with_cases(128), |(harm in harm())| {
                if let Ok(document) = read_saved(&harm.done_to_text(&good)) {
                    for format in Format::ALL {
                        render(*format, &document, Manner::default());
                    }
                }
            });
        });
    }
}
