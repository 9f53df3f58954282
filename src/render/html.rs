//! The plan as one HTML file, to keep as an artifact of a job or to send to somebody.
//!
//! It needs nothing beside it: no scripts, no fonts, no pictures, and its own policy forbids them, so that nothing in
//! the plan could load any even if escaping failed.

use super::brief::brief;
use super::diff::{self, Depth, unified};
use super::document::{Action, Document, Level, ResourceChange};
use super::escape::html;
use super::human::conclusion;
use super::words;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; }
.create { color: light-dark(#1a7f37, #3fb950); }
.update { color: light-dark(#9a6700, #d29922); }
.delete, .refused { color: light-dark(#cf222e, #f85149); font-weight: bold; }
</style>
"#;

/// The file.
pub(super) fn render(document: &Document) -> String {
    let body = &document.gallerist;
    let sites: Vec<_> = body.sites.iter().map(|site| html(&site.name)).collect();
    let title = format!("Image plan for {}", words::listed(&sites));
    let mut lines = vec![
        format!("<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>"),
        format!("<p><strong>{}</strong></p>", html(&conclusion(document))),
    ];
    for guard in body.guards.iter().filter(|guard| guard.refuses()) {
        let detail = html(&guard.detail);
        lines.push(format!("<p class=\"refused\">A guard refuses this plan: {detail}</p>"));
    }
    lines.extend(table(document));
    lines.extend(list(
        "Held",
        body.holds.iter().map(|hold| {
            let (operation, detail) = (hold.operation.name(), html(&hold.detail));
            format!("{operation} <code>{}</code>: {detail}", html(&hold.address))
        }),
    ));
    let warnings = body.notes.iter().filter(|note| note.level == Level::Warning);
    lines.extend(list("Notes", warnings.map(|note| html(&note.detail))));
    lines.extend(list(
        "Guards",
        body.guards.iter().map(|guard| format!("{}: {}", words::verdict(guard.status), html(&guard.detail))),
    ));
    if !document.is_empty() {
        lines.push("<h2>What changes</h2>".to_owned());
        lines.extend(ordered(document).map(|change| format!("<pre>{}</pre>", coloured(&unified(change)))));
    }
    let packages = diff::packages(document, Depth::Whole);
    if !packages.is_empty() {
        lines.push("<h2>Packages inside</h2>".to_owned());
        lines.extend(packages.iter().map(|list| {
            let (title, changes) = list.split_once('\n').unwrap_or((list, ""));
            let title = html(title.trim_start_matches("# "));
            format!("<details><summary>{title}</summary><pre>{}</pre></details>", coloured(changes))
        }));
    }
    lines.push(format!(
        "<p><small>Plan <code>{}</code> · <code>{}</code> · {} · gallerist {}</small></p>\n</body>\n</html>\n",
        html(&body.plan_id),
        html(&body.config.path),
        document.timestamp.strftime("%Y-%m-%d %H:%M UTC"),
        html(&body.version)
    ));
    format!("{HEAD}{}", lines.join("\n"))
}

/// Deletions first.
fn ordered(document: &Document) -> impl Iterator<Item = &ResourceChange> {
    [Action::Delete, Action::Create, Action::Update].into_iter().flat_map(|action| document.changes(action))
}

fn table(document: &Document) -> Vec<String> {
    if document.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["<table>\n<tr><th></th><th>Image</th><th>What</th><th>Why</th></tr>".to_owned()];
    lines.extend(ordered(document).map(|change| {
        let action = change.action();
        let why: Vec<_> = change.gallerist.reasons.iter().map(|reason| html(reason)).collect();
        format!(
            "<tr class=\"{}\"><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            action.name(),
            action.symbol(),
            html(&change.address),
            html(&brief(change)),
            why.join("; ")
        )
    }));
    lines.push("</table>".to_owned());
    lines
}

fn list(title: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let items: Vec<_> = items.map(|item| format!("<li>{item}</li>")).collect();
    if items.is_empty() {
        return Vec::new();
    }
    vec![format!("<h2>{title}</h2>\n<ul>\n{}\n</ul>", items.join("\n"))]
}

/// The lines of a diff, each coloured by its sign.
fn coloured(diff: &str) -> String {
    let coloured = diff.lines().map(|line| {
        let text = html(line);
        match line.chars().next() {
            Some('+') => format!("<span class=\"create\">{text}</span>"),
            Some('-') => format!("<span class=\"delete\">{text}</span>"),
            Some('#') => format!("<strong>{text}</strong>"),
            Some(_) | None => text,
        }
    });
    coloured.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::escape::tests::hostile;
    use crate::render::testing::{blocked, empty, hostile_document, rotation};

    /// Every tag of a text, without its attributes.
    fn tags(text: &str) -> Vec<&str> {
        text.split('<').skip(1).map(|rest| rest.split([' ', '>']).next().unwrap()).collect()
    }

    #[test]
    fn a_rotation_has_a_row_and_a_diff_for_each_image() {
        let text = render(&rotation());
        assert_eq!(text.matches("<tr class=").count(), 4);
        assert_eq!(text.matches("<pre>").count(), 4 + 1);
        assert!(
            text.find("class=\"delete\"").unwrap() < text.find("class=\"create\"").unwrap(),
            "deletions come first"
        );
        assert!(text.contains("<strong>Plan: 1 to add, 2 to change, 1 to destroy.</strong>"), "{text}");
        assert!(text.contains(r#"<span class="delete">- visibility     public</span>"#), "{text}");
    }

    #[test]
    fn what_is_opened_is_closed() {
        for document in [rotation(), empty(), blocked()] {
            let text = render(&document);
            let mut open = Vec::new();
            for tag in tags(&text) {
                match tag.strip_prefix('/') {
                    Some(closed) => assert_eq!(open.pop(), Some(closed), "{text}"),
                    None if ["!doctype", "meta"].contains(&tag) => {}
                    None => open.push(tag),
                }
            }
            assert!(open.is_empty(), "{open:?}");
        }
    }

    #[test]
    fn no_name_adds_a_tag() {
        let tame = render(&hostile_document("tame"));
        for name in hostile() {
            let text = render(&hostile_document(&name));
            let of = |text: &str| tags(text.split_once("<h2>What changes").unwrap().0).join(" ");
            assert_eq!(of(&text), of(&tame), "{name:?}");
            assert!(!text.contains("<script"), "{name:?}");
        }
    }
}
