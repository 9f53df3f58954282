//! Arch Linux: a folder for each build, `v20260715.556894`, with a `.SHA256` beside the image, which is signed in
//! `.SHA256.sig`. It has no releases and one architecture. The image has a signature of its own as well, which says
//! nothing that the signed digest does not.

use async_trait::async_trait;

use super::listed::{Beside, in_folder};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::source::{Architecture, LeastTrust};
use crate::model::version::Version;

/// Arch Linux.
pub(super) struct Archlinux;

const BASE: &str = "https://geo.mirror.pkgbuild.com/images/";
const SUMS: Beside = Beside { ending: ".SHA256", signature: Some(".sig") };

#[async_trait]
impl Publisher for Archlinux {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::ARCHLINUX
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        match ask.architecture {
            Architecture::X86_64 => {}
            Architecture::Aarch64 => {
                return Err(UpstreamError::missing(ask.to_string(), ["archlinux for x86_64"]));
            }
        }
        let folder = outlet.at(BASE)?;
        let variant = ask.variant.as_deref().unwrap_or("cloudimg");
        let read = |name: &str| {
            let version = names::version(name.strip_prefix('v')?)?;
            let path = format!("{name}/Arch-Linux-x86_64-{variant}-{version}.qcow2");
            Some((version, path))
        };
        in_folder(ask, outlet, &folder, &SUMS, read).await
    }
}
