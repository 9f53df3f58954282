//! What tenants should find: that it is there, new enough, and still what its publisher says.
//!
//! The problem: a version that somebody deleted leaves nothing behind on the cloud. The idea: the file names every
//! family, so one without a latest version is missing; whether somebody deleted it or nobody applied it yet cannot be
//! told from the cloud, and the worse of both is assumed unless the report before knows better. A superseded version
//! that is gone is usually one that `apply` deleted; it is missing if the report before had it, and its lifecycle could
//! not have ended yet or somebody still uses it, for `apply` deletes nothing that is in use. What this does not solve:
//! without that report, nobody misses it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::super::casting::changed_bytes;
use super::{Evidence, Place, facts};
use crate::model::desired::{Chosen, Wanted};
use crate::model::drift::{Class, Fact, Finding, Fix, Piece};
use crate::model::image::Status;
use crate::model::lifecycle::DeleteWhen;
use crate::model::name::VersionName;
use crate::model::ours::{Condemned, OwnedImage, Role};
use crate::model::usage::Sighting;
use crate::model::version::Version;

/// Versions that are not there, or of no use.
pub(super) fn missing(evidence: &Evidence<'_>, place: &Place<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if place.family.is_some() && place.present().is_none() {
        let class = if place.never_was(evidence) { Class::Pending } else { Class::Missing };
        let wanted = place.family.and_then(|family| family.wanted.name());
        let after = wanted.filter(|_| class == Class::Pending).map(|version| facts::text("version", version));
        findings.push(place.finding(class, None, Fix::Apply).change(None, after));
    }
    findings.extend(place.images.iter().filter_map(|image| place.unusable(image)));
    findings.extend(place.vanished(evidence).filter_map(|piece| {
        let users = match place.view.sighting(&piece.image) {
            Sighting::InUse(users) => users,
            Sighting::Unused(_) | Sighting::Unknown(_) if place.may_have_ended(piece) => return None,
            Sighting::Unused(_) | Sighting::Unknown(_) => Vec::new(),
        };
        let users = users.iter().map(|user| format!("{} {}", user.kind.name(), user.id)).collect();
        let after = (!Vec::is_empty(&users)).then(|| facts::only("used_by", Fact::Texts(users)));
        let finding = place.finding(Class::Missing, Some(&piece.version), Fix::Gone);
        Some(finding.change(facts::text("status", &Status::Active), after))
    }));
    findings
}

/// Newer versions than tenants get, and older ones that they are to get.
pub(super) fn behind(evidence: &Evidence<'_>, place: &Place<'_>) -> Option<Finding> {
    let family = place.family?;
    let image = place.present()?;
    let present = &image.marks().version;
    let Wanted::Version { name: wanted, chosen, .. } = &family.wanted else { return None };
    let newest = evidence.newest.get(&place.name).map(|version| &version.name);
    let (class, next, fix) = match (wanted.compare_age(present), chosen) {
        (Ordering::Greater, _) => (Class::Outdated, wanted, Fix::Apply),
        (Ordering::Less, Chosen::Pinned) => (Class::Pending, wanted, Fix::Apply),
        (Ordering::Less, _) if family.skip.contains(present) => (Class::Pending, wanted, Fix::Apply),
        (Ordering::Equal, Chosen::Locked) => {
            let newest = newest.filter(|newest| newest.compare_age(present) == Ordering::Greater)?;
            (Class::Outdated, newest, Fix::Lock(place.name.clone()))
        }
        (Ordering::Less, Chosen::Newest | Chosen::Locked | Chosen::Written)
        | (Ordering::Equal, Chosen::Newest | Chosen::Pinned | Chosen::Written) => return None,
    };
    let finding = place.finding(class, Some(present), fix).about(image.id());
    Some(finding.change(facts::text("version", present), facts::text("version", next)))
}

/// The latest version, where it is older than it may be.
pub(super) fn stale(evidence: &Evidence<'_>, place: &Place<'_>) -> Option<Finding> {
    let (present, max_age) = (place.present().filter(|_| place.family.is_some())?, evidence.max_age?);
    let (what, day) = match present.marks().built {
        Some(built) => ("built", built),
        None => ("uploaded", present.uploaded()?),
    };
    // An age of 30 days may be reached; only beyond it somebody is told.
    let beyond = day.tomorrow().ok()?;
    max_age.is_reached(beyond, place.context.today).then(|| {
        let finding = place.finding(Class::Stale, Some(&present.marks().version), Fix::LookUpstream);
        finding.about(present.id()).change(None, facts::text(what, &day))
    })
}

/// Versions whose publisher has put other bytes in their place, and wanted versions that are nowhere any more.
pub(super) fn broken(evidence: &Evidence<'_>, place: &Place<'_>) -> Vec<Finding> {
    let Some(family) = place.family else { return Vec::new() };
    let Wanted::Version { name, version, .. } = &family.wanted else { return Vec::new() };
    let mut findings = Vec::new();
    if version.is_none() && place.of_version(name).next().is_none() {
        findings.push(place.finding(Class::Broken, Some(name), Fix::LookUpstream));
    }
    let published: BTreeMap<&VersionName, &Version> = version
        .as_deref()
        .into_iter()
        .chain(evidence.newest.get(&place.name))
        .map(|version| (&version.name, version))
        .collect();
    for version in published.into_values() {
        findings.extend(place.of_version(&version.name).filter_map(|image| {
            let (recorded, stated) = changed_bytes(version, image)?;
            let found = stated.of(recorded.algorithm())?;
            let finding = place.finding(Class::Broken, Some(&version.name), Fix::AskPublisher).about(image.id());
            Some(finding.change(facts::text("digest", recorded), facts::text("digest", found)))
        }));
    }
    findings
}

impl Place<'_> {
    fn of_version<'b>(&'b self, version: &'b VersionName) -> impl Iterator<Item = &'b OwnedImage> {
        self.images.iter().filter(move |image| image.marks().version == *version)
    }

    /// Whether the report before proves that the family had no version here.
    fn never_was(&self, evidence: &Evidence<'_>) -> bool {
        let Some(baseline) = evidence.baseline.filter(|baseline| baseline.sites.contains(self.site)) else {
            return false;
        };
        let address = self.context.address(self.site, &self.name, None).to_string();
        let had_versions = |versions: &BTreeMap<_, _>| !versions.is_empty();
        self.images.is_empty()
            && !baseline.versions.get(&(self.site.clone(), self.name.clone())).is_some_and(had_versions)
            && !baseline.findings.contains_key(&(address, Class::Missing))
    }

    /// An image that was shown and cannot be used any more. A deletion that had begun is no surprise.
    fn unusable(&self, image: &OwnedImage) -> Option<Finding> {
        let expected = image.is_active() || image.part_played() == Role::Staged;
        if expected || image.marks().condemned == Condemned::Yes && image.role() == Role::Superseded {
            return None;
        }
        let status = image.image().status;
        let fix = match status {
            Status::Deactivated => Fix::Activate(image.id().clone()),
            Status::Queued
            | Status::Saving
            | Status::Uploading
            | Status::Importing
            | Status::Active
            | Status::Broken => Fix::Replace(image.id().clone()),
        };
        let finding = self.finding(Class::Missing, Some(&image.marks().version), fix).about(image.id());
        Some(finding.change(facts::text("status", &Status::Active), facts::text("status", &status)))
    }

    /// Versions that the report before had, and that are not there any more.
    pub(super) fn vanished<'b>(&self, evidence: &Evidence<'b>) -> impl Iterator<Item = &'b Piece> {
        let key = (self.site.clone(), self.name.clone());
        let still_there: BTreeSet<VersionName> =
            self.images.iter().map(|image| image.marks().version.clone()).collect();
        let before = evidence.baseline.and_then(|baseline| baseline.versions.get(&key)).into_iter().flatten();
        before.map(|(_, piece)| piece).filter(move |piece| !still_there.contains(&piece.version))
    }

    /// Whether an apply can have deleted it since, if nobody used it.
    pub(super) fn may_have_ended(&self, piece: &Piece) -> bool {
        let policy = &self.context.lifecycle(&self.name).deletion;
        let due = piece.superseded.is_none_or(|since| policy.after.is_reached(since, self.context.today));
        policy.when == DeleteWhen::Unused && due
    }
}
