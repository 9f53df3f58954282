//! The plan as a comment on a pull request, a merge request or a workflow's summary.
//!
//! The problem: reviewers read the first screen, and platforms refuse or drop what is too long (GitHub takes 65,536
//! characters in a comment). The idea: deletions come first, in an alert and in the table; detail is folded; and the
//! text has a budget. Over budget, the picture goes first, then detail, then rows give way to their count, those of
//! deletions never. What was left out is said. What this does not solve: a plan with so many deletions that they alone are too long; it is
//! then too long, for a deletion nobody sees is worse than a comment that is refused.
//!
//! The first line is a mark that nobody sees, always the same for the same catalogue and sites, by which a job finds
//! the comment it wrote before and replaces it.

use super::brief::brief;
use super::diff::{self, Depth, unified};
use super::document::{Action, Document, GuardStatus, Level, LiveSource, ResourceChange};
use super::escape::{markdown, markdown_block, markdown_code, markdown_code_cell};
use super::graph::{GraphFormat, graph};
use super::words;

/// Characters that every platform takes, with room for what a job adds.
const BUDGET: usize = 60_000;
/// GitLab draws pictures by itself as long as those of a page have at most 2,000 characters.
const LARGEST_GRAPH: usize = 1_800;
/// How many deletions the alert names.
const ALERTED: usize = 10;

/// How much is told, from everything to what must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Everything,
    NoGraph,
    PackagesCounted,
    CreationsNotInDetail,
    UpdatesNotInDetail,
    NoDetail,
    UpdatesCounted,
    CreationsCounted,
    HoldsCounted,
    DeletionsNamed,
}

const EXTENTS: [Extent; 10] = [
    Extent::Everything,
    Extent::NoGraph,
    Extent::PackagesCounted,
    Extent::CreationsNotInDetail,
    Extent::UpdatesNotInDetail,
    Extent::NoDetail,
    Extent::UpdatesCounted,
    Extent::CreationsCounted,
    Extent::HoldsCounted,
    Extent::DeletionsNamed,
];

/// The comment, as whole as the budget allows.
pub(super) fn render(document: &Document) -> String {
    let mut text = String::new();
    for extent in EXTENTS {
        text = at(document, extent);
        if text.chars().count() <= BUDGET {
            break;
        }
    }
    text
}

fn at(document: &Document, extent: Extent) -> String {
    let sections = [
        headline(document),
        alerts(document),
        table(document, extent),
        guards(document),
        holds(document, extent),
        notes(document),
        detail(document, extent),
        packages(document, extent),
        order_of_work(document, extent),
        footer(document, extent),
    ];
    let sections: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    format!("{}\n", sections.join("\n\n"))
}

fn headline(document: &Document) -> String {
    let body = &document.gallerist;
    let tame = |text: &str| {
        text.chars().filter(|letter| letter.is_ascii_alphanumeric() || "._:-".contains(*letter)).collect::<String>()
    };
    let names =
        |written: &dyn Fn(&str) -> String| body.sites.iter().map(|site| written(&site.name)).collect::<Vec<_>>();
    let mark =
        format!("<!-- gallerist:plan catalogue={} sites={} v=1 -->", tame(&body.catalogue), names(&tame).join(","));
    let summary = body.summary;
    let told = match (document.is_empty(), summary.delete) {
        (true, _) => "no changes".to_owned(),
        (false, 0) => words::tally(summary.create, summary.update, 0),
        (false, delete) => {
            let tally = words::tally(summary.create, summary.update, delete);
            let (harmless, deletions) = tally.rsplit_once(", ").unwrap_or(("", &tally));
            format!("{harmless}, **{deletions}**")
        }
    };
    format!("{mark}\n### Image plan for {}: {told}", words::listed(&names(&markdown_code)))
}

fn alerts(document: &Document) -> String {
    let mut alerts = Vec::new();
    let deletions: Vec<_> = document.changes(Action::Delete).map(|change| markdown_code(&change.address)).collect();
    if !deletions.is_empty() {
        let verb = if deletions.len() == 1 { "is" } else { "are" };
        let named = deletions[..deletions.len().min(ALERTED)].join(", ");
        let more = deletions.len().saturating_sub(ALERTED);
        let more = if more > 0 { format!(" and {more} more, all of them in the table") } else { String::new() };
        let number = words::count(deletions.len(), "image");
        alerts.push(format!("> [!CAUTION]\n> **{number} {verb} deleted for good:** {named}{more}."));
    }
    let refusing: Vec<_> = document.gallerist.guards.iter().filter(|guard| guard.refuses()).collect();
    if !refusing.is_empty() {
        let told = refusing.into_iter().map(|guard| {
            let lift = guard.lift.as_deref().map(markdown_code);
            let lift = lift.map(|lift| format!(" If that is meant: {lift}.")).unwrap_or_default();
            format!("> **A guard refuses this plan:** {}.{lift}", markdown(&guard.detail))
        });
        alerts.push(format!("> [!WARNING]\n{}", told.collect::<Vec<_>>().join("\n")));
    }
    if !document.complete {
        alerts.push("*This plan does not cover the whole catalogue.*".to_owned());
    }
    alerts.join("\n\n")
}

const fn icon(action: Action) -> &'static str {
    match action {
        Action::Create => "➕",
        Action::Update => "🟡",
        Action::Delete => "➖",
    }
}

fn table(document: &Document, extent: Extent) -> String {
    if document.is_empty() {
        return String::new();
    }
    let header = ["| | Image | What | Why |", "|:-:|---|---|---|"].map(str::to_owned);
    let deletions = document.changes(Action::Delete).map(|change| row(change, extent));
    let creations = rows_or_count(document, Action::Create, extent, Extent::CreationsCounted);
    let updates = rows_or_count(document, Action::Update, extent, Extent::UpdatesCounted);
    joined(header.into_iter().chain(deletions).chain(creations).chain(updates), extent)
}

fn rows_or_count(
    document: &Document,
    action: Action,
    extent: Extent,
    counted_from: Extent,
) -> Box<dyn Iterator<Item = String> + '_> {
    if extent < counted_from {
        return Box::new(document.changes(action).map(move |change| row(change, extent)));
    }
    let left_out = document.changes(action).count();
    let number = words::count(left_out, "image");
    let row = format!("| {} | {number} | {} | *left out here* |", icon(action), action.name());
    Box::new((left_out > 0).then_some(row).into_iter())
}

/// The lines, or enough of them to see that they are over budget: what is, is thrown away whatever comes after it.
fn joined(lines: impl Iterator<Item = String>, extent: Extent) -> String {
    let mut text = String::new();
    let mut characters = 0;
    for line in lines {
        if characters > BUDGET && extent < Extent::DeletionsNamed {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        characters += line.chars().count();
        text.push_str(&line);
    }
    text
}

fn row(change: &ResourceChange, extent: Extent) -> String {
    let action = change.action();
    let address = markdown_code_cell(&change.address);
    if extent >= Extent::DeletionsNamed {
        return format!("| {} | {address} | **{}** | |", icon(action), action.name());
    }
    let brief = markdown(&brief(change));
    let what = if action == Action::Delete { format!("**{brief}**") } else { brief };
    let why = change.gallerist.reasons.iter().map(|reason| markdown(reason)).collect::<Vec<_>>().join("; ");
    let why = if change.action_reason == "update_because_drift" { format!("**drift**: {why}") } else { why };
    format!("| {} | {address} | {what} | {why} |", icon(action))
}

fn guards(document: &Document) -> String {
    let told: Vec<_> = document
        .gallerist
        .guards
        .iter()
        .map(|guard| {
            let sign = match guard.status {
                GuardStatus::Pass => "✅",
                GuardStatus::Lifted => "⚠️ lifted",
                GuardStatus::Block => "❌",
            };
            format!("{} {sign}", markdown(&guard.detail))
        })
        .collect();
    if told.is_empty() || document.is_empty() && !document.gallerist.blocked {
        return String::new();
    }
    format!("**Guards:** {}", told.join(" · "))
}

fn holds(document: &Document, extent: Extent) -> String {
    let holds = &document.gallerist.holds;
    if holds.is_empty() {
        return String::new();
    }
    if extent >= Extent::HoldsCounted {
        return format!("**Held:** {}", words::count(holds.len(), "operation"));
    }
    let rows = holds.iter().map(|hold| {
        format!("- {} {}: {}", hold.operation.name(), markdown_code(&hold.address), markdown(&hold.detail))
    });
    format!("**Held**\n\n{}", joined(rows, extent))
}

fn notes(document: &Document) -> String {
    let warnings = document.gallerist.notes.iter().filter(|note| note.level == Level::Warning);
    let rows: Vec<_> = warnings.map(|note| format!("- {}", markdown(&note.detail))).collect();
    if rows.is_empty() { String::new() } else { format!("**Notes**\n\n{}", rows.join("\n")) }
}

fn detail(document: &Document, extent: Extent) -> String {
    let actions: &[Action] = match extent {
        Extent::Everything | Extent::NoGraph | Extent::PackagesCounted => {
            &[Action::Delete, Action::Create, Action::Update]
        }
        Extent::CreationsNotInDetail => &[Action::Delete, Action::Update],
        Extent::UpdatesNotInDetail => &[Action::Delete],
        Extent::NoDetail
        | Extent::UpdatesCounted
        | Extent::CreationsCounted
        | Extent::HoldsCounted
        | Extent::DeletionsNamed => &[],
    };
    let changes: Vec<_> = actions.iter().flat_map(|action| document.changes(*action)).collect();
    if changes.is_empty() {
        return String::new();
    }
    let block = joined(changes.iter().map(|change| unified(change)), extent);
    let number = words::count(changes.len(), "image");
    format!("<details><summary>What changes ({number})</summary>\n\n{}\n\n</details>", markdown_block("diff", &block))
}

fn packages(document: &Document, extent: Extent) -> String {
    let depth = match extent {
        Extent::Everything | Extent::NoGraph => Depth::Whole,
        Extent::PackagesCounted | Extent::CreationsNotInDetail | Extent::UpdatesNotInDetail => Depth::Notable,
        Extent::NoDetail
        | Extent::UpdatesCounted
        | Extent::CreationsCounted
        | Extent::HoldsCounted
        | Extent::DeletionsNamed => return String::new(),
    };
    let lists = diff::packages(document, depth);
    if lists.is_empty() {
        return String::new();
    }
    let number = words::count(lists.len(), "new version");
    let block = markdown_block("diff", &joined(lists.into_iter(), extent));
    format!("<details><summary>Packages ({number})</summary>\n\n{block}\n\n</details>")
}

fn order_of_work(document: &Document, extent: Extent) -> String {
    if extent > Extent::Everything || document.resource_changes.len() < 2 {
        return String::new();
    }
    // A file from elsewhere may have its steps in a circle; then there is no order to draw.
    let Ok(drawn) = graph(GraphFormat::Mermaid, document) else { return String::new() };
    if drawn.chars().count() > LARGEST_GRAPH {
        return "Order of work: too large to be drawn here; `gallerist graph` draws it.".to_owned();
    }
    format!("<details><summary>Order of work</summary>\n\n{}\n\n</details>", markdown_block("mermaid", &drawn))
}

fn footer(document: &Document, extent: Extent) -> String {
    let body = &document.gallerist;
    let read = match body.live.source {
        LiveSource::Api => "cloud read",
        LiveSource::Snapshot => "snapshot of",
    };
    let mut parts = vec![
        format!("Plan {}", markdown_code(document.short_id())),
        markdown_code(&body.config.path),
        format!("{read} {}", body.live.read_at.strftime("%Y-%m-%d %H:%M UTC")),
        format!("gallerist {}", markdown(&body.version)),
    ];
    if extent > Extent::Everything {
        parts.push("shortened: the whole plan is in the job's log".to_owned());
    }
    format!("<sub>{}</sub>", parts.join(" · "))
}
#[cfg(test)]
mod tests;
