//! The way by which a new image's bytes come to a site.
//!
//! The problem: a method that a site does not offer, a store that it does not have, a conversion that nobody can do: each
//! would only be found out half way through an apply. The idea: all of it is known when planning, so it is decided here;
//! the first method of `[import]` that can be used on that site for that version is used, and where none can, the family
//! is held there with the reasons. Nothing is used that images.toml does not name. What this does not solve: what a
//! site offers and yet cannot do; the apply reads why.

use std::collections::BTreeMap;

use super::Context;
use super::casting::changed_bytes;
use crate::model::desired::Family;
use crate::model::digest::Digests;
use crate::model::name::{FamilyName, SiteName, VersionName};
use crate::model::observed::SiteView;
use crate::model::operation::{Create, Delivered, Operation};
use crate::model::ours::{OwnedImage, Role};
use crate::model::passage::{Converter, Method, Offers, Original, Passage, Preferences, Route};
use crate::model::plan::Step;
use crate::model::reason::Because;
use crate::model::version::{Compression, DiskFormat, Origin, Version};

/// Images that other regions may copy, by family and version.
#[derive(Debug, Default)]
pub(super) struct Originals(BTreeMap<(FamilyName, VersionName), Vec<(Original, DiskFormat)>>);

impl Originals {
    /// Notes an image of a site that has been shown: its bytes were verified before it was.
    pub(super) fn found(&mut self, site: &SiteName, offers: Option<&Offers>, family: FamilyName, image: &OwnedImage) {
        let Some(region) = offers.and_then(|offers| offers.region.clone()) else { return };
        let found = image.image();
        let format = found.disk_format.as_deref().and_then(DiskFormat::from_name);
        if let (Some(digest), Some(size), Some(format)) = (&image.marks().digest, found.size, format)
            && image.is_active()
            && image.role() != Role::Staged
        {
            let digests = Digests::from(digest.clone());
            let known = Delivered { digests, size, virtual_size: found.virtual_size };
            let original = Original { site: site.clone(), region, image: Some((image.id().clone(), known)) };
            self.note(family, image.marks().version.clone(), original, format);
        }
    }

    /// Notes an image that the plan is going to create.
    pub(super) fn planned(&mut self, step: Option<&Step>, offers: Option<&Offers>) {
        if let (Some(step), Some(region)) = (step, offers.and_then(|offers| offers.region.clone()))
            && let Operation::Create(create) = &step.operation
            && create.passage.route.method() != Method::GlanceDownload
        {
            let Create { family, version, passage, .. } = &**create;
            let original = Original { site: step.site.clone(), region, image: None };
            self.note(family.clone(), version.name.clone(), original, passage.disk_format);
        }
    }

    fn note(&mut self, family: FamilyName, version: VersionName, original: Original, format: DiskFormat) {
        self.0.entry((family, version)).or_default().push((original, format));
    }
}

/// A new image, and where it is to be.
pub(super) struct Place<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) site: &'a SiteName,
    pub(super) view: &'a SiteView,
    pub(super) family: &'a Family,
}

impl Place<'_> {
    /// The way of a version's bytes, or why there is none.
    pub(super) fn passage(&self, version: &Version) -> Result<Passage, Because> {
        let preferences = &self.context.desired.import;
        let disk_format = self.family.disk_format.unwrap_or(version.disk_format);
        let converter = converter(preferences, version, disk_format);
        if !preferences.depend_on_the_site() {
            let converter = converter.map_err(Because::NoPassage)?;
            return Ok(Passage { converter, ..Passage::plain(disk_format) });
        }
        let Some(offers) = &self.view.offers else {
            return Err(Because::NoPassage(format!(
                "the snapshot does not say what the Glance of {} offers: record it again",
                self.site
            )));
        };
        if let Some(missing) = preferences.stores.iter().find(|store| !offers.stores.contains(store)) {
            let stores = listed("only one store, without a name", &offers.stores);
            let reason = format!("the Glance of {} has no store `{missing}`; it has {stores}", self.site);
            return Err(Because::NoPassage(reason));
        }
        let mut refusals = Vec::new();
        for method in &preferences.methods {
            // A copy is made of bytes that are converted already.
            let converter = if *method == Method::GlanceDownload { Ok(None) } else { converter.clone() };
            let route =
                converter.and_then(|converter| Ok((self.route(*method, offers, version, converter)?, converter)));
            match route {
                Ok((route, converter)) => {
                    return Ok(Passage { route, stores: preferences.stores.clone(), converter, disk_format });
                }
                Err(refusal) => refusals.push(format!("`{}`: {refusal}", method.name())),
            }
        }
        let refusals = refusals.join("; ");
        Err(Because::NoPassage(format!("no method of `[import]` can bring it to {}: {refusals}", self.site)))
    }

    fn route(
        &self,
        method: Method,
        offers: &Offers,
        version: &Version,
        converter: Option<Converter>,
    ) -> Result<Route, String> {
        if method != Method::Upload && !offers.methods.contains(&method) {
            let methods: Vec<_> = [Method::Upload].iter().chain(&offers.methods).map(|method| method.name()).collect();
            return Err(format!("not offered there; it offers {}", listed("nothing", &methods)));
        }
        match (method, converter) {
            (Method::Upload, Some(Converter::Glance)) => {
                Err("Glance does not convert what is uploaded, only what it imports".to_owned())
            }
            (Method::Upload, _) if self.context.desired.import.stores.len() > 1 => {
                Err("an upload reaches one store".to_owned())
            }
            (Method::Upload, _) => Ok(Route::Upload),
            (Method::GlanceDirect, _) => Ok(Route::Direct),
            (Method::WebDownload, Some(_)) => {
                // Glance's digest would be that of the converted bytes, and prove nothing of what it has fetched.
                Err("what Glance fetches and converts cannot be compared with what is published".to_owned())
            }
            (Method::WebDownload, None) => match (&version.origin, version.compression) {
                (Origin::Url(_), Compression::None) => Ok(Route::Web),
                (Origin::File(_), _) => Err("Glance cannot fetch a file of this machine".to_owned()),
                (
                    Origin::Url(_),
                    compression @ (Compression::Xz | Compression::Bzip2 | Compression::Gzip | Compression::Zstd),
                ) => Err(format!("Glance does not decompress what it fetches, and this is {}", compression.name())),
            },
            (Method::GlanceDownload, _) => {
                let original = self.original(offers, version);
                original
                    .map(|original| Route::Copy(Box::new(original)))
                    .ok_or_else(|| "no other region of the same cloud and project has it, or gets it first".to_owned())
            }
        }
    }

    /// An image of the same bytes in another region, which the same token can read; one that is there before one that is
    /// going to be.
    fn original(&self, offers: &Offers, version: &Version) -> Option<Original> {
        let wanted = self.family.disk_format.unwrap_or(version.disk_format);
        let key = (self.family.name.clone(), version.name.clone());
        let reachable = self.context.originals.0.get(&key)?.iter().filter(|(original, format)| {
            let there = self.context.observed.sites.get(&original.site);
            let same_cloud = there.is_some_and(|there| {
                there.project == self.view.project
                    && there.offers.as_ref().is_some_and(|other| other.cloud == offers.cloud)
            });
            let unchanged = there.is_some_and(|there| self.holds_what_is_published(there, original, version));
            original.site != *self.site && same_cloud && *format == wanted && unchanged
        });
        reachable.min_by_key(|(original, _)| original.image.is_none()).map(|(original, _)| original.clone())
    }

    /// Whether an original is of the bytes that are published under this version now.
    fn holds_what_is_published(&self, there: &SiteView, original: &Original, version: &Version) -> bool {
        let found = original.image.as_ref().and_then(|(id, _)| there.images.get(id));
        let owned =
            found.and_then(|found| OwnedImage::recognise(found, &self.context.desired.catalogue, &there.project));
        owned.is_none_or(|image| changed_bytes(version, &image).is_none())
    }
}

/// Who makes of a version what Glance shall hold.
fn converter(preferences: &Preferences, version: &Version, wanted: DiskFormat) -> Result<Option<Converter>, String> {
    match (version.disk_format, wanted) {
        (published, wanted) if published == wanted => Ok(None),
        (DiskFormat::Qcow2, DiskFormat::Raw) => match (preferences.converter, &preferences.no_qemu_img) {
            (Converter::QemuImg, Some(reason)) => {
                Err(format!("it is published as qcow2, and nothing here can make a raw disk of it: {reason}"))
            }
            (Converter::QemuImg, None) | (Converter::Glance, _) => Ok(Some(preferences.converter)),
        },
        (published, wanted) => Err(format!(
            "it is published as {}, of which gallerist cannot make `disk_format = \"{}\"`: only qcow2 becomes raw",
            published.name(),
            wanted.name()
        )),
    }
}

fn listed(none: &str, words: &[impl AsRef<str>]) -> String {
    if words.is_empty() {
        return none.to_owned();
    }
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}
