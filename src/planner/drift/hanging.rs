//! How each family hangs: its versions through time, and what its publisher has.

use std::collections::BTreeMap;

use jiff::Span;

use super::{Evidence, Place, places};
use crate::model::desired::Wanted;
use crate::model::drift::{Baseline, Gone, Hanging, Piece};
use crate::model::name::{FamilyName, SiteName, VersionName};
use crate::model::ours::Role;
use crate::planner::casting::newest_first;

/// How many years what has gone is remembered.
const MEMORY: i64 = 1;

/// Every family on every site that could be read, by family and site.
pub fn hangings(evidence: &Evidence<'_>) -> Vec<Hanging> {
    let context = evidence.context();
    let mut hangings: Vec<Hanging> = evidence
        .observed
        .sites
        .iter()
        .flat_map(|(site, view)| places(&context, site, view).collect::<Vec<_>>())
        .map(|place| place.hanging(evidence))
        .collect();
    hangings.sort_by(|one, other| (&one.family, &one.site).cmp(&(&other.family, &other.site)));
    hangings
}

impl Place<'_> {
    fn hanging(&self, evidence: &Evidence<'_>) -> Hanging {
        let mut shown: Vec<_> = self.images.iter().filter(|image| image.part_played() != Role::Staged).collect();
        shown.sort_by(|one, other| newest_first(one, other));
        let wanted = self.family.and_then(|family| match &family.wanted {
            Wanted::Version { version, .. } => version.as_deref(),
            Wanted::Unknown(_) => None,
        });
        let newest = evidence.newest.get(&self.name).or(wanted);
        let key = (self.site.clone(), self.name.clone());
        Hanging {
            family: self.name.clone(),
            site: self.site.clone(),
            latest: self.present().map(|image| image.marks().version.clone()),
            versions: shown
                .into_iter()
                .map(|image| Piece {
                    version: image.marks().version.clone(),
                    image: image.id().clone(),
                    name: image.attributes().name.clone(),
                    built: image.marks().built,
                    uploaded: image.uploaded(),
                    superseded: image.marks().superseded,
                    users: self.view.usage.get(image.id()).cloned(),
                })
                .collect(),
            gone: evidence.baseline.map(|baseline| self.gone(baseline, &key)).unwrap_or_default(),
            upstream: newest.map(|version| (version.name.clone(), version.built)),
        }
    }

    /// What the report before knew of and is not there any more.
    fn gone(&self, baseline: &Baseline, key: &(SiteName, FamilyName)) -> Vec<Gone> {
        let today = self.context.today;
        let missed = baseline.versions.get(key).into_iter().flatten();
        let missed = missed.map(|(version, piece)| (version, Gone { piece: piece.clone(), on: today }));
        let before = baseline.gone.get(key).into_iter().flatten();
        let before = before.map(|(version, gone)| (version, gone.clone()));
        let is_there = |version: &VersionName| self.images.iter().any(|image| image.marks().version == *version);
        let all: BTreeMap<&VersionName, Gone> = missed.chain(before).collect();
        let recent = |gone: &Gone| gone.on.checked_add(Span::new().years(MEMORY)).is_ok_and(|end| end >= today);
        let mut gone: Vec<Gone> = all
            .into_iter()
            .filter(|(version, gone)| !is_there(version) && recent(gone))
            .map(|(_, gone)| gone)
            .collect();
        gone.sort_by(|one, other| other.piece.version.compare_age(&one.piece.version));
        gone
    }
}
