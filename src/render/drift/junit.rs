//! Drift as a test report, after the JUnit XML that GitLab, Jenkins and GitHub actions read: a suite for each site, a
//! case for each finding and for each family without one. A finding fails its case if it fails the run; an accepted one
//! is skipped; what could not be read is an error.

use std::collections::BTreeSet;

use super::report::{Finding, Report, Site};
use super::words;
use crate::model::drift::State;
use crate::render::escape::{html as xml, terminal};

/// How a case ended.
enum Ending {
    Passed,
    /// Passed, and yet there is something to say.
    Told(String),
    Failed(String, String),
    Skipped(String),
    Error(String),
}

struct Case {
    kind: String,
    name: String,
    ending: Ending,
}

/// The document.
pub(super) fn render(report: &Report) -> String {
    let mut suites: Vec<(String, Vec<Case>)> =
        report.sites.iter().map(|site| (site.name.clone(), cases(report, site))).collect();
    let upstream = report.problems.iter().filter(|problem| problem.kind != "site").map(|problem| Case {
        kind: problem.kind.clone(),
        name: problem.name.clone(),
        ending: Ending::Error(terminal(&problem.detail)),
    });
    let upstream: Vec<_> = upstream.collect();
    if !upstream.is_empty() {
        suites.push(("upstream".to_owned(), upstream));
    }
    let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!("<testsuites name=\"gallerist drift {}\" {}>", xml(&report.catalogue), numbers(&all)),
    ];
    for (name, cases) in &suites {
        let head = format!("  <testsuite name=\"{}\" {}", xml(name), numbers(&cases.iter().collect::<Vec<_>>()));
        lines.push(format!("{head} timestamp=\"{}\">", report.checked_at.strftime("%Y-%m-%dT%H:%M:%S")));
        lines.extend(cases.iter().map(written));
        lines.push("  </testsuite>".to_owned());
    }
    lines.push("</testsuites>\n".to_owned());
    lines.join("\n")
}

fn cases(report: &Report, site: &Site) -> Vec<Case> {
    let problems = report.problems.iter().filter(|problem| problem.kind == "site" && problem.name == site.name);
    let mut cases: Vec<Case> = problems
        .map(|problem| Case {
            kind: "site".to_owned(),
            name: site.name.clone(),
            ending: Ending::Error(terminal(&problem.detail)),
        })
        .collect();
    let findings: Vec<&Finding> = report.findings.iter().filter(|finding| finding.site == site.name).collect();
    cases.extend(findings.iter().map(|finding| Case {
        kind: finding.class.0.to_string(),
        name: finding.address.clone(),
        ending: ending(report, finding),
    }));
    let told: BTreeSet<_> = findings.iter().filter_map(|finding| finding.family.as_ref()).collect();
    let quiet = report.families.iter().filter(|family| family.site == site.name && !told.contains(&family.family));
    cases.extend(quiet.map(|family| Case {
        kind: "in_sync".to_owned(),
        name: family.address(report),
        ending: Ending::Passed,
    }));
    cases
}

fn ending(report: &Report, finding: &Finding) -> Ending {
    let sentence = words::sentence(finding);
    match (&finding.accepted, finding.state.0) {
        (Some(accepted), State::Accepted) => {
            Ending::Skipped(format!("accepted until {}: {}", accepted.until, accepted.reason))
        }
        (Some(_) | None, State::New | State::Known | State::Accepted) if report.fails(finding) => {
            Ending::Failed(sentence, finding.fix.clone())
        }
        (Some(_) | None, State::New | State::Known | State::Accepted) => Ending::Told(sentence),
    }
}

fn numbers(cases: &[&Case]) -> String {
    let of = |wanted: fn(&Ending) -> bool| cases.iter().filter(|case| wanted(&case.ending)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\"",
        cases.len(),
        of(|ending| matches!(ending, Ending::Failed(..))),
        of(|ending| matches!(ending, Ending::Error(_))),
        of(|ending| matches!(ending, Ending::Skipped(_)))
    )
}

fn written(case: &Case) -> String {
    let inside = match &case.ending {
        Ending::Passed => String::new(),
        Ending::Told(text) => format!("<system-out>{}</system-out>", xml(text)),
        Ending::Failed(what, fix) => {
            let kind = xml(&case.kind);
            format!("<failure type=\"{kind}\" message=\"{}\">{}</failure>", xml(what), xml(fix))
        }
        Ending::Skipped(why) => format!("<skipped message=\"{}\"/>", xml(why)),
        Ending::Error(why) => format!("<error message=\"{}\"/>", xml(why)),
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\">{inside}</testcase>",
        xml(&case.kind),
        xml(&case.name)
    )
}
