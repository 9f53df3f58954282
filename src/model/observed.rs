//! What the cloud looked like when it was read.

use std::collections::BTreeMap;

use super::image::Image;
use super::name::{CatalogueName, ImageId, ProjectId, SiteName};
use super::ours::OwnedImage;
use super::passage::Offers;
use super::usage::{Sighting, Usage};

/// Every site as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Site by site.
    pub sites: BTreeMap<SiteName, SiteView>,
}

/// One site as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteView {
    /// The project we are authenticated to there.
    pub project: ProjectId,
    /// Images that may be ours: owned by that project and marked with the catalogue, hidden ones included. By id, for
    /// names repeat.
    pub images: BTreeMap<ImageId, Image>,
    /// Public images that bear one of the catalogue's public names, whoever owns them.
    pub namesakes: BTreeMap<ImageId, Image>,
    /// Who uses what, for the images that were asked about.
    pub usage: BTreeMap<ImageId, Usage>,
    /// What its Glance offers, where that was asked.
    pub offers: Option<Offers>,
}

impl SiteView {
    /// A site without any image.
    pub fn empty(project: ProjectId) -> Self {
        Self { project, images: BTreeMap::new(), namesakes: BTreeMap::new(), usage: BTreeMap::new(), offers: None }
    }

    /// The images that are the catalogue's own.
    pub fn owned<'a>(&'a self, catalogue: &'a CatalogueName) -> impl Iterator<Item = OwnedImage> + 'a {
        self.images.values().filter_map(|image| OwnedImage::recognise(image, catalogue, &self.project))
    }

    /// What may be concluded about who uses an image. What was not asked is not known.
    pub fn sighting(&self, image: &ImageId) -> Sighting {
        self.usage.get(image).cloned().unwrap_or_default().sighting(image)
    }
}
