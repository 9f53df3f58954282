//! Fedora CoreOS: one JSON file a stream, which says what is current.
//!
//! The publisher declares its version numbers as not for machines and may go back to an earlier build, so nothing is
//! sorted: the stream file names one build for each architecture, and that is the version. Locations in it are absolute.
//!
//! The stream file is not signed. What is signed is each `.xz` image, by a detached signature over its bytes, with the
//! key of that Fedora release; [`seal`](super::seal) says how it is checked.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;

use super::fetch::Expected;
use super::outlet::{Outlet, json, utf8};
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::digest::{Algorithm, Digest};
use crate::model::source::LeastTrust;
use crate::model::version::{Compression, DiskFormat, Origin, Version};

/// Fedora CoreOS.
pub(super) struct FedoraCoreos;

const HOST: &str = "builds.coreos.fedoraproject.org";
const FORMAT: &str = "qcow2.xz";

#[derive(Deserialize)]
struct Stream {
    architectures: BTreeMap<String, Architecture>,
}

#[derive(Deserialize)]
struct Architecture {
    #[serde(default)]
    artifacts: BTreeMap<String, Artifact>,
}

#[derive(Deserialize)]
struct Artifact {
    release: String,
    #[serde(default)]
    formats: BTreeMap<String, Format>,
}

#[derive(Deserialize)]
struct Format {
    disk: Option<Disk>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Disk {
    location: String,
    signature: Option<String>,
    sha256: String,
    uncompressed_sha256: Option<String>,
}

#[async_trait]
impl Publisher for FedoraCoreos {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::FEDORA
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let stream = ask.release()?;
        if !names::is_file_name(stream) {
            return Err(UpstreamError::missing(ask.to_string(), ["stable", "testing", "next"]));
        }
        let url = outlet.at(&format!("https://{HOST}/streams/{stream}.json"))?;
        let Some(text) = outlet.find(&url, Expected::Data).await? else {
            return Err(UpstreamError::missing(ask.to_string(), ["stable", "testing", "next"]));
        };
        let architectures = json::<Stream>(&url, utf8(&url, &text)?)?.architectures;
        let Some(architecture) = architectures.get(ask.architecture.name()) else {
            return Err(UpstreamError::missing(
                ask.to_string(),
                architectures.keys().map(|name| format!("{stream} for {name}")),
            ));
        };
        let artifact = ask.variant.as_deref().unwrap_or("openstack");
        let found = architecture.artifacts.get(artifact);
        let disk = found.and_then(|found| Some((found, found.formats.get(FORMAT)?.disk.as_ref()?)));
        let Some((found, disk)) = disk else {
            return Err(UpstreamError::missing(
                format!("`{FORMAT}` of `{}` in {ask}", artifact.escape_debug()),
                architecture.artifacts.keys(),
            ));
        };
        let unreadable = |error: &dyn std::fmt::Display| UpstreamError::unreadable(&url, error);
        let digest = |text: &str| Digest::from_hexadecimal(Algorithm::Sha256, text).map_err(|error| unreadable(&error));
        let image = outlet.located(&disk.location, HOST)?;
        let signature = match &disk.signature {
            Some(location) => outlet.located(location, HOST)?,
            None => outlet.located(&format!("{}.sig", disk.location), HOST)?,
        };
        let (trust, signature) = outlet.sealed(&url, &signature).await?;
        Ok(vec![Version {
            name: names::version(&found.release)
                .ok_or_else(|| unreadable(&format_args!("`{}` is no version", found.release.escape_debug())))?,
            origin: Origin::Url(image.into()),
            published: digest(&disk.sha256)?.into(),
            stored: disk.uncompressed_sha256.as_deref().map(digest).transpose()?.map(Into::into),
            size: None,
            compression: Compression::Xz,
            disk_format: DiskFormat::Qcow2,
            built: names::date(&found.release),
            trust,
            signature,
            packages: None,
        }])
    }
}
