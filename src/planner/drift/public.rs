//! What else hangs in the public rooms: images under our names, and images that nobody manages.
//!
//! Only public images matter here. A tenant may call its own images what it likes, and no tenant can make one public.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evidence, Place, facts};
use crate::model::desired::Audience;
use crate::model::drift::{Class, Fact, Facts, Finding, Fix, Subject};
use crate::model::image::{Image, Visibility};
use crate::model::name::{ImageId, SiteName};
use crate::model::observed::SiteView;
use crate::model::ours::{Marks, OwnedImage};
use crate::planner::public_name;

/// The family's public name, where several public images bear it, or one that is not ours. Those that are not ours are
/// added to `taken`.
pub(super) fn duplicate(evidence: &Evidence<'_>, place: &Place<'_>, taken: &mut Vec<ImageId>) -> Option<Finding> {
    let family = place.family.filter(|family| family.audience == Audience::Everybody)?;
    let present = place.present();
    let mut names = BTreeSet::from_iter(public_name(family, place.context.today));
    names.extend(present.map(|image| image.attributes().name.clone()));
    let all = public_images(evidence, place.site, place.view);
    for name in names {
        let bearers: Vec<&Image> = all.values().copied().filter(|image| image.attributes.name == name).collect();
        let foreign: Vec<&ImageId> = bearers
            .iter()
            .filter(|image| OwnedImage::recognise(image, &evidence.desired.catalogue, &place.view.project).is_none())
            .map(|image| &image.id)
            .collect();
        if bearers.len() > 1 || !foreign.is_empty() {
            taken.extend(foreign.into_iter().cloned());
            let finding = place.finding(Class::Duplicate, present.map(|image| &image.marks().version), Fix::Rename);
            let ids = bearers.iter().map(|image| image.id.to_string()).collect();
            let after = [("name".to_owned(), Fact::Text(name)), ("ids".to_owned(), Fact::Texts(ids))];
            let before = present.map(|image| facts::only("ids", Fact::Texts(vec![image.id().to_string()])));
            let image = present.map(|image| image.id().clone());
            return Some(Finding { image, ..finding.change(before, Facts::from(after)) });
        }
    }
    None
}

/// Public images that neither this nor another catalogue manages.
pub(super) fn unmanaged(evidence: &Evidence<'_>, site: &SiteName, view: &SiteView, taken: &[ImageId]) -> Vec<Finding> {
    let catalogue = &evidence.desired.catalogue;
    let several = evidence.desired.sites.len() > 1;
    public_images(evidence, site, view)
        .into_values()
        .filter(|image| OwnedImage::recognise(image, catalogue, &view.project).is_none() && !taken.contains(&image.id))
        .filter(|image| Marks::from_tags(&image.attributes.tags).is_none_or(|marks| marks.catalogue == *catalogue))
        .map(|image| {
            let owner = image.owner.as_ref().map(|owner| ("owner".to_owned(), Fact::Text(owner.to_string())));
            let name = ("name".to_owned(), Fact::Text(image.attributes.name.clone()));
            Finding {
                subject: Subject::Foreign(image.id.clone(), several.then(|| site.clone())),
                site: site.clone(),
                class: Class::Unmanaged,
                image: Some(image.id.clone()),
                before: None,
                after: Some([name].into_iter().chain(owner).collect()),
                fix: Fix::Adopt,
            }
        })
        .collect()
}

/// Every public image that any listing of the site showed.
fn public_images<'a>(evidence: &Evidence<'a>, site: &SiteName, view: &'a SiteView) -> BTreeMap<&'a ImageId, &'a Image> {
    let listed = evidence.public.get(site).into_iter().flatten();
    view.images
        .iter()
        .chain(&view.namesakes)
        .chain(listed)
        .filter(|(_, image)| image.attributes.visibility == Visibility::Public)
        .collect()
}
