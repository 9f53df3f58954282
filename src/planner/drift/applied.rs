//! Applied, wanted, found: who made the difference.
//!
//! The problem: the plan of an ordinary day is full of new versions, and a latest version that somebody renamed is
//! there only as one that is being replaced. The idea: plan again with every family wanting the version that it shows,
//! and with no foreign image in the way. What that plan still updates differs from images.toml; if the image differs
//! from the digest of what was last applied as well, somebody changed it, and if not, the file has moved on.
//!
//! What this does not solve: the digest says that something was changed, not what it was before. Where the file still
//! says the same, the file knows; on a superseded version, nobody does.

use std::collections::BTreeSet;

use super::super::appearance::{differences, is_ignored};
use super::super::{Context, plan};
use super::{Evidence, Place, facts, places};
use crate::model::desired::{Chosen, Desired, Wanted};
use crate::model::drift::{Class, Fact, Facts, Finding, Fix, Subject};
use crate::model::image::Attributes;
use crate::model::name::{ImageId, SiteName};
use crate::model::observed::{Observed, SiteView};
use crate::model::operation::{Operation, applied_digest};
use crate::model::ours::{OwnedImage, Role, is_mark};
use crate::model::plan::Plan;
use crate::model::reason::Reason;

/// Images that differ from what was applied, and images to which something else is to be applied.
pub(super) fn findings(
    evidence: &Evidence<'_>,
    context: &Context<'_>,
    site: &SiteName,
    view: &SiteView,
) -> Vec<Finding> {
    let plan = plan_at_rest(evidence, context, site, view);
    let mut findings: Vec<Finding> = plan
        .steps()
        .filter_map(|(_, step)| {
            let Operation::Update(update) = &step.operation else { return None };
            let (found, wanted) = (update.before.attributes(), &update.after);
            let changed = step.reasons.iter().any(|reason| matches!(reason, Reason::ChangedOutside(_)));
            let ((before, after), class, fix) = if changed {
                (differing(wanted, found), Class::Changed, Fix::ApplyRestores)
            } else {
                (differing(found, wanted), Class::Pending, Fix::Apply)
            };
            let subject =
                Subject::Catalogued(context.address(site, &step.address.family, step.address.version.as_ref()));
            let image = Some(update.before.id().clone());
            Some(Finding { subject, site: site.clone(), class, image, before: Some(before), after: Some(after), fix })
        })
        .collect();
    let told: BTreeSet<ImageId> = findings
        .iter()
        .filter(|finding| finding.class == Class::Changed)
        .filter_map(|finding| finding.image.clone())
        .collect();
    for place in places(context, site, view) {
        let unexplained = place.images.iter().filter(|image| !told.contains(image.id()) && place.was_touched(image));
        findings.extend(
            unexplained.map(|image| {
                place.finding(Class::Changed, Some(&image.marks().version), Fix::ByHand).about(image.id())
            }),
        );
        findings.extend(place.images.iter().filter_map(|image| place.other_bytes(image)));
    }
    findings
}

/// What would be done on the site if every publisher had stood still since the last apply.
fn plan_at_rest(evidence: &Evidence<'_>, context: &Context<'_>, site: &SiteName, view: &SiteView) -> Plan {
    let mut desired = Desired { sites: BTreeSet::from([site.clone()]), ..evidence.desired.clone() };
    for place in places(context, site, view) {
        let Some(family) = desired.families.get_mut(&place.name) else { continue };
        family.wanted = match place.present() {
            Some(present) => {
                Wanted::Version { name: present.marks().version.clone(), version: None, chosen: Chosen::Pinned }
            }
            None => Wanted::Unknown(String::new()),
        };
    }
    let mut observed: Observed = evidence.observed.clone();
    for view in observed.sites.values_mut() {
        view.namesakes.clear();
        // What would be deleted is no drift, and must not change the names of the others here.
        view.usage.clear();
    }
    plan(&desired, &observed, evidence.now)
}

/// The facts in which two looks differ; where only our marks do, those.
fn differing(before: &Attributes, after: &Attributes) -> (Facts, Facts) {
    let names = differences(before, after);
    if !names.is_empty() {
        return (facts::of(before, &names), facts::of(after, &names));
    }
    // The digest of what was applied follows from all the others.
    let marks = |one: &Attributes, other: &Attributes| {
        let own = one.tags.difference(&other.tags).filter(|tag| is_mark(tag) && !tag.starts_with("gallerist:applied="));
        Facts::from([("tags".to_owned(), Fact::Texts(own.cloned().collect()))])
    };
    (marks(before, after), marks(after, before))
}

impl Place<'_> {
    /// Whether an image differs from what was last applied in something that is managed, although images.toml has
    /// nothing against what is there.
    fn was_touched(&self, image: &OwnedImage) -> bool {
        let Some(applied) = &image.marks().applied else { return false };
        if *applied == applied_digest(image.attributes()) {
            return false;
        }
        let ignored = self.family.map(|family| family.ignored_properties.as_slice()).unwrap_or_default();
        // Of the latest version all that the file does not ignore was compared already.
        let compared = self.family.is_some() && image.role() == Role::Shown;
        !compared && !image.attributes().properties.keys().any(|property| is_ignored(property, ignored))
    }

    /// Glance's own digest, where it is not the one on record.
    fn other_bytes(&self, image: &OwnedImage) -> Option<Finding> {
        let recorded = image.marks().digest.as_ref().filter(|_| image.is_active())?;
        let (algorithm, found) = image.image().hash.as_ref()?;
        let differs = algorithm == recorded.algorithm().name() && !found.eq_ignore_ascii_case(recorded.hexadecimal());
        differs.then(|| {
            self.finding(Class::Changed, Some(&image.marks().version), Fix::Replace(image.id().clone()))
                .about(image.id())
                .change(facts::text("os_hash_value", &recorded.hexadecimal()), facts::text("os_hash_value", found))
        })
    }
}
