//! The way by which the bytes of a new image come to a site.
//!
//! The problem: sites offer different ways, and which one is taken decides who fetches from where, what is verified
//! against what, and whether it can work at all. The idea: images.toml says what is preferred, each site says what it
//! offers, and the planner joins both to one [`Passage`] for each new image, so that people see it before it is taken.
//! What this does not solve: how a passage is taken; `apply` and `openstack` do that.

use super::digest::Digests;
use super::image::words;
use super::name::{ImageId, SiteName};
use super::operation::Delivered;
use super::version::{DiskFormat, Version};

words!(
    /// How bytes reach Glance. The words are Glance's.
    Method {
        /// gallerist sends them. Every Glance takes them.
        Upload = "upload",
        /// gallerist sends them to Glance's staging area; Glance imports them from there.
        GlanceDirect = "glance-direct",
        /// Glance fetches them from the publisher.
        WebDownload = "web-download",
        /// Glance fetches them from the Glance of another region.
        GlanceDownload = "glance-download",
    }
);
words!(
    /// Who makes a raw disk of what is published as qcow2.
    Converter {
        /// gallerist, with `qemu-img`.
        QemuImg = "qemu-img",
        /// The site's Glance, with its plugin `image_conversion`.
        Glance = "glance",
    }
);

/// What images.toml says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// The methods, the preferred one first. The first that can be used is used.
    pub methods: Vec<Method>,
    /// The stores of Glance that shall hold the bytes; none leaves that to Glance.
    pub stores: Vec<String>,
    /// Who converts what is stored in another format than it is published in.
    pub converter: Converter,
    /// Why this machine cannot convert, where it cannot.
    pub no_qemu_img: Option<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { methods: vec![Method::Upload], stores: Vec::new(), converter: Converter::QemuImg, no_qemu_img: None }
    }
}

impl Preferences {
    /// Whether what a site offers makes a difference.
    pub fn depend_on_the_site(&self) -> bool {
        !self.stores.is_empty() || self.methods.first() != Some(&Method::Upload) || self.converter == Converter::Glance
    }
}

/// What the Glance of a site offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// The methods that are of use here, besides `upload`.
    pub methods: Vec<Method>,
    /// Its stores; none where it keeps only one and gives it no name.
    pub stores: Vec<String>,
    /// Its region, as other regions call it.
    pub region: Option<String>,
    /// The cloud it belongs to: Keystone's URL.
    pub cloud: String,
}

/// The way of one new image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// How the bytes reach Glance.
    pub route: Route,
    /// The stores that hold them; none leaves that to Glance.
    pub stores: Vec<String>,
    /// Who converts them on the way, where somebody does.
    pub converter: Option<Converter>,
    /// What Glance holds in the end.
    pub disk_format: DiskFormat,
}

impl Passage {
    /// An upload of bytes in this format, as they are published.
    pub const fn plain(disk_format: DiskFormat) -> Self {
        Self { route: Route::Upload, stores: Vec::new(), converter: None, disk_format }
    }

    /// Whether there is nothing to say of it: an upload of what is published.
    pub fn is_plain(&self) -> bool {
        self.route == Route::Upload && self.stores.is_empty() && self.converter.is_none()
    }

    /// What the publisher says of the bytes that Glance holds in the end, where it says something.
    pub fn published_digests<'a>(&self, version: &'a Version) -> Option<&'a Digests> {
        version.stored_digests().filter(|_| self.disk_format == version.disk_format)
    }

    /// What Glance must hold in the end, as far as it is known before the bytes were seen.
    pub fn stored_digests<'a>(&'a self, version: &'a Version) -> Option<&'a Digests> {
        let original = match &self.route {
            Route::Copy(original) => original.image.as_ref().map(|(_, known)| &known.digests),
            Route::Upload | Route::Direct | Route::Web => None,
        };
        original.or_else(|| self.published_digests(version))
    }

    /// The format to make the record with: Glance's own conversion turns it into another one later.
    pub const fn recorded_format(&self, version: &Version) -> DiskFormat {
        match self.converter {
            Some(Converter::Glance) => version.disk_format,
            Some(Converter::QemuImg) | None => self.disk_format,
        }
    }
}

/// How the bytes of one new image reach Glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// [`Method::Upload`]
    Upload,
    /// [`Method::GlanceDirect`]
    Direct,
    /// [`Method::WebDownload`]
    Web,
    /// [`Method::GlanceDownload`], of this image.
    Copy(Box<Original>),
}

impl Route {
    /// Its method.
    pub const fn method(&self) -> Method {
        match self {
            Self::Upload => Method::Upload,
            Self::Direct => Method::GlanceDirect,
            Self::Web => Method::WebDownload,
            Self::Copy(_) => Method::GlanceDownload,
        }
    }
}

/// The image of another region that a copy is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Where it is.
    pub site: SiteName,
    /// The region's name in the catalogue of services.
    pub region: String,
    /// The image, and what its bytes are known to be; none where the same plan creates it.
    pub image: Option<(ImageId, Delivered)>,
}
