//! Drift for an issue, a comment or a step summary.
//!
//! A comment has a limit of 65,536 characters on GitHub, and nobody reads more than a screen of it; so the alarming
//! rows, which come first, are shown whole, and of very many the rest is counted.

use super::report::{FamilyEntry, Finding, Report};
use super::words;
use crate::model::drift::State;
use crate::render::escape::{markdown, markdown_code, markdown_code_cell, terminal};
use crate::render::words::count;

/// How many findings, and how many families, are shown.
const ROWS: usize = 50;
/// How many blocks the longest bar has.
const BLOCKS: i32 = 10;

/// The text.
pub(super) fn render(report: &Report) -> String {
    let sites: Vec<_> = report.sites.iter().map(|site| markdown_code(&site.name)).collect();
    let place = crate::render::words::listed(&sites);
    let mut sections = vec![
        marker(report),
        format!("### Image drift on {place}: {}, {}", words::tally(report), words::coverage(report)),
    ];
    if !report.complete {
        let problems = report.problems.iter().map(|problem| {
            format!("> - {} {}: {}", problem.kind, markdown_code(&problem.name), markdown(&problem.detail))
        });
        let problems: Vec<_> = shortened(problems.collect(), |more| format!("> - {more}"));
        sections.push(format!(
            "> [!WARNING]\n> **Not everything could be read.** Nothing is known of:\n>\n{}",
            problems.join("\n")
        ));
    }
    sections.extend(findings(report));
    sections.extend(families(report));
    sections.push(format!(
        "<sub>{} · checked {} · gallerist {}</sub>",
        markdown_code(&report.config),
        report.checked_at.strftime("%Y-%m-%d %H:%M UTC"),
        markdown(&report.version)
    ));
    sections.join("\n\n") + "\n"
}

/// By which a job finds its earlier comment again.
fn marker(report: &Report) -> String {
    let safe = |text: &str| -> String {
        text.chars().filter(|character| character.is_ascii_alphanumeric() || "._:-".contains(*character)).collect()
    };
    let sites: Vec<_> = report.sites.iter().map(|site| safe(&site.name)).collect();
    format!("<!-- gallerist:drift catalogue={} sites={} v=1 -->", safe(&report.catalogue), sites.join(","))
}

fn findings(report: &Report) -> Option<String> {
    let mut rows: Vec<String> = report.findings.iter().map(|finding| row(report, finding)).collect();
    rows.extend(report.resolved.iter().map(|resolved| {
        let address = markdown_code_cell(&resolved.address);
        format!("| ✔️ | {address} | {}: resolved since the last report | | |", resolved.class.0)
    }));
    if rows.is_empty() {
        return None;
    }
    let rows = shortened(rows, |more| format!("| | *{more}* | | | |"));
    Some(format!("| | Image | Finding | Since | What to do |\n|:-:|---|---|---|---|\n{}", rows.join("\n")))
}

fn row(report: &Report, finding: &Finding) -> String {
    let sign = match finding.state.0 {
        State::New => "🆕",
        State::Known => "⏳",
        State::Accepted => "🤝",
    };
    let class = if report.fails(finding) { format!("**{}**", finding.class.0) } else { finding.class.0.to_string() };
    let what: Vec<_> = words::rows(&finding.change)
        .into_iter()
        .map(|(name, before, after)| {
            let name = markdown_code_cell(&name);
            match (before.as_deref().map(markdown_code_cell), after.as_deref().map(markdown_code_cell)) {
                (Some(before), Some(after)) => format!("{name} {before} → {after}"),
                (Some(before), None) => format!("{name} {before} → *nothing*"),
                (None, Some(after)) => format!("{name} {after}"),
                (None, None) => name,
            }
        })
        .collect();
    let what = if what.is_empty() { words::meaning(finding.class.0).to_owned() } else { what.join("<br>") };
    let fix = match &finding.accepted {
        Some(accepted) => format!("accepted until {}: {}", accepted.until, markdown(&accepted.reason)),
        None => markdown(&finding.fix),
    };
    format!(
        "| {sign} | {} | {class}: {what} | {} | {fix} |",
        markdown_code_cell(&finding.address),
        finding.since.map(|since| since.to_string()).unwrap_or_default()
    )
}

fn families(report: &Report) -> Option<String> {
    let oldest = report.families.iter().filter_map(|family| family.age_days).max().unwrap_or_default().max(1);
    let row = |family: &FamilyEntry| {
        format!(
            "| {} | {} | {} | {} | {} | {} |",
            markdown_code_cell(&family.address(report)),
            family.latest.as_deref().map_or_else(|| "**none**".to_owned(), markdown),
            words::days(family.age_days),
            family.upstream.as_deref().map_or_else(|| "?".to_owned(), markdown),
            words::days(family.behind_days),
            bar(family.age_days, oldest)
        )
    };
    let rows: Vec<String> = report.families.iter().map(row).collect();
    if rows.is_empty() {
        return None;
    }
    let rows = shortened(rows, |more| format!("| *{more}* | | | | | |"));
    Some(format!("| Image | Latest | Age | Upstream | Behind | |\n|---|---|--:|---|--:|---|\n{}", rows.join("\n")))
}

fn bar(age: Option<i32>, oldest: i32) -> String {
    let Some(age) = age else { return String::new() };
    let full = i64::from(age.clamp(0, oldest)) * i64::from(BLOCKS) / i64::from(oldest);
    let full = usize::try_from(full).unwrap_or_default().max(1);
    format!("`{}{}`", "█".repeat(full), "·".repeat(usize::try_from(BLOCKS).unwrap_or_default().saturating_sub(full)))
}

/// At most so many rows, and how many more there are.
fn shortened(mut rows: Vec<String>, told: impl FnOnce(&str) -> String) -> Vec<String> {
    if rows.len() > ROWS {
        let more = rows.split_off(ROWS).len();
        rows.push(told(&terminal(&format!("{} more, left out here", count(more, "row")))));
    }
    rows
}
