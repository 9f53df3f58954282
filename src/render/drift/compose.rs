//! Tells drift: from what the planner found to the report that every format shows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::report::{
    Acceptance, Change, FamilyEntry, Finding, Problem, Report, Resolved, SCHEMA, Site, Value, VersionEntry, Word,
};
use super::words;
use crate::manifest::Manifest;
use crate::model::drift::{self, Accepted, Baseline, Class, Fact, Facts, Hanging, State};
use crate::model::name::{CatalogueName, SiteName};
use crate::model::observed::Observed;
use crate::planner::drift::{resolved, standing};

/// What was found, and what is to be said around it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The catalogue.
    pub catalogue: &'a CatalogueName,
    /// The file that describes it, as it was named.
    pub config: &'a str,
    /// That file, for titles and lines.
    pub manifest: Option<&'a Manifest>,
    /// Every site of the catalogue.
    pub sites: &'a BTreeSet<SiteName>,
    /// Those that could be read.
    pub observed: &'a Observed,
    /// What was found.
    pub findings: &'a [drift::Finding],
    /// How every family hangs.
    pub hangings: &'a [Hanging],
    /// What could not be read.
    pub problems: &'a [Problem],
    /// What may be so.
    pub accepted: &'a [Accepted],
    /// What the report before said.
    pub baseline: Option<&'a Baseline>,
    /// The classes that fail the run.
    pub fail_on: &'a BTreeSet<Class>,
    /// The time.
    pub now: Timestamp,
}

/// The report.
pub fn compose(told: &Told<'_>) -> Report {
    let today = told.now.to_zoned(TimeZone::UTC).date();
    let findings: Vec<Finding> = told.findings.iter().map(|finding| self::finding(told, finding, today)).collect();
    let complete = told.problems.is_empty();
    let counted = |class: Class| findings.iter().filter(|finding| finding.class.0 == class).count();
    // Of what was not read nobody knows whether it has gone.
    let gone = told.baseline.filter(|_| complete).map(|baseline| resolved(told.findings, baseline)).unwrap_or_default();
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
        resolved: gone
            .into_iter()
            .map(|(address, class, since)| Resolved { address: address.to_owned(), class: Word(class), since })
            .collect(),
        families: told.hangings.iter().map(|hanging| family(told, hanging, today)).collect(),
        findings,
    }
}

fn finding(told: &Told<'_>, finding: &drift::Finding, today: Date) -> Finding {
    let standing = standing(finding, told.accepted, told.baseline, today);
    Finding {
        address: finding.subject.to_string(),
        class: Word(finding.class),
        state: Word(standing.state),
        since: standing.since,
        change: Change { before: finding.before.as_ref().map(values), after: finding.after.as_ref().map(values) },
        fix: words::fix(&finding.fix),
        site: finding.site.to_string(),
        family: finding.subject.family().map(ToString::to_string),
        id: finding.image.as_ref().map(ToString::to_string),
        accepted: standing
            .accepted
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
    let spec = told.manifest.and_then(|manifest| Some((manifest, manifest.families.get(&hanging.family)?)));
    let shown = hanging.shown();
    let built = shown.and_then(|piece| piece.built);
    let upstream_built = hanging.upstream.as_ref().and_then(|(_, built)| *built);
    let days = |from: Date, to: Date| (to - from).get_days();
    let same = hanging.latest.is_some() && hanging.latest.as_ref() == hanging.upstream.as_ref().map(|(name, _)| name);
    FamilyEntry {
        family: hanging.family.to_string(),
        site: hanging.site.to_string(),
        title: spec.map(|(_, family)| family.title.clone()),
        line: spec.map(|(manifest, family)| manifest.file.position(family.span.start).line),
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
            })
            .collect(),
    }
}
