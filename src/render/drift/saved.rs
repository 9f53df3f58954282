//! The report of an earlier run, read back to be compared with.
//!
//! It may have been written by a job that a stranger controls. Nothing in it can hide a finding: it only says which
//! findings are not news, and which versions were there.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::report::{Report, SCHEMA};
use crate::model::drift::{Baseline, Gone, Piece};
use crate::model::name::{FamilyName, ImageId, SiteName, VersionName};

/// The largest file that is read.
const LARGEST: usize = 64 << 20;

/// A file that is no report, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAReport(String);

impl fmt::Display for NotAReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a report that `gallerist drift --format json` wrote: {}", self.0)
    }
}

impl std::error::Error for NotAReport {}

/// What the report in a text said.
///
/// # Errors
/// The text is too large, or no such report.
pub fn read_baseline(text: &str) -> Result<Baseline, NotAReport> {
    if text.len() > LARGEST {
        return Err(NotAReport(format!("it has more than {} MiB", LARGEST >> 20)));
    }
    let report: Report = serde_json::from_str(text).map_err(|error| NotAReport(error.to_string()))?;
    if report.schema != SCHEMA {
        let other = report.schema.escape_debug();
        return Err(NotAReport(format!("its schema is `{other}`, this gallerist reads `{SCHEMA}`")));
    }
    let mut baseline = Baseline {
        checked_on: report.checked_at.to_zoned(TimeZone::UTC).date(),
        findings: report
            .findings
            .iter()
            .map(|finding| ((finding.address.clone(), finding.class.0), finding.since))
            .collect(),
        sites: report
            .sites
            .iter()
            .filter(|site| site.complete)
            .filter_map(|site| SiteName::parse(&*site.name).ok())
            .collect(),
        ..Baseline::default()
    };
    for family in &report.families {
        // A name of the wrong form is none of ours.
        let (Ok(site), Ok(name)) = (SiteName::parse(&*family.site), FamilyName::parse(&*family.family)) else {
            continue;
        };
        let versions = family.versions.iter().filter_map(|entry| {
            let days = (entry.built, entry.uploaded, entry.superseded);
            piece(&entry.version, &entry.id, &entry.name, days).map(|piece| (piece.version.clone(), piece))
        });
        baseline.versions.entry((site.clone(), name.clone())).or_default().extend(versions);
        let gone = family.gone.iter().filter_map(|entry| {
            let days = (entry.built, entry.uploaded, entry.superseded);
            let piece = piece(&entry.version, &entry.id, &entry.name, days)?;
            Some((piece.version.clone(), Gone { piece, on: entry.gone }))
        });
        baseline.gone.entry((site, name)).or_default().extend(gone);
    }
    Ok(baseline)
}

fn piece(version: &str, id: &str, name: &str, days: (Option<Date>, Option<Date>, Option<Date>)) -> Option<Piece> {
    let (built, uploaded, superseded) = days;
    Some(Piece {
        version: VersionName::parse(version).ok()?,
        image: ImageId::parse(id).ok()?,
        name: name.to_owned(),
        built,
        uploaded,
        superseded,
        users: None,
    })
}
