//! How each family hangs: its versions through time, and what its publisher has.

use super::{Evidence, Place, places};
use crate::model::desired::Wanted;
use crate::model::drift::{Hanging, Piece};
use crate::model::ours::Role;
use crate::planner::casting::newest_first;

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
                })
                .collect(),
            upstream: newest.map(|version| (version.name.clone(), version.built)),
        }
    }
}
