//! Ubuntu and Ubuntu Minimal: simplestreams.
//!
//! One JSON file lists every released build of every release and architecture, with digests and sizes, and is signed:
//! `.sjson` holds the clear-signed JSON, `.json` the same with the signature beside it in `.json.gpg`. The index file in
//! front of it only says that name, which has been the same since 2012, so it is not asked. Format:
//! <https://git.launchpad.net/simplestreams/tree/doc/README>.
//!
//! The two publishers differ in folder, product names and labels. The label counts: streams called "released" have
//! carried alphas and betas.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::listed::{NOTHING, qcow2};
use super::outlet::{Outlet, Vouched, json};
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::digest::{Algorithm, Digest, Digests};
use crate::model::source::LeastTrust;
use crate::model::version::{PackageDialect, PackageList, Version};

/// Ubuntu's server images.
pub(super) const SERVER: Ubuntu = Ubuntu {
    base: "https://cloud-images.ubuntu.com/releases/",
    products: "com.ubuntu.cloud:server:",
    label: "release",
};
/// Ubuntu's minimal images, with builds of their own.
pub(super) const MINIMAL: Ubuntu = Ubuntu {
    base: "https://cloud-images.ubuntu.com/minimal/releases/",
    products: "com.ubuntu.cloud:minimal:",
    label: "minimal release",
};

/// One of Canonical's trees of released cloud images.
pub(super) struct Ubuntu {
    base: &'static str,
    products: &'static str,
    label: &'static str,
}

const STREAM: &str = "streams/v1/com.ubuntu.cloud:released:download";
/// The item that is a qcow2 disk for any hypervisor.
const DISK: &str = "disk1.img";

#[derive(Deserialize)]
struct Stream {
    products: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(default)]
    versions: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Build {
    #[serde(default)]
    label: String,
    #[serde(default)]
    items: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Item {
    path: String,
    sha256: Option<String>,
    sha512: Option<String>,
    size: Option<u64>,
}

#[async_trait]
impl Publisher for Ubuntu {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::UBUNTU
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let (url, stream) = self.stream(outlet).await?;
        self.read(ask, outlet, &url, &stream)
    }
}

impl Ubuntu {
    async fn stream(&self, outlet: &Outlet<'_>) -> Result<(Url, Vouched), UpstreamError> {
        let signed = outlet.at(&format!("{}{STREAM}.sjson", self.base))?;
        if let Some(stream) = outlet.clear_signed(&signed).await? {
            return Ok((signed, stream));
        }
        let plain = outlet.at(&format!("{}{STREAM}.json", self.base))?;
        let signature = outlet.at(&format!("{}{STREAM}.json.gpg", self.base))?;
        match outlet.detached(&plain, &signature).await? {
            Some(stream) => Ok((plain, stream)),
            None => Err(UpstreamError::missing(format!("`{signed}` nor `{plain}`"), NOTHING)),
        }
    }

    fn read(&self, ask: &Ask, outlet: &Outlet<'_>, url: &Url, stream: &Vouched) -> Result<Vec<Version>, UpstreamError> {
        let release = ask.release()?;
        let wanted = format!("{}{release}:{}", self.products, ask.debian_architecture());
        let products = json::<Stream>(url, &stream.text)?.products;
        let Some(product) = products.get(&wanted) else {
            return Err(UpstreamError::missing(
                format!("{ask}"),
                products
                    .keys()
                    .filter_map(|name| name.strip_prefix(self.products))
                    .map(|name| name.replace(':', " for ")),
            ));
        };
        let product = Product::deserialize(product).map_err(|error| UpstreamError::unreadable(url, error))?;
        let item = ask.variant.as_deref().unwrap_or(DISK);
        let versions: Vec<Version> = product
            .versions
            .iter()
            .filter_map(|(name, build)| self.version(name, &Build::deserialize(build).ok()?, item, outlet, stream))
            .collect();
        if versions.is_empty() {
            let there = product.versions.values().filter_map(|build| Build::deserialize(build).ok());
            let there = there.flat_map(|build| build.items.into_keys()).filter(|name| is_disk(name));
            return Err(UpstreamError::missing(format!("item `{}` of {ask}", item.escape_debug()), there));
        }
        Ok(versions)
    }

    /// One build; `None` for one that is not released or is not described as it should be.
    fn version(&self, name: &str, build: &Build, item: &str, outlet: &Outlet<'_>, stream: &Vouched) -> Option<Version> {
        if build.label != self.label || !is_disk(item) {
            return None;
        }
        let image = Item::deserialize(build.items.get(item)?).ok()?;
        let digest = |algorithm, text: &Option<String>| Digest::from_hexadecimal(algorithm, text.as_deref()?).ok();
        let digests =
            [digest(Algorithm::Sha256, &image.sha256), digest(Algorithm::Sha512, &image.sha512)].into_iter().flatten();
        let packages = build.items.get("manifest").and_then(|manifest| Item::deserialize(manifest).ok());
        let packages = packages.and_then(|manifest| {
            let url = self.locate(&manifest.path, outlet)?;
            Some(PackageList { url, dialect: PackageDialect::UbuntuManifest })
        });
        let url = self.locate(&image.path, outlet)?;
        let version = qcow2(names::version(name)?, url, Digests::new(digests)?, stream.trust.clone());
        Some(Version { size: image.size, packages, ..version })
    }

    fn locate(&self, path: &str, outlet: &Outlet<'_>) -> Option<String> {
        names::is_path(path).then(|| outlet.at(&format!("{}{path}", self.base)).ok()).flatten().map(Into::into)
    }
}

/// Items called so are qcow2 disks: `disk1.img`, `disk-kvm.img`, `uefi1.img`.
fn is_disk(item: &str) -> bool {
    item.strip_suffix(".img").is_some()
}
