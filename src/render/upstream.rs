//! What publishers offer against what tenants get: the document of `gallerist upstream`, and its two forms.

use std::cmp::Ordering;

use jiff::civil::Date;
use serde::Serialize;

use super::escape::terminal;
use super::style::{Styles, paint};
use super::table::table;
use super::words;
use crate::model::name::{FamilyName, SiteName, VersionName};
use crate::model::source::Architecture;
use crate::model::version::Version;

/// Every family, newest against latest.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UpstreamReport {
    /// Those whose publisher could be asked.
    pub families: Vec<Offer>,
    /// What could not be found out.
    pub errors: Vec<Unanswered>,
}

/// The newest version of one family, and what the sites have.
#[derive(Debug, Clone, Serialize)]
pub struct Offer {
    family: String,
    architecture: &'static str,
    version: String,
    url: String,
    digest: String,
    size: Option<u64>,
    built: Option<Date>,
    trust: String,
    latest: Vec<OnSite>,
    #[serde(skip)]
    standings: Vec<Standing>,
}

/// The latest version of a family on a site.
#[derive(Debug, Clone, Serialize)]
struct OnSite {
    site: String,
    /// None where the site has none.
    version: Option<String>,
}

/// A question without an answer: of a family's publisher, or of a site.
#[derive(Debug, Clone, Serialize)]
pub struct Unanswered {
    /// The family whose publisher was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The site that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What went wrong.
    pub error: String,
}

/// How a site stands to the publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Current,
    Behind,
    Ahead,
    Missing,
}

impl Standing {
    const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Ahead => "ahead of the publisher",
            Self::Missing => "missing",
        }
    }
}

impl Offer {
    /// What a publisher offers of a family, and the latest version on each site that could be read.
    pub fn new(
        family: &FamilyName,
        architecture: Architecture,
        newest: &Version,
        latest: &[(SiteName, Option<VersionName>)],
    ) -> Self {
        let standing = |version: &Option<VersionName>| match version.as_ref().map(|it| it.compare_age(&newest.name)) {
            None => Standing::Missing,
            Some(Ordering::Less) => Standing::Behind,
            Some(Ordering::Equal) => Standing::Current,
            Some(Ordering::Greater) => Standing::Ahead,
        };
        Self {
            family: family.to_string(),
            architecture: architecture.name(),
            version: newest.name.to_string(),
            url: newest.origin.to_string(),
            digest: newest.published.strongest().to_string(),
            size: newest.size,
            built: newest.built,
            trust: newest.assurance().to_string(),
            latest: latest
                .iter()
                .map(|(site, version)| OnSite {
                    site: site.to_string(),
                    version: version.as_ref().map(ToString::to_string),
                })
                .collect(),
            standings: latest.iter().map(|(_, version)| standing(version)).collect(),
        }
    }

    fn cells(&self) -> [String; 4] {
        let built = self.built.map(|date| date.to_string()).unwrap_or_default();
        let trust = self.trust.split(':').next().unwrap_or_default().to_owned();
        [self.family.clone(), self.version.clone(), built, trust]
    }
}

/// For programs.
pub fn json(report: &UpstreamReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is made of texts and numbers");
    format!("{}\n", crate::render::escape::json(&text))
}

/// For people.
pub fn human(report: &UpstreamReport, styles: Styles) -> String {
    let mut text =
        if report.families.iter().all(|offer| offer.latest.is_empty()) { offers(report) } else { comparison(report) };
    if !report.errors.is_empty() {
        text.extend(["\n", &paint("Not answered:", styles.refused), "\n"]);
        for Unanswered { family, site, error } in &report.errors {
            let about = family.as_deref().or(site.as_deref()).unwrap_or("?");
            text.extend(["  ", &terminal(about), ": ", &terminal(error), "\n"]);
        }
    }
    format!("{text}\n{}\n", conclusion(report))
}

fn offers(report: &UpstreamReport) -> String {
    let rows: Vec<_> = report
        .families
        .iter()
        .map(|offer| {
            let [family, newest, built, trust] = offer.cells();
            [family, newest, built, trust, offer.size.map(words::size).unwrap_or_default()]
        })
        .collect();
    if rows.is_empty() { String::new() } else { table(["FAMILY", "NEWEST", "BUILT", "TRUST", "SIZE"], &rows) }
}

fn comparison(report: &UpstreamReport) -> String {
    let mut rows = Vec::new();
    for offer in &report.families {
        for (on_site, standing) in offer.latest.iter().zip(&offer.standings) {
            let [family, newest, built, trust] = offer.cells();
            let version = on_site.version.clone().unwrap_or_default();
            rows.push([family, newest, built, trust, on_site.site.clone(), version, standing.word().to_owned()]);
        }
    }
    table(["FAMILY", "NEWEST", "BUILT", "TRUST", "SITE", "LATEST", ""], &rows)
}

fn conclusion(report: &UpstreamReport) -> String {
    let counted = |standing| report.families.iter().filter(|offer| offer.standings.contains(&standing)).count();
    let families = match report.families.len() {
        1 => "1 family".to_owned(),
        number => format!("{number} families"),
    };
    let unanswered = report.errors.len();
    let mut parts = vec![match (counted(Standing::Behind), counted(Standing::Missing)) {
        (0, 0) if report.families.iter().any(|offer| !offer.latest.is_empty()) => format!("{families}, all current"),
        (0, 0) => families,
        (behind, 0) => format!("{families}, {behind} behind"),
        (0, missing) => format!("{families}, {missing} missing"),
        (behind, missing) => format!("{families}, {behind} behind, {missing} missing"),
    }];
    if unanswered > 0 {
        parts.push(format!("{} not answered", words::count(unanswered, "question")));
    }
    format!("{}.", parts.join("; "))
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::digest::Digest;
    use crate::model::version::{Compression, DiskFormat, Origin, Trust};

    fn version(name: &str, trust: Trust) -> Version {
        let digest: Digest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
        Version {
            name: VersionName::parse(name).unwrap(),
            origin: Origin::Url(format!("https://publisher.example/{name}.img")),
            published: digest.into(),
            stored: None,
            size: Some(625_000_000),
            compression: Compression::None,
            disk_format: DiskFormat::Qcow2,
            built: Some(date(2026, 11, 18)),
            trust,
            signature: None,
            packages: None,
        }
    }

    fn offer(family: &str, newest: &str, trust: Trust, latest: &[(&str, Option<&str>)]) -> Offer {
        let latest: Vec<_> = latest
            .iter()
            .map(|(site, version)| {
                (SiteName::parse(*site).unwrap(), version.map(|version| VersionName::parse(version).unwrap()))
            })
            .collect();
        Offer::new(&FamilyName::parse(family).unwrap(), Architecture::X86_64, &version(newest, trust), &latest)
    }

    fn report() -> UpstreamReport {
        let signed = Trust::Signed { fingerprint: "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81".to_owned() };
        UpstreamReport {
            families: vec![
                offer("debian-12", "20261117-2637", Trust::Https, &[("fra1", Some("20261117-2637")), ("dus2", None)]),
                offer("ubuntu-24.04", "20261118", signed, &[("fra1", Some("20261015")), ("dus2", Some("20261201"))]),
            ],
            errors: vec![Unanswered {
                family: Some("rocky-9".to_owned()),
                site: None,
                error: "`https://rocky.example/` answered 503\u{1b}[2J".to_owned(),
            }],
        }
    }

    /// The report with this text wherever others may write.
    pub(in crate::render) fn hostile_report(text: &str) -> UpstreamReport {
        let mut report = report();
        for offer in &mut report.families {
            offer.version = text.to_owned();
            offer.url = text.to_owned();
            offer.latest[0].version = Some(text.to_owned());
        }
        report.errors[0].error = text.to_owned();
        report
    }

    #[test]
    fn people_see_who_is_behind() {
        insta::assert_snapshot!(human(&report(), Styles::default()), @r#"
        FAMILY        NEWEST         BUILT       TRUST   SITE  LATEST
        debian-12     20261117-2637  2026-11-18  https   fra1  20261117-2637  current
        debian-12     20261117-2637  2026-11-18  https   dus2  -              missing
        ubuntu-24.04  20261118       2026-11-18  signed  fra1  20261015       behind
        ubuntu-24.04  20261118       2026-11-18  signed  dus2  20261201       ahead of the publisher

        Not answered:
          rocky-9: `https://rocky.example/` answered 503\u{1b}[2J

        2 families, 1 behind, 1 missing; 1 question not answered.
        "#);
        let only = UpstreamReport { families: vec![offer("a", "1", Trust::Https, &[])], errors: Vec::new() };
        insta::assert_snapshot!(human(&only, Styles::default()), @r#"
        FAMILY  NEWEST  BUILT       TRUST  SIZE
        a       1       2026-11-18  https  596 MiB

        1 family.
        "#);
    }

    #[test]
    fn programs_get_what_is_promised() {
        insta::assert_snapshot!(json(&report()), @r#"
        {
          "families": [
            {
              "family": "debian-12",
              "architecture": "x86_64",
              "version": "20261117-2637",
              "url": "https://publisher.example/20261117-2637.img",
              "digest": "sha256:abababababababababababababababababababababababababababababababab",
              "size": 625000000,
              "built": "2026-11-18",
              "trust": "https",
              "latest": [
                {
                  "site": "fra1",
                  "version": "20261117-2637"
                },
                {
                  "site": "dus2",
                  "version": null
                }
              ]
            },
            {
              "family": "ubuntu-24.04",
              "architecture": "x86_64",
              "version": "20261118",
              "url": "https://publisher.example/20261118.img",
              "digest": "sha256:abababababababababababababababababababababababababababababababab",
              "size": 625000000,
              "built": "2026-11-18",
              "trust": "signed:D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81",
              "latest": [
                {
                  "site": "fra1",
                  "version": "20261015"
                },
                {
                  "site": "dus2",
                  "version": "20261201"
                }
              ]
            }
          ],
          "errors": [
            {
              "family": "rocky-9",
              "error": "`https://rocky.example/` answered 503\u001b[2J"
            }
          ]
        }
        "#);
    }
}
