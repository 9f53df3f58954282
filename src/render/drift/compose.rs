//! Tells drift: from what the planner found to the report that every format shows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::report::{
    Acceptance, Change, FamilyEntry, Finding, GoneEntry, Problem, ProjectUsers, Report, Resolved, SCHEMA, Site, Users,
    Value, VersionEntry, Word,
};
use super::words;
use crate::model::drift::{self, Class, Fact, Facts, Hanging, Judged, State};
use crate::model::name::{CatalogueName, FamilyName, ProjectId, SiteName};
use crate::model::observed::Observed;
use crate::model::usage::{Usage, UserKind};

/// What was found, and what is to be said around it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The catalogue.
    pub catalogue: &'a CatalogueName,
    /// The file that describes it, as it was named.
    pub config: &'a str,
    /// The families in it: the title, and the line that begins it.
    pub written: &'a BTreeMap<FamilyName, (String, usize)>,
    /// Every site of the catalogue.
    pub sites: &'a BTreeSet<SiteName>,
    /// Those that could be read.
    pub observed: &'a Observed,
    /// What was found.
    pub findings: &'a [Judged],
    /// How every family hangs.
    pub hangings: &'a [Hanging],
    /// The names of projects that use something, where they are known.
    pub projects: &'a BTreeMap<ProjectId, String>,
    /// What could not be read.
    pub problems: &'a [Problem],
    /// What the report before had found and is no more.
    pub resolved: &'a [drift::Resolved],
    /// The classes that fail the run.
    pub fail_on: &'a BTreeSet<Class>,
    /// The time.
    pub now: Timestamp,
}

/// The report.
pub fn compose(told: &Told<'_>) -> Report {
    let today = told.now.to_zoned(TimeZone::UTC).date();
    let findings: Vec<Finding> = told.findings.iter().map(finding).collect();
    let complete = told.problems.is_empty();
    let counted = |class: Class| findings.iter().filter(|finding| finding.class.0 == class).count();
    Report {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: told.catalogue.to_string(),
        config: told.config.to_owned(),
        complete,
        problems: told.problems.to_vec(),
        checked_at: told.now,
        summary: Class::ALL.iter().map(|class| (class.name().to_owned(), counted(*class))).collect(),
        fail_on: told.fail_on.iter().copied().map(Word).collect(),
        sites: told.sites.iter().map(|name| site(told, name, &findings)).collect(),
        resolved: told
            .resolved
            .iter()
            .map(|drift::Resolved { address, class, since }| Resolved {
                address: address.clone(),
                class: Word(*class),
                since: *since,
            })
            .collect(),
        families: told.hangings.iter().map(|hanging| family(told, hanging, today)).collect(),
        findings,
    }
}

fn finding(judged: &Judged) -> Finding {
    let Judged { finding, state, since, accepted } = judged;
    Finding {
        address: finding.subject.to_string(),
        class: Word(finding.class),
        state: Word(*state),
        since: *since,
        change: Change { before: finding.before.as_ref().map(values), after: finding.after.as_ref().map(values) },
        fix: words::fix(&finding.fix),
        site: finding.site.to_string(),
        family: finding.subject.family().map(ToString::to_string),
        id: finding.image.as_ref().map(ToString::to_string),
        accepted: accepted
            .as_ref()
            .map(|accepted| Acceptance { reason: accepted.reason.clone(), until: accepted.until }),
    }
}

fn values(facts: &Facts) -> BTreeMap<String, Value> {
    let value = |fact: &Fact| match fact {
        Fact::Text(text) => Value::Text(text.clone()),
        Fact::Flag(flag) => Value::Flag(*flag),
        Fact::Number(number) => Value::Number(*number),
        Fact::Texts(texts) => Value::Texts(texts.clone()),
    };
    facts.iter().map(|(name, fact)| (name.clone(), value(fact))).collect()
}

fn site(told: &Told<'_>, name: &SiteName, findings: &[Finding]) -> Site {
    let Some(view) = told.observed.sites.get(name) else {
        return Site { name: name.to_string(), complete: false, managed: 0, in_sync: 0 };
    };
    let open = |address: &str| {
        let about = |finding: &&Finding| finding.site == name.as_str() && finding.state.0 != State::Accepted;
        findings.iter().filter(about).any(|finding| finding.id.as_deref() == Some(address))
    };
    let owned: Vec<_> = view.owned(told.catalogue).collect();
    let in_sync = owned.iter().filter(|image| !open(image.id().as_str())).count();
    Site { name: name.to_string(), complete: true, managed: owned.len(), in_sync }
}

fn family(told: &Told<'_>, hanging: &Hanging, today: Date) -> FamilyEntry {
    let written = told.written.get(&hanging.family);
    let shown = hanging.shown();
    let built = shown.and_then(|piece| piece.built);
    let upstream_built = hanging.upstream.as_ref().and_then(|(_, built)| *built);
    let days = |from: Date, to: Date| (to - from).get_days();
    let same = hanging.latest.is_some() && hanging.latest.as_ref() == hanging.upstream.as_ref().map(|(name, _)| name);
    FamilyEntry {
        family: hanging.family.to_string(),
        site: hanging.site.to_string(),
        title: written.map(|(title, _)| title.clone()),
        line: written.map(|(_, line)| *line),
        latest: hanging.latest.as_ref().map(ToString::to_string),
        built,
        uploaded: shown.and_then(|piece| piece.uploaded),
        age_days: shown.and_then(drift::Piece::published).map(|day| days(day, today)),
        upstream: hanging.upstream.as_ref().map(|(name, _)| name.to_string()),
        upstream_built,
        behind_days: if same { Some(0) } else { built.zip(upstream_built).map(|(from, to)| days(from, to).max(0)) },
        versions: hanging
            .versions
            .iter()
            .map(|piece| VersionEntry {
                version: piece.version.to_string(),
                id: piece.image.to_string(),
                name: piece.name.clone(),
                built: piece.built,
                uploaded: piece.uploaded,
                superseded: piece.superseded,
                users: piece.users.as_ref().map(|usage| users(usage, told.projects)),
            })
            .collect(),
        gone: hanging
            .gone
            .iter()
            .map(|drift::Gone { piece, on }| GoneEntry {
                version: piece.version.to_string(),
                id: piece.image.to_string(),
                name: piece.name.clone(),
                built: piece.built,
                uploaded: piece.uploaded,
                superseded: piece.superseded,
                gone: *on,
            })
            .collect(),
    }
}

fn users(usage: &Usage, names: &BTreeMap<ProjectId, String>) -> Users {
    let mut projects: BTreeMap<Option<ProjectId>, ProjectUsers> = BTreeMap::new();
    for user in usage.users() {
        let project = projects.entry(user.project.clone()).or_insert_with(|| ProjectUsers {
            project_id: user.project.as_ref().map(ToString::to_string),
            project: user.project.as_ref().and_then(|project| names.get(project).cloned()),
            ..ProjectUsers::default()
        });
        match user.kind {
            UserKind::Server => project.servers.push(user.id),
            UserKind::Volume => project.volumes.push(user.id),
            UserKind::Snapshot | UserKind::Member => project.others += 1,
        }
    }
    Users { complete: usage.unknown().is_empty(), projects: projects.into_values().collect() }
}
