//! The plan as a comment on a pull request, a merge request or a workflow's summary.
//!
//! The problem: reviewers read the first screen, and platforms refuse or drop what is too long (GitHub takes 65,536
//! characters in a comment). The idea: deletions come first, in an alert and in the table; detail is folded; and the
//! text has a budget. Over budget, detail goes first, then rows give way to their count, those of deletions never. What
//! was left out is said. What this does not solve: a plan with so many deletions that they alone are too long; it is
//! then too long, for a deletion nobody sees is worse than a comment that is refused.
//!
//! The first line is a mark that nobody sees, always the same for the same catalogue and sites, by which a job finds
//! the comment it wrote before and replaces it.

use super::brief::brief;
use super::diff::unified;
use super::document::{Action, Document, GuardStatus, Level, LiveSource, ResourceChange};
use super::escape::{markdown, markdown_block, markdown_code, markdown_code_cell};
use super::words;

/// Characters that every platform takes, with room for what a job adds.
const BUDGET: usize = 60_000;
/// How many deletions the alert names.
const ALERTED: usize = 10;

/// How much is told, from everything to what must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Everything,
    CreationsNotInDetail,
    UpdatesNotInDetail,
    NoDetail,
    UpdatesCounted,
    CreationsCounted,
    HoldsCounted,
    DeletionsNamed,
}

const EXTENTS: [Extent; 8] = [
    Extent::Everything,
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
        Extent::Everything => &[Action::Delete, Action::Create, Action::Update],
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
mod tests {
    use super::*;
    use crate::render::escape::tests::hostile;
    use crate::render::testing::{blocked, empty, hostile_document, rotation};

    #[test]
    fn a_rotation_reads_like_this() {
        insta::assert_snapshot!(render(&rotation()), @r#"
        <!-- gallerist:plan catalogue=wiit-public sites=fra1 v=1 -->
        ### Image plan for `fra1`: 1 to add, 2 to change, **1 to destroy**

        > [!CAUTION]
        > **1 image is deleted for good:** `ubuntu-24.04/20260807`.

        | | Image | What | Why |
        |:-:|---|---|---|
        | ➖ | `ubuntu-24.04/20260807` | **DELETE "Ubuntu 24.04 Noble Numbat - 2026-08-08"** | superseded, due, and nothing uses it |
        | ➕ | `ubuntu-24.04/20261118` | create "Ubuntu 24.04 Noble Numbat - Latest", public | a new version, it takes over from 20261015 |
        | 🟡 | `debian-12/20261110-2300` | hw\_disk\_bus and note | **drift**: somebody changed it since it was last applied |
        | 🟡 | `ubuntu-24.04/20261015` | rename to "Ubuntu 24.04 Noble Numbat - 2026-10-15", make community and unprotect | 20261118 takes over |

        **Guards:** 1 of 35 managed images would be deleted; the limit is 10 ✅

        **Held**

        - delete `ubuntu-24.04/20260701`: in use by at least 1 server and 1 volume in 1 project

        **Notes**

        - new versions are shown without having been booted: images.toml has no \[boot\_test\]

        <details><summary>What changes (4 images)</summary>

        ```diff
        # ubuntu-24.04/20260807 will be DELETED
        - name           "Ubuntu 24.04 Noble Numbat - 2026-08-08"
        - visibility     community
        - protected      true
        - os_hidden      false
        - min_disk       4 GiB
        - min_ram        512 MiB
        - architecture   "x86_64"
        - hw_disk_bus    "scsi"
        - os_distro      "ubuntu"
        - tag            "gallerist"
        - tag            "gallerist:catalogue=wiit-public"
        - tag            "gallerist:digest=sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0"
        - tag            "gallerist:family=ubuntu-24.04"
        - tag            "gallerist:superseded=2026-09-13"
        - tag            "gallerist:uploaded=2026-08-08"
        - tag            "gallerist:version=20260807"

        # ubuntu-24.04/20261118 will be created
        + name           "Ubuntu 24.04 Noble Numbat - Latest"
        + visibility     public
        + protected      true
        + os_hidden      false
        + min_disk       (known after apply)
        + min_ram        512 MiB
        + architecture   "x86_64"
        + hw_disk_bus    "scsi"
        + os_distro      "ubuntu"
        + tag            "gallerist"
        + tag            "gallerist:catalogue=wiit-public"
        + tag            "gallerist:digest=sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0"
        + tag            "gallerist:family=ubuntu-24.04"
        + tag            "gallerist:uploaded=2026-11-23"
        + tag            "gallerist:version=20261118"

        # debian-12/20261110-2300 will be updated in place
          architecture   "x86_64"
        - hw_disk_bus    "virtio"
        - note           "by hand"
        + hw_disk_bus    "scsi"
          os_distro      "ubuntu"

        # ubuntu-24.04/20261015 will be updated in place
        - name           "Ubuntu 24.04 Noble Numbat - Latest"
        - visibility     public
        - protected      true
        + name           "Ubuntu 24.04 Noble Numbat - 2026-10-15"
        + visibility     community
        + protected      false
          os_hidden      false
          …
          tag            "gallerist:family=ubuntu-24.04"
        + tag            "gallerist:superseded=2026-11-23"
          tag            "gallerist:uploaded=2026-10-15"
        ```

        </details>

        <sub>Plan `7f3a91c2d0e4` · `images.toml` · cloud read 2026-11-23 03:34 UTC · gallerist 0.1.0</sub>
        "#);
    }

    #[test]
    fn nothing_to_do_is_said_so_that_an_old_comment_can_be_replaced() {
        insta::assert_snapshot!(render(&empty()), @r#"
        <!-- gallerist:plan catalogue=wiit-public sites=fra1 v=1 -->
        ### Image plan for `fra1`: no changes

        <sub>Plan `7f3a91c2d0e4` · `images.toml` · cloud read 2026-11-23 03:34 UTC · gallerist 0.1.0</sub>
        "#);
    }

    #[test]
    fn a_refused_plan_says_so() {
        let text = render(&blocked());
        assert!(text.contains("> [!WARNING]\n> **A guard refuses this plan:** 9 of 35 managed images"), "{text}");
        assert!(text.contains("`--allow-deletes 9`"), "{text}");
    }

    /// A plan with so many operations of each kind.
    fn large(deletions: usize, others: usize) -> Document {
        let mut document = rotation();
        let samples = std::mem::take(&mut document.resource_changes);
        for sample in samples {
            let number = if sample.action() == Action::Delete { deletions } else { others };
            document.resource_changes.extend((0..number).map(|index| ResourceChange {
                address: format!("{}-{index}/{}", sample.name, sample.index),
                ..sample.clone()
            }));
        }
        document
    }

    #[test]
    fn the_budget_is_kept_and_no_deletion_is_dropped() {
        for (deletions, others) in [(1, 20), (5, 60), (40, 200), (150, 3_000), (500, 3_000)] {
            let text = render(&large(deletions, others));
            assert!(text.chars().count() <= BUDGET, "{deletions} {others}: {}", text.chars().count());
            assert_eq!(text.matches("| ➖ | `ubuntu-24.04-").count(), deletions, "{deletions} {others}");
            assert!(text.contains("[!CAUTION]") && text.contains("### Image plan"), "{deletions} {others}");
            assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        }
        assert!(render(&large(5, 60)).contains("shortened"));
        assert!(render(&large(5, 3_000)).contains("| 🟡 | 6000 images | update | *left out here* |"));
    }

    #[test]
    fn no_deletion_is_dropped_even_where_the_budget_cannot_be_kept() {
        let text = render(&large(3_000, 10));
        assert_eq!(text.matches("| ➖ | `ubuntu-24.04-").count(), 3_000);
    }

    #[test]
    fn no_name_can_leave_its_place() {
        let tame = render(&hostile_document("tame"));
        for name in hostile() {
            let text = render(&hostile_document(&name));
            assert_eq!(text.matches("</details>").count(), 1, "{name:?}");
            let rows = |text: &str| text.lines().filter(|line| line.starts_with("| ")).count();
            assert_eq!(rows(&text), rows(&tame), "{name:?}");
            for line in text.lines().filter(|line| line.starts_with("| ")) {
                assert_eq!(line.replace("\\\\", "").replace("\\|", "").matches('|').count(), 5, "{name:?}: {line}");
            }
            let open = text.split("diff\n").next().unwrap();
            assert!(!without_code(open).contains("@team") && !without_code(open).contains("<script"), "{name:?}");
        }
    }

    /// A text without its code spans, as a reader of GitHub's Markdown would find them.
    fn without_code(text: &str) -> String {
        let mut rest = text;
        let mut open = String::new();
        while let Some(start) = rest.find('`') {
            let run = rest[start..].chars().take_while(|letter| *letter == '`').count();
            if rest[..start].ends_with('\\') {
                open.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
                continue;
            }
            open.push_str(&rest[..start]);
            let inside = &rest[start + run..];
            let end = runs(inside).into_iter().find(|(_, length)| *length == run);
            rest = end.map_or("", |(at, length)| &inside[at + length..]);
        }
        open + rest
    }

    fn runs(text: &str) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (at, _) in text.match_indices('`') {
            match runs.last_mut() {
                Some((start, length)) if *start + *length == at => *length += 1,
                _ => runs.push((at, 1)),
            }
        }
        runs
    }
}
