//! AlmaLinux: one signed `CHECKSUM` a folder, the signature in `CHECKSUM.asc`, with a key for each major release.

use async_trait::async_trait;

use super::listed::{NOTHING, in_list};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::source::LeastTrust;
use crate::model::version::Version;

/// AlmaLinux.
pub(super) struct Almalinux;

const BASE: &str = "https://repo.almalinux.org/almalinux/";

#[async_trait]
impl Publisher for Almalinux {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::ALMALINUX
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let architecture = ask.architecture;
        let folder = outlet.at(&format!("{BASE}{release}/cloud/{architecture}/images/"))?;
        let list = outlet.detached(&names::below(&folder, "CHECKSUM"), &names::below(&folder, "CHECKSUM.asc")).await?;
        let list = list.ok_or_else(|| UpstreamError::missing(format!("{ask} at `{folder}`"), NOTHING))?;
        let major = release.split('.').next().unwrap_or(release);
        let variant = ask.variant.as_deref().map(|variant| format!("{variant}-")).unwrap_or_default();
        let before = format!("AlmaLinux-{major}-GenericCloud-{variant}");
        Ok(in_list(&list, &folder, &before, &format!(".{architecture}.qcow2")))
    }
}
