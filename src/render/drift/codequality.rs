//! Drift for GitLab's code quality widget, after the report format of GitLab's documentation: a subset of Code
//! Climate's. Each finding stands at the line of images.toml that begins its family. The fingerprint is that of address
//! and class, so that GitLab, too, can tell what is new from what is known. Accepted findings are left out.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::report::{Finding, Report};
use super::words;
use crate::model::drift::Class;
use crate::render::escape::terminal;

/// The report.
pub(super) fn render(report: &Report) -> String {
    let mut issues: Vec<_> = report.open().map(|finding| issue(report, finding)).collect();
    issues.extend(report.problems.iter().map(|problem| {
        json!({
            "description": format!("could not be read: {} {}: {}", terminal(&problem.kind), terminal(&problem.name),
                terminal(&problem.detail)),
            "check_name": "gallerist:unread",
            "fingerprint": fingerprint("unread", &format!("{} {}", problem.kind, problem.name)),
            "severity": "critical",
            "location": { "path": report.config, "lines": { "begin": 1 } },
        })
    }));
    let text = serde_json::to_string_pretty(&issues).expect("issues are made of texts and numbers");
    format!("{}\n", crate::render::escape::json(&text))
}

fn issue(report: &Report, finding: &Finding) -> serde_json::Value {
    let line = report.family_of(finding).and_then(|family| family.line).unwrap_or(1);
    let class = finding.class.0;
    json!({
        "description": format!("{} {class}: {}", terminal(&finding.address), words::sentence(finding)),
        "check_name": format!("gallerist:{class}"),
        "fingerprint": fingerprint(class.name(), &finding.address),
        "severity": severity(class),
        "location": { "path": report.config, "lines": { "begin": line } },
    })
}

fn fingerprint(class: &str, address: &str) -> String {
    hex::encode(Sha256::digest(format!("{class} {address}")))
}

const fn severity(class: Class) -> &'static str {
    match class {
        Class::Missing | Class::Duplicate => "critical",
        Class::Changed | Class::Broken => "major",
        Class::Pending | Class::Outdated | Class::Stale => "minor",
        Class::Unmanaged => "info",
    }
}
