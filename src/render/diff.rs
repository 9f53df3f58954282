//! What changes about each image as a unified diff, the form in which people review changes of everything else.
//!
//! Both sides are canonical text, one field a line, so that a line differs only where a field does.

use similar::TextDiff;

use super::document::{Object, ResourceChange};
use super::fields::{Kind, compare};
use super::words;

/// Lines of context around each change.
const CONTEXT: usize = 1;
/// Names of fields are set this wide; longer ones push their value aside.
const WIDTH: usize = 14;

/// One operation as a diff, foreign text escaped for a terminal. The signs stand in the first column, as renderers of
/// `diff` blocks want them.
pub fn unified(change: &ResourceChange) -> String {
    let header = format!("# {} {}", super::escape::terminal(&change.address), words::future(change.action()));
    let (before, after) = (text(change.change.before.as_ref()), text(change.change.after.as_ref()));
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = vec![header];
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if lines.len() > 1 {
            lines.push("  …".to_owned());
        }
        lines.extend(
            hunk.iter_changes().map(|change| format!("{} {}", change.tag(), change.value().trim_end_matches('\n'))),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

/// An image as canonical text. The mark that is itself a digest of the other lines is left out.
fn text(object: Option<&Object>) -> String {
    let fields = compare(object, None);
    let lines = fields.iter().filter_map(|field| {
        let value = field.before.as_ref()?;
        let is_digest = field.kind == Kind::Mark && value.starts_with("\"gallerist:applied=");
        (!is_digest).then(|| format!("{:WIDTH$} {value}\n", field.name))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::document::Action;
    use crate::render::testing::{change, object};

    #[test]
    fn signs_stand_in_the_first_column() {
        let before = object("Debian 12 - Latest");
        let mut after = object("Debian 12 - 2026-10-15");
        after.visibility = "community".to_owned();
        after.properties.insert("zzz".to_owned(), "two\nlines".to_owned());
        assert_eq!(
            unified(&change(Action::Update, Some(before), Some(after))),
            r#"# debian-12/20261015 will be updated in place
- name           "Debian 12 - Latest"
- visibility     public
+ name           "Debian 12 - 2026-10-15"
+ visibility     community
  protected      true
  …
  os_distro      "ubuntu"
+ zzz            "two\u{a}lines"
  tag            "gallerist"
"#
        );
    }

    #[test]
    fn a_creation_is_all_new_and_a_deletion_all_gone() {
        let image = object("x");
        let all = |sign: &str, text: String| text.lines().skip(1).all(|line| line.starts_with(sign));
        assert!(all("+ ", unified(&change(Action::Create, None, Some(image.clone())))));
        assert!(all("- ", unified(&change(Action::Delete, Some(image), None))));
    }
}
