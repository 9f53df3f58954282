//! Reports made by hand, for the tests of this room.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::report::{
    Acceptance, Change, FamilyEntry, Finding, GoneEntry, Problem, ProjectUsers, Report, Resolved, SCHEMA, Site, Users,
    Value, VersionEntry, Word,
};
use crate::model::drift::{Class, State};

fn texts(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, Value>> {
    let texts = pairs.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned())));
    (!pairs.is_empty()).then(|| texts.collect())
}

fn finding(class: Class, address: &str, state: State, before: &[(&str, &str)], after: &[(&str, &str)]) -> Finding {
    Finding {
        address: address.to_owned(),
        class: Word(class),
        state: Word(state),
        since: (state != State::New).then(|| date(2026, 11, 20)),
        change: Change { before: texts(before), after: texts(after) },
        fix: "apply does it".to_owned(),
        site: "fra1".to_owned(),
        family: address.split_once('/').map(|(family, _)| family.to_owned()),
        id: None,
        accepted: None,
    }
}

/// A family and its versions: version, built, superseded.
fn family(name: &str, upstream: (&str, Date), versions: &[(&str, Date, Option<Date>)]) -> FamilyEntry {
    let latest = versions.first().filter(|(.., superseded)| superseded.is_none());
    let days = |from: Date, to: Date| (to - from).get_days();
    FamilyEntry {
        family: name.to_owned(),
        site: "fra1".to_owned(),
        title: Some(name.to_owned()),
        line: Some(17),
        latest: latest.map(|(version, ..)| (*version).to_owned()),
        built: latest.map(|(_, built, _)| *built),
        uploaded: latest.map(|(_, built, _)| built.tomorrow().unwrap()),
        age_days: latest.map(|(_, built, _)| days(*built, date(2026, 11, 23))),
        upstream: Some(upstream.0.to_owned()),
        upstream_built: Some(upstream.1),
        behind_days: latest.map(|(_, built, _)| days(*built, upstream.1)),
        versions: versions
            .iter()
            .map(|(version, built, superseded)| VersionEntry {
                version: (*version).to_owned(),
                id: format!("id-of-{version}"),
                name: format!("{name} {version}"),
                built: Some(*built),
                uploaded: Some(built.tomorrow().unwrap()),
                superseded: *superseded,
                users: None,
            })
            .collect(),
        gone: Vec::new(),
    }
}

fn report(findings: Vec<Finding>, families: Vec<FamilyEntry>) -> Report {
    let counted = |class: Class| findings.iter().filter(|finding| finding.class.0 == class).count();
    Report {
        schema: SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        catalogue: "wiit-public".to_owned(),
        config: "images.toml".to_owned(),
        complete: true,
        problems: Vec::new(),
        checked_at: "2026-11-23T03:34:07Z".parse().unwrap(),
        summary: Class::ALL.iter().map(|class| (class.name().to_owned(), counted(*class))).collect(),
        fail_on: [Class::Changed, Class::Missing, Class::Duplicate].map(Word).into(),
        sites: vec![Site { name: "fra1".to_owned(), complete: true, managed: 9, in_sync: 9 }],
        findings,
        resolved: Vec::new(),
        families,
    }
}

fn families() -> Vec<FamilyEntry> {
    let mut families = vec![
        family(
            "debian-12",
            ("20261110-2300", date(2026, 11, 10)),
            &[
                ("20261110-2300", date(2026, 11, 10), None),
                ("20260807-2120", date(2026, 8, 7), Some(date(2026, 11, 12))),
            ],
        ),
        family("flatcar", ("4593.2.5", date(2026, 11, 1)), &[("4459.1.0", date(2026, 7, 2), Some(date(2026, 10, 1)))]),
        family("rocky-9", ("9.9-20261116", date(2026, 11, 16)), &[("9.8-20260819", date(2026, 8, 19), None)]),
        family(
            "ubuntu-24.04",
            ("20261118", date(2026, 11, 18)),
            &[
                ("20261015", date(2026, 10, 15), None),
                ("20260901", date(2026, 9, 1), Some(date(2026, 10, 16))),
                ("20260620", date(2026, 6, 20), Some(date(2026, 9, 3))),
            ],
        ),
    ];
    // A version that a tenant still uses, one of which nobody could say so, and one that is gone.
    let debian = &mut families[0];
    let tenant = ProjectUsers {
        project_id: Some("7be2".to_owned()),
        project: Some("webshop".to_owned()),
        servers: vec!["c0ffee".to_owned(), "beef".to_owned()],
        volumes: vec!["f00d".to_owned()],
        others: 0,
    };
    debian.versions[1].users = Some(Users { complete: true, projects: vec![tenant] });
    debian.gone = vec![GoneEntry {
        version: "20260701-2000".to_owned(),
        id: "id-of-20260701-2000".to_owned(),
        name: "debian-12 20260701-2000".to_owned(),
        built: Some(date(2026, 7, 1)),
        uploaded: Some(date(2026, 7, 2)),
        superseded: Some(date(2026, 8, 9)),
        gone: date(2026, 10, 2),
    }];
    families[3].versions[1].users = Some(Users { complete: false, projects: Vec::new() });
    families[3].versions[2].users = Some(Users { complete: true, projects: Vec::new() });
    families
}

/// One finding of each class, in every state.
pub(super) fn busy() -> Report {
    let mut accepted = finding(Class::Stale, "rocky-9/9.8-20260819", State::Accepted, &[], &[("built", "2026-08-19")]);
    accepted.accepted = Some(Acceptance { reason: "9.9 has no cloud image yet".to_owned(), until: date(2026, 12, 24) });
    let foreign = "0773d580-2b53-4ee8-b0e3-e6ddfa6c2365";
    let mut report = report(
        vec![
            Finding {
                fix: "apply puts it back".to_owned(),
                id: Some("28700b18-d137-a2eb-41d4-4a22c44057c0".to_owned()),
                ..finding(
                    Class::Changed,
                    "debian-12/20261110-2300",
                    State::New,
                    &[("hw_disk_bus", "scsi"), ("name", "Debian 12 Bookworm - Latest")],
                    &[("hw_disk_bus", "virtio"), ("name", "Peter's"), ("note", "by hand")],
                )
            },
            finding(Class::Changed, "debian-12/20260807-2120", State::Known, &[], &[]),
            Finding {
                address: "flatcar".to_owned(),
                family: Some("flatcar".to_owned()),
                ..finding(Class::Missing, "", State::New, &[], &[])
            },
            finding(Class::Duplicate, "ubuntu-24.04/20261015", State::New, &[], &[("name", "Ubuntu 24.04 - Latest")]),
            finding(Class::Pending, "ubuntu-24.04/20261015", State::New, &[("min_ram", "512")], &[("min_ram", "1024")]),
            finding(
                Class::Outdated,
                "ubuntu-24.04/20261015",
                State::Known,
                &[("version", "20261015")],
                &[("version", "20261118")],
            ),
            accepted,
            finding(Class::Unmanaged, foreign, State::Known, &[], &[("name", "cirros")]),
            finding(Class::Broken, "rocky-9/9.8-20260819", State::New, &[("digest", "aa")], &[("digest", "bb")]),
        ],
        families(),
    );
    report.sites[0].in_sync = 4;
    report.resolved = vec![Resolved {
        address: "cirros-0.6".to_owned(),
        class: Word(Class::Changed),
        since: Some(date(2026, 11, 2)),
    }];
    report
}

/// Everything is as it should be.
pub(super) fn quiet() -> Report {
    let families = families().into_iter().filter(|family| family.family == "debian-12").collect();
    report(Vec::new(), families)
}

/// A site and a publisher that could not be read.
pub(super) fn partial() -> Report {
    let mut report = quiet();
    report.complete = false;
    report.sites.push(Site { name: "dus2".to_owned(), complete: false, managed: 0, in_sync: 0 });
    let problem = |kind: &str, name: &str, detail: &str| Problem {
        kind: kind.to_owned(),
        name: name.to_owned(),
        detail: detail.to_owned(),
    };
    report.problems = vec![
        problem("site", "dus2", "Glance answered 503"),
        problem("upstream", "rocky-9", "dl.rockylinux.org does not answer"),
    ];
    report
}

/// A report in which this text stands wherever others may write.
pub(in crate::render) fn hostile(text: &str) -> Report {
    let mut report = partial();
    let owned = || text.to_owned();
    report.findings = busy().findings;
    report.resolved = busy().resolved;
    for finding in &mut report.findings {
        finding.address.push_str(text);
        finding.site.push_str(text);
        if let Some(family) = &mut finding.family {
            family.push_str(text);
        }
        finding.fix = owned();
        let values =
            BTreeMap::from([(owned(), Value::Text(owned())), ("ids".to_owned(), Value::Texts(vec![owned(), owned()]))]);
        finding.change = Change { before: Some(values.clone()), after: Some(values) };
        if let Some(accepted) = &mut finding.accepted {
            accepted.reason = owned();
        }
    }
    for resolved in &mut report.resolved {
        resolved.address = owned();
    }
    for problem in &mut report.problems {
        problem.detail = owned();
    }
    for family in &mut report.families {
        family.family.push_str(text);
        family.site.push_str(text);
        family.latest = Some(owned());
        family.upstream = Some(owned());
        for gone in &mut family.gone {
            gone.version = owned();
        }
        for version in &mut family.versions {
            version.version = owned();
            version.name = owned();
            for project in version.users.iter_mut().flat_map(|users| &mut users.projects) {
                (project.project_id, project.project) = (Some(owned()), Some(format!("the {text}")));
                project.servers = vec![owned()];
            }
        }
    }
    report.config = owned();
    report.sites[0].name.push_str(text);
    report
}
