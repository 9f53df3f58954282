//! Drift for people at a terminal.
//!
//! What alarms comes first and says what would end it; then what is news without alarm; then the families, one line
//! each. What was accepted is one line. The last line is the verdict, for a terminal leaves the eye there.

use super::report::{FamilyEntry, Finding, Report};
use super::words;
use crate::model::drift::{Class, State};
use crate::render::escape::terminal;
use crate::render::style::{Styles, paint};
use crate::render::table::table;
use crate::render::words::count;

/// The verdict in one line.
pub fn conclusion(report: &Report) -> String {
    let number = |class: Class| report.open().filter(|finding| finding.class.0 == class).count();
    let classes: Vec<_> = Class::ALL
        .iter()
        .map(|class| (number(*class), class))
        .filter(|(number, _)| *number > 0)
        .map(|(number, class)| format!("{number} {class}"))
        .collect();
    if !report.complete {
        let found = if classes.is_empty() { String::new() } else { format!("; found so far: {}", classes.join(", ")) };
        return format!("Not known: {} could not be read{found}.", count(report.problems.len(), "part"));
    }
    match (classes.is_empty(), report.has_drift()) {
        (true, _) => format!("No drift. {}.", words::coverage(report)),
        (false, true) => format!("Drift: {}.", classes.join(", ")),
        (false, false) => format!("No drift that fails; {}.", classes.join(", ")),
    }
}

/// The whole text.
pub(super) fn render(report: &Report, styles: Styles) -> String {
    let mut lines = vec![
        paint(format!("{} on {}", terminal(&report.catalogue), words::place(report)), styles.heading),
        format!("{}, {}", words::tally(report), words::coverage(report)),
        String::new(),
    ];
    if !report.problems.is_empty() {
        lines.push(paint("Could not be read, so nothing is known of:", styles.refused));
        lines.extend(report.problems.iter().map(|problem| {
            format!("  {} {}: {}", terminal(&problem.kind), terminal(&problem.name), terminal(&problem.detail))
        }));
        lines.push(String::new());
    }
    for finding in report.open() {
        lines.extend(told(report, finding, styles));
        lines.push(String::new());
    }
    let accepted: Vec<_> = report.findings.iter().filter(|finding| finding.state.0 == State::Accepted).collect();
    for finding in &accepted {
        let why = finding
            .accepted
            .as_ref()
            .map(|accepted| format!(": {} (until {})", terminal(&accepted.reason), accepted.until));
        let line = format!("accepted   {} {}{}", finding.class.0, terminal(&finding.address), why.unwrap_or_default());
        lines.push(paint(line, styles.faint));
    }
    for resolved in &report.resolved {
        lines.push(paint(format!("resolved   {} {}", resolved.class.0, terminal(&resolved.address)), styles.faint));
    }
    if !accepted.is_empty() || !report.resolved.is_empty() {
        lines.push(String::new());
    }
    lines.extend(families(report));
    lines.push(paint(conclusion(report), styles.heading));
    lines.push(String::new());
    lines.join("\n")
}

fn told(report: &Report, finding: &Finding, styles: Styles) -> Vec<String> {
    let style = if report.fails(finding) { styles.refused } else { styles.warning };
    let class = paint(format!("{:<10}", finding.class.0), style);
    let since = match (finding.state.0, finding.since) {
        (State::New, Some(_)) => "   new".to_owned(),
        (_, Some(since)) => format!("   since {since}"),
        (_, None) => String::new(),
    };
    let mut lines = vec![format!("{class} {}{since}", terminal(&finding.address))];
    let rows = words::rows(&finding.change);
    if rows.is_empty() {
        lines.push(format!("           {}", words::meaning(finding.class.0)));
    }
    let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or_default().min(30);
    lines.extend(rows.iter().map(|(name, before, after)| {
        format!("           {}", words::row(&format!("{name:<width$} "), before.as_deref(), after.as_deref()))
    }));
    lines.push(paint(format!("           fix: {}", terminal(&finding.fix)), styles.faint));
    lines
}

fn families(report: &Report) -> Vec<String> {
    let row = |family: &FamilyEntry| {
        [
            family.address(report),
            family.latest.clone().unwrap_or_else(|| "none".to_owned()),
            words::days(family.age_days),
            family.upstream.clone().unwrap_or_else(|| "?".to_owned()),
            words::days(family.behind_days),
        ]
    };
    let rows: Vec<[String; 5]> = report.families.iter().map(row).collect();
    if rows.is_empty() { Vec::new() } else { vec![table(["FAMILY", "LATEST", "AGE", "UPSTREAM", "BEHIND"], &rows)] }
}
