//! What changes about each image, and about the packages inside it, as a unified diff: the form in which people review
//! changes of everything else.
//!
//! Both sides are canonical text, one field or package a line, so that a line differs only where one of those does.

use similar::TextDiff;

use super::document::{Action, Document, Object, Packages, ResourceChange};
use super::escape::terminal;
use super::fields::{Kind, compare};
use super::words;

/// Lines of context around each change.
const CONTEXT: usize = 1;
/// Names of fields are set this wide; longer ones push their value aside.
const WIDTH: usize = 14;

/// One operation as a diff, foreign text escaped for a terminal. The signs stand in the first column, as renderers of
/// `diff` blocks want them.
pub fn unified(change: &ResourceChange) -> String {
    let header = format!("# {} {}", terminal(&change.address), words::future(change.action()));
    let (before, after) = (text(change.change.before.as_ref()), text(change.change.after.as_ref()));
    let mut lines = vec![header];
    lines.extend(lines_of(&before, &after));
    lines.push(String::new());
    lines.join("\n")
}

/// How much of a list of packages is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Those that people look for first; the others are counted.
    Notable,
    /// All of them.
    Whole,
}

/// What each new version changes of the packages inside, told once for all sites that get it.
pub fn packages(document: &Document, depth: Depth) -> Vec<String> {
    let mut told = Vec::new();
    for change in document.changes(Action::Create) {
        let Some(packages) = &change.gallerist.packages else { continue };
        let version = format!("{}/{}", terminal(&change.name), terminal(&change.index));
        let text = package_list(&version, packages, depth);
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// A package stands beside itself: its old line, then its new one.
fn package_list(version: &str, packages: &Packages, depth: Depth) -> String {
    let mut lines = vec![format!("# {version}: {} since {}", words::packages(packages), terminal(&packages.from))];
    let line = |name: &str, version: Option<&String>| {
        version.map(|version| format!("{} {}\n", terminal(name), terminal(version))).unwrap_or_default()
    };
    for package in &packages.changes {
        if depth == Depth::Whole || packages.notable.contains(&package.name) {
            let [before, after] = [&package.before, &package.after].map(|side| line(&package.name, side.as_ref()));
            lines.extend(lines_of(&before, &after));
        }
    }
    let left_out = packages.changes.len() - packages.notable.len().min(packages.changes.len());
    if depth == Depth::Notable && left_out > 0 {
        lines.push(format!("  … {}", words::count(left_out, "more package")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The lines that differ, each with its sign in the first column, and a little of what is around them.
fn lines_of(before: &str, after: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for hunk in TextDiff::from_lines(before, after).unified_diff().context_radius(CONTEXT).iter_hunks() {
        if !lines.is_empty() {
            lines.push("  …".to_owned());
        }
        lines.extend(
            hunk.iter_changes().map(|change| format!("{} {}", change.tag(), change.value().trim_end_matches('\n'))),
        );
    }
    lines
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
    use crate::render::testing::{change, object, rotation};

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
    fn a_package_stands_beside_itself_and_sites_do_not_repeat_it() {
        let mut document = rotation();
        let mut elsewhere = document.resource_changes[3].clone();
        elsewhere.address.push_str("@dus2");
        document.resource_changes.push(elsewhere);
        assert_eq!(
            packages(&document, Depth::Notable),
            ["# ubuntu-24.04/20261118: 3 changed, 1 added, 1 removed since 20261015\n\
              - linux-image-virtual 6.8.0-87.88\n+ linux-image-virtual 6.8.0-88.89\n\
              - openssl 3.0.13\n+ openssl 3.0.14\n  … 3 more packages\n"]
        );
        assert!(packages(&document, Depth::Whole)[0].ends_with("+ zstd 1.5.5\n"));
    }

    #[test]
    fn a_creation_is_all_new_and_a_deletion_all_gone() {
        let image = object("x");
        let all = |sign: &str, text: String| text.lines().skip(1).all(|line| line.starts_with(sign));
        assert!(all("+ ", unified(&change(Action::Create, None, Some(image.clone())))));
        assert!(all("- ", unified(&change(Action::Delete, Some(image), None))));
    }
}
