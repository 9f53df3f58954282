//! Of which images it is to be asked who uses them.

use super::{Evidence, places};
use crate::model::ours::Role;
use crate::planner::{Candidate, deletion};

/// Versions that a newer one has replaced, for whoever wants to be rid of them must write to their users; and versions
/// that have gone since the report before, unless their lifecycle already says that they should be there.
pub fn questions(evidence: &Evidence<'_>) -> Vec<Candidate> {
    let context = evidence.context();
    let mut questions = Vec::new();
    for (site, view) in &evidence.observed.sites {
        for place in places(&context, site, view) {
            let latest = place.present().map(|image| image.id().clone());
            let old = place
                .images
                .iter()
                .filter(|image| image.part_played() != Role::Staged && latest.as_ref() != Some(image.id()));
            let old = old.map(|image| (image.id().clone(), deletion::audience(image)));
            let audience = place.audience();
            let gone = place.vanished(evidence).filter(|piece| place.may_have_ended(piece));
            let gone = gone.map(|piece| (piece.image.clone(), audience));
            let snapshots = context.lifecycle(&place.name).deletion.snapshots;
            questions.extend(old.chain(gone).map(|(image, audience)| Candidate {
                site: site.clone(),
                image,
                audience,
                snapshots,
            }));
        }
    }
    questions
}
