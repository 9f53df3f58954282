//! The plan as one HTML file, to keep as an artifact of a job or to send to somebody.
//!
//! The verdict and the numbers come first, then every operation in a row, deletions before all others; detail is folded,
//! apart from what is lost.

use super::brief::brief;
use super::diff::{self, Depth, unified};
use super::document::{Action, Document, Level, LiveSource, ResourceChange};
use super::escape::html;
use super::graph::{GraphFormat, graph};
use super::human::conclusion;
use super::page::{page, tile};
use super::words;

/// A picture of more operations helps nobody.
const DRAWN: usize = 40;

/// The file.
pub(super) fn render(document: &Document) -> String {
    let body = &document.gallerist;
    let sites: Vec<_> = body.sites.iter().map(|site| html(&site.name)).collect();
    let title = format!("Image plan: {} on {}", html(&body.catalogue), words::listed(&sites));
    let read = match body.live.source {
        LiveSource::Api => "read",
        LiveSource::Snapshot => "snapshot of",
    };
    let sections = [
        vec![
            format!("<h1>{title}</h1>"),
            format!(
                "<p class=\"faint\">{} · {} · <code>{}</code> · {read} {}</p>",
                words::count(body.live.managed, "managed image"),
                words::size(body.summary.transfer_bytes) + " to fetch",
                html(&body.config.path),
                body.live.read_at.strftime("%Y-%m-%d %H:%M UTC")
            ),
            format!("<p class=\"verdict {}\">{}</p>", tone(document), html(&conclusion(document))),
        ],
        refusals(document),
        tiles(document),
        table(document),
        lists(document),
        details(document),
        packages(document),
        order_of_work(document),
        vec![format!(
            "<p class=\"faint\"><small>Plan <code>{}</code> · gallerist {}</small></p>",
            html(&body.plan_id),
            html(&body.version)
        )],
    ];
    page(&title, &sections.concat())
}

/// How alarming a plan is to look at.
fn tone(document: &Document) -> &'static str {
    match (document.gallerist.summary.delete, document.is_empty()) {
        (1.., _) => "bad",
        (0, true) => "good",
        (0, false) => "warn",
    }
}

fn refusals(document: &Document) -> Vec<String> {
    let refusing = document.gallerist.guards.iter().filter(|guard| guard.refuses());
    let told = refusing.map(|guard| {
        let lift = guard.lift.as_deref().map(|lift| format!(" If that is meant: <code>{}</code>.", html(lift)));
        let (detail, lift) = (html(&guard.detail), lift.unwrap_or_default());
        format!("<p class=\"verdict bad\">A guard refuses this plan: {detail}.{lift}</p>")
    });
    let partial = (!document.complete).then(|| "<p>This plan does not cover the whole catalogue.</p>".to_owned());
    told.chain(partial).collect()
}

fn tiles(document: &Document) -> Vec<String> {
    let summary = document.gallerist.summary;
    let tiles = [
        tile(summary.delete, "to destroy", "bad", "images that are deleted for good"),
        tile(summary.create, "to add", "good", "images that are created"),
        tile(summary.update, "to change", "warn", "images that are updated in place"),
        tile(summary.held, "held", "warn", "operations that the plan refuses to do"),
        tile(summary.no_op, "stay", "faint", "managed images that stay as they are"),
    ];
    vec![format!("<ul class=\"tiles\">{}</ul>", tiles.concat())]
}

/// Deletions first.
fn ordered(document: &Document) -> impl Iterator<Item = &ResourceChange> {
    [Action::Delete, Action::Create, Action::Update].into_iter().flat_map(|action| document.changes(action))
}

const fn class(action: Action) -> &'static str {
    match action {
        Action::Create => "good",
        Action::Update => "warn",
        Action::Delete => "bad",
    }
}

fn table(document: &Document) -> Vec<String> {
    if document.is_empty() {
        return Vec::new();
    }
    let rows = ordered(document).map(|change| {
        let action = change.action();
        let why: Vec<_> = change.gallerist.reasons.iter().map(|reason| html(reason)).collect();
        format!(
            "<tr><td class=\"class {}\">{} {}</td><td class=\"image\"><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            class(action),
            action.symbol(),
            action.name(),
            html(&change.address),
            html(&brief(change)),
            why.join("; ")
        )
    });
    vec![format!(
        "<h2>What is done</h2>\n<table class=\"findings\">\n<thead><tr><th></th><th>Image</th><th>What</th><th>Why</th></tr>\
         </thead>\n<tbody>\n{}\n</tbody>\n</table>",
        rows.collect::<Vec<_>>().join("\n")
    )]
}

fn lists(document: &Document) -> Vec<String> {
    let body = &document.gallerist;
    let held = body.holds.iter().map(|hold| {
        let (operation, detail) = (hold.operation.name(), html(&hold.detail));
        format!("{operation} <code>{}</code>: {detail}", html(&hold.address))
    });
    let warnings = body.notes.iter().filter(|note| note.level == Level::Warning);
    let notes = warnings.map(|note| html(&note.detail));
    let guards = body.guards.iter().map(|guard| format!("{}: {}", words::verdict(guard.status), html(&guard.detail)));
    [list("Held", held), list("Notes", notes), list("Guards", guards)].concat()
}

fn list(title: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let items: Vec<_> = items.map(|item| format!("<li>{item}</li>")).collect();
    if items.is_empty() {
        return Vec::new();
    }
    vec![format!("<h2>{title}</h2>\n<ul>\n{}\n</ul>", items.join("\n"))]
}

fn details(document: &Document) -> Vec<String> {
    if document.is_empty() {
        return Vec::new();
    }
    let folds = ordered(document).map(|change| {
        let open = if change.action() == Action::Delete { " open" } else { "" };
        fold(&unified(change), open)
    });
    std::iter::once("<h2>Every change in detail</h2>".to_owned()).chain(folds).collect()
}

fn packages(document: &Document) -> Vec<String> {
    let lists = diff::packages(document, Depth::Whole);
    let title = (!lists.is_empty()).then(|| "<h2>Packages inside</h2>".to_owned());
    title.into_iter().chain(lists.iter().map(|list| fold(list, ""))).collect()
}

/// A diff behind its first line, each of the others coloured by its sign.
fn fold(diff: &str, open: &str) -> String {
    let (title, lines) = diff.split_once('\n').unwrap_or((diff, ""));
    let coloured = lines.lines().map(|line| {
        let text = html(line);
        match line.chars().next() {
            Some('+') => format!("<span class=\"good\">{text}</span>"),
            Some('-') => format!("<span class=\"bad\">{text}</span>"),
            Some(_) | None => text,
        }
    });
    let title = html(title.trim_start_matches("# "));
    let lines: Vec<_> = coloured.collect();
    format!("<details{open}><summary>{title}</summary>\n<pre>{}</pre></details>", lines.join("\n"))
}

fn order_of_work(document: &Document) -> Vec<String> {
    if !(2..=DRAWN).contains(&document.resource_changes.len()) {
        return Vec::new();
    }
    // A file from elsewhere may have its steps in a circle; then there is no order to draw.
    let drawn = graph(GraphFormat::Svg, document);
    drawn.map_or_else(|_| Vec::new(), |svg| vec![format!("<h2>Order of work</h2>\n<div class=\"order\">{svg}</div>")])
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
        assert_eq!(text.matches("<tr><td class=\"class ").count(), 4);
        assert_eq!(text.matches("<pre>").count(), 4 + 1);
        assert!(
            text.find("\">- delete</td>").unwrap() < text.find("\">+ create</td>").unwrap(),
            "deletions come first"
        );
        assert!(text.contains("<p class=\"verdict bad\">Plan: 1 to add, 2 to change, 1 to destroy.</p>"), "{text}");
        assert!(text.contains(r#"<span class="bad">- visibility     public</span>"#), "{text}");
        assert_eq!(text.matches("<details open>").count(), 1, "only what is lost is unfolded");
    }

    #[test]
    fn what_is_opened_is_closed() {
        for document in [rotation(), empty(), blocked()] {
            let text = render(&document);
            let mut open = Vec::new();
            for tag in tags(&text) {
                match tag.strip_prefix('/') {
                    Some(closed) => assert_eq!(open.pop(), Some(closed), "{text}"),
                    None if ["!doctype", "meta", "path"].contains(&tag) => {}
                    // The pieces of the picture close themselves.
                    None if tag == "rect" => {}
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
            let of = |text: &str| tags(text.split_once("<h2>Every change").unwrap().0).join(" ");
            assert_eq!(of(&text), of(&tame), "{name:?}");
            assert!(!text.contains("<script"), "{name:?}");
        }
    }
}
