//! Reading a site: what may be ours, and which public images bear our names.
//!
//! Three requests, whatever else is on the cloud: our project's images with the catalogue's tag, the hidden ones among
//! them (no listing shows both), and public images of the catalogue's names, whoever owns them. What a listing cannot
//! prove is left to [`crate::model::ours::OwnedImage::recognise`].

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, future, stream};

use super::error::ApiError;
use super::glance::{Filter, Glance, Seen, can_be_quoted};
use super::site::Site;
use crate::model::image::{Image, Listing, Visibility};
use crate::model::name::{CatalogueName, ImageId};
use crate::model::observed::SiteView;
use crate::model::ours::catalogue_tag;

/// Servers and gateways commonly refuse a request line of 8 KiB; half of it leaves room for the rest of the URL.
const LONGEST_NAMES: usize = 3500;
const AT_ONCE: usize = 4;

/// The site as it is now. Usage is asked separately, for candidates only.
///
/// # Errors
/// A listing could not be read to its end. There is no partial view.
pub async fn observe(site: &Site, catalogue: &CatalogueName, public_names: &[String]) -> Result<SiteView, ApiError> {
    let ours = |listing| Filter {
        listing,
        owner: Some(site.project.clone()),
        tag: Some(catalogue_tag(catalogue)),
        ..Filter::new(Seen::All)
    };
    let (listed, hidden) = (ours(Listing::Listed), ours(Listing::Hidden));
    let (mut images, hidden, namesakes) =
        future::try_join3(site.glance.list(&listed), site.glance.list(&hidden), namesakes(&site.glance, public_names))
            .await?;
    images.extend(hidden);
    Ok(SiteView { images, namesakes, ..SiteView::empty(site.project.clone()) })
}

/// Every public image of a site, whoever owns it: what a tenant finds in its own list. A request for each thousand.
///
/// # Errors
/// The listing could not be read to its end.
pub async fn public_images(site: &Site) -> Result<BTreeMap<ImageId, Image>, ApiError> {
    site.glance.list(&Filter::new(Seen::Only(Visibility::Public))).await
}

/// Every image of our project, hidden ones included: what may be adopted is among them.
///
/// # Errors
/// A listing could not be read to its end.
pub async fn project_images(site: &Site) -> Result<BTreeMap<ImageId, Image>, ApiError> {
    let own = |listing| Filter { listing, owner: Some(site.project.clone()), ..Filter::new(Seen::All) };
    let (listed, hidden) = (own(Listing::Listed), own(Listing::Hidden));
    let (mut images, hidden) = future::try_join(site.glance.list(&listed), site.glance.list(&hidden)).await?;
    images.extend(hidden);
    Ok(images)
}

async fn namesakes(glance: &Glance, names: &[String]) -> Result<BTreeMap<ImageId, Image>, ApiError> {
    let filters =
        chunks(names).into_iter().map(|names| Filter { names, ..Filter::new(Seen::Only(Visibility::Public)) });
    stream::iter(filters)
        .map(|filter| async move { glance.list(&filter).await })
        .buffer_unordered(AT_ONCE)
        .try_fold(BTreeMap::new(), |mut all, page| {
            all.extend(page);
            future::ready(Ok(all))
        })
        .await
}

/// The names in portions that fit a URL; names that cannot be quoted are alone.
fn chunks(names: &[String]) -> Vec<Vec<String>> {
    let distinct: BTreeSet<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    let (together, alone): (Vec<&String>, Vec<&String>) = distinct.into_iter().partition(|name| can_be_quoted(name));
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut length = usize::MAX;
    for name in together {
        // Each byte outside letters and digits becomes three.
        let cost: usize = name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum::<usize>() + 9;
        match chunks.last_mut() {
            Some(last) if length.saturating_add(cost) <= LONGEST_NAMES => {
                last.push(name.clone());
                length += cost;
            }
            Some(_) | None => {
                chunks.push(vec![name.clone()]);
                length = cost;
            }
        }
    }
    chunks.extend(alone.into_iter().map(|name| vec![name.clone()]));
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_in_portions_and_each_once() {
        let twenty: Vec<String> =
            (0..20).map(|number| format!("Ubuntu 24.04 Noble Numbat {number} - Latest")).collect();
        assert_eq!(chunks(&twenty).len(), 1, "three requests for twenty families");
        let many: Vec<String> = (0..500).map(|number| format!("Distribution {number} - Latest")).collect();
        let portions = chunks(&many);
        assert!(portions.len() > 1);
        let mut all: Vec<String> = portions.concat();
        all.sort();
        let mut expected = many.clone();
        expected.sort();
        assert_eq!(all, expected);
        let odd = ["a".to_owned(), "a".to_owned(), "19\"".to_owned(), String::new()];
        assert_eq!(chunks(&odd), [vec!["a".to_owned()], vec!["19\"".to_owned()]]);
        assert!(chunks(&[]).is_empty());
    }
}
