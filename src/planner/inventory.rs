//! What hangs where: every image of ours on a site, with the family it belongs to and the part it plays there now.
//!
//! For commands that report and decide nothing. They see the parts that the planner sees, because both ask `casting`.

use std::collections::BTreeMap;

use super::casting::{newest_first, present};
use super::{deletion, family_of};
use crate::model::desired::Audience;
use crate::model::image::words;
use crate::model::name::{CatalogueName, FamilyName};
use crate::model::observed::SiteView;
use crate::model::ours::{OwnedImage, Role};

words!(
    /// The part an image plays in its family.
    Part {
        /// Tenants get it under the public name.
        Latest = "latest",
        /// A newer one has taken over, or is taking over.
        Superseded = "superseded",
        /// It was never shown.
        Staged = "staged",
    }
);

/// One image of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its family, under the name that images.toml has for it now.
    pub family: FamilyName,
    /// Its part.
    pub part: Part,
    /// Whose usage of it counts.
    pub audience: Audience,
    /// The image.
    pub image: OwnedImage,
}

/// Every image of ours on a site, by family, the newest version first.
pub fn inventory(catalogue: &CatalogueName, moved: &BTreeMap<FamilyName, FamilyName>, view: &SiteView) -> Vec<Piece> {
    let mut families: BTreeMap<FamilyName, Vec<OwnedImage>> = BTreeMap::new();
    for image in view.owned(catalogue) {
        families.entry(family_of(moved, image.marks())).or_default().push(image);
    }
    let mut pieces = Vec::new();
    for (family, mut images) in families {
        images.sort_by(newest_first);
        let latest = present(&images).map(|image| image.id().clone());
        pieces.extend(images.into_iter().map(|image| Piece {
            family: family.clone(),
            part: match image.part_played() {
                Role::Shown if latest.as_ref() == Some(image.id()) => Part::Latest,
                Role::Shown | Role::Superseded => Part::Superseded,
                Role::Staged => Part::Staged,
            },
            audience: deletion::audience(&image),
            image,
        }));
    }
    pieces
}
