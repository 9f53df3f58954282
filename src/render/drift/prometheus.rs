//! Drift for node_exporter's textfile collector.
//!
//! The rules of the collector and of Prometheus' naming: base units, points in time and never ages (those would stand
//! still between two runs), no timestamps on samples (the collector refuses them), every status also when it is 0 (else
//! an alert never resolves), no ids as labels. A run that fails keeps when a check last succeeded from the file that it
//! replaces, so that `time() - gallerist_last_success_timestamp_seconds` tells how long nothing has been known.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::report::{FamilyEntry, Report, Site};
use crate::model::drift::{Class, State};
use crate::render::escape::terminal;

const LAST_SUCCESS: &str = "gallerist_last_success_timestamp_seconds";

/// The metrics. `before` is the text of the file they are to replace.
pub(super) fn render(report: &Report, before: Option<&str>) -> String {
    let mut page = Page { catalogue: &report.catalogue, text: String::new() };
    page.metric(
        "gallerist_build_info",
        "The program that made the last check.",
        [(vec![("version", report.version.as_str())], 1)],
    );
    page.metric(
        "gallerist_check_success",
        "Whether the last check could read the site (1) or not (0).",
        report.sites.iter().map(|site| (vec![("site", site.name.as_str())], i64::from(site.complete))),
    );
    let last: Vec<_> = report
        .sites
        .iter()
        .filter_map(|site| Some((vec![("site", site.name.as_str())], last_success(report, site, before)?)))
        .collect();
    page.metric(LAST_SUCCESS, "When a check last could read the site.", last);
    page.metric(
        "gallerist_upstream_check_success",
        "Whether the last check could read the publisher of an image (1) or not (0).",
        upstream(report).map(|(family, success)| (vec![("image", family)], success)),
    );
    page.metric(
        "gallerist_images",
        "Images by how they stand to images.toml; one that stands in several ways is counted in each.",
        report.sites.iter().filter(|site| site.complete).flat_map(|site| statuses(report, site)),
    );
    page.metric(
        "gallerist_image_latest_build_timestamp_seconds",
        "Day on which the version that tenants get was built.",
        each(report, |family| family.built.and_then(seconds)),
    );
    page.metric(
        "gallerist_image_latest_upload_timestamp_seconds",
        "Day on which the version that tenants get was first uploaded.",
        each(report, |family| family.uploaded.and_then(seconds)),
    );
    page.metric(
        "gallerist_image_versions",
        "Versions of an image that are there, superseded ones among them.",
        each(report, |family| i64::try_from(family.versions.len()).ok()),
    );
    let mut newest: Vec<(&str, i64)> = report
        .families
        .iter()
        .filter_map(|family| Some((family.family.as_str(), family.upstream_built.and_then(seconds)?)))
        .collect();
    newest.dedup_by_key(|(family, _)| *family);
    page.metric(
        "gallerist_upstream_latest_build_timestamp_seconds",
        "Day on which the newest version that the publisher offers was built.",
        newest.into_iter().map(|(family, built)| (vec![("image", family)], built)),
    );
    page.text
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

struct Page<'a> {
    catalogue: &'a str,
    text: String,
}

impl Page<'_> {
    fn metric<'b>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels<'b>, i64)>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in samples {
            let _ = writeln!(self.text, "{} {value}", series(name, self.catalogue, &labels));
        }
    }
}

fn series(name: &str, catalogue: &str, labels: &[(&'static str, &str)]) -> String {
    let labels: Vec<_> = std::iter::once(&("catalogue", catalogue))
        .chain(labels)
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// The three characters that the text format has escapes for. What a terminal would obey is spelt out before.
fn escaped(value: &str) -> String {
    terminal(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn last_success(report: &Report, site: &Site, before: Option<&str>) -> Option<i64> {
    if site.complete {
        return Some(report.checked_at.as_second());
    }
    let series = series(LAST_SUCCESS, &report.catalogue, &[("site", site.name.as_str())]);
    before?.lines().find_map(|line| line.strip_prefix(&series)?.trim().parse().ok())
}

/// The families whose publisher was asked, and whether it answered.
fn upstream(report: &Report) -> impl Iterator<Item = (&str, i64)> {
    let failed =
        |family: &str| report.problems.iter().any(|problem| problem.kind == "upstream" && problem.name == family);
    let mut names: Vec<&str> = report.families.iter().map(|family| family.family.as_str()).collect();
    names.extend(report.problems.iter().filter(|problem| problem.kind == "upstream").map(|problem| &*problem.name));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(move |family| (family, i64::from(!failed(family))))
}

fn statuses<'a>(report: &'a Report, site: &'a Site) -> impl Iterator<Item = (Labels<'a>, i64)> {
    let here = || report.findings.iter().filter(|finding| finding.site == site.name);
    let classes = Class::ALL.iter().map(move |class| {
        let open = here().filter(|finding| finding.state.0 != State::Accepted && finding.class.0 == *class);
        (class.name(), open.count())
    });
    let accepted = here().filter(|finding| finding.state.0 == State::Accepted).count();
    [("in_sync", site.in_sync)].into_iter().chain(classes).chain([("accepted", accepted)]).map(|(status, number)| {
        (vec![("site", site.name.as_str()), ("status", status)], i64::try_from(number).unwrap_or(i64::MAX))
    })
}

fn each(report: &Report, value: impl Fn(&FamilyEntry) -> Option<i64>) -> impl Iterator<Item = (Labels<'_>, i64)> {
    report
        .families
        .iter()
        .filter_map(move |family| Some((vec![("site", &*family.site), ("image", &*family.family)], value(family)?)))
}

fn seconds(day: Date) -> Option<i64> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}
