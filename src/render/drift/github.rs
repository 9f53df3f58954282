//! Drift as annotations in the log of a GitHub workflow: what could not be read and what fails the run as errors, the
//! rest as warnings, each at the line of images.toml that begins its family.

use super::report::{Finding, Report};
use super::{conclusion, words};
use crate::render::github::{Annotation, commands};

/// The commands, one a line.
pub(super) fn render(report: &Report) -> String {
    let unread = report.problems.iter().map(|problem| {
        Annotation::new(&problem.name, format!("the {} could not be read: {}", problem.kind, problem.detail))
    });
    let failing = report.findings.iter().filter(|finding| report.fails(finding));
    let others = report.open().filter(|finding| !report.fails(finding));
    let errors = unread.chain(failing.map(|finding| annotation(report, finding)));
    let mut lines = commands("error", errors.collect());
    lines.extend(commands("warning", others.map(|finding| annotation(report, finding)).collect()));
    lines.extend(commands("notice", vec![Annotation::new("drift", conclusion(report))]));
    lines.push(String::new());
    lines.join("\n")
}

fn annotation(report: &Report, finding: &Finding) -> Annotation {
    let line = report.family_of(finding).and_then(|family| family.line);
    let message = format!("{}: {}", finding.class.0, words::sentence(finding));
    Annotation { place: line.map(|line| (report.config.clone(), line)), ..Annotation::new(&finding.address, message) }
}
