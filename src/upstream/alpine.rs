//! Alpine Linux: images with a `.sha512` each, which holds a digest and nothing else, and is not signed.
//!
//! There is a build for each firmware. Without a variant the one for BIOS is taken where it exists, for that is what a
//! server boots with unless its image asks for UEFI; on aarch64 there is only UEFI.

use async_trait::async_trait;

use super::listed::{Beside, between, in_folder};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, names};
use crate::model::source::{Architecture, LeastTrust};
use crate::model::version::Version;

/// Alpine Linux.
pub(super) struct Alpine;

const BASE: &str = "https://dl-cdn.alpinelinux.org/alpine/";
const SUMS: Beside = Beside { ending: ".sha512", signature: None };

#[async_trait]
impl Publisher for Alpine {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Https
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        &[]
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let folder = outlet.at(&format!("{BASE}v{release}/releases/cloud/"))?;
        let variants = match (&ask.variant, ask.architecture) {
            (Some(variant), _) => vec![variant.as_str()],
            (None, Architecture::X86_64) => vec!["bios-cloudinit", "uefi-cloudinit"],
            (None, Architecture::Aarch64) => vec!["uefi-cloudinit"],
        };
        let mut found = Ok(Vec::new());
        for variant in variants {
            found = of_variant(ask, outlet, &folder, variant).await;
            match &found {
                Ok(_) => break,
                Err(UpstreamError::Missing { .. }) => {}
                Err(_) => return found,
            }
        }
        found
    }
}

async fn of_variant(
    ask: &Ask,
    outlet: &Outlet<'_>,
    folder: &url::Url,
    variant: &str,
) -> Result<Vec<Version>, UpstreamError> {
    // `nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2`: the image's revision stands behind the variant.
    let middle = format!("-{}-{variant}-", ask.architecture);
    let read = |file: &str| {
        let image = file.strip_suffix(SUMS.ending)?;
        let (release, revision) = between(image, "nocloud_alpine-", ".qcow2")?.split_once(&middle)?;
        Some((names::version(&format!("{release}-{revision}"))?, image.to_owned()))
    };
    in_folder(ask, outlet, folder, &SUMS, read).await
}
