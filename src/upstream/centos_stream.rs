//! CentOS Stream: one unsigned `CHECKSUM` a folder, with sizes and many old builds.
//!
//! A second build of the same day names its architecture twice (`GenericCloud-x86_64-9-…`). It is taken only where the
//! plain one does not exist, as for release 10.

use async_trait::async_trait;

use super::listed::{NOTHING, in_list};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, names};
use crate::model::source::LeastTrust;
use crate::model::version::Version;

/// CentOS Stream.
pub(super) struct CentosStream;

const BASE: &str = "https://cloud.centos.org/centos/";

#[async_trait]
impl Publisher for CentosStream {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Https
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        &[]
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let architecture = ask.architecture;
        let folder = outlet.at(&format!("{BASE}{release}-stream/{architecture}/images/"))?;
        let list = outlet.unsigned(&names::below(&folder, "CHECKSUM")).await?;
        let list = list.ok_or_else(|| UpstreamError::missing(format!("{ask} at `{folder}`"), NOTHING))?;
        let variant = ask.variant.as_deref().unwrap_or("GenericCloud");
        let named = |middle: &str| {
            let before = format!("CentOS-Stream-{variant}-{middle}{release}-");
            in_list(&list, &folder, &before, &format!(".{architecture}.qcow2"))
        };
        let plain = named("");
        Ok(if plain.is_empty() { named(&format!("{architecture}-")) } else { plain })
    }
}
