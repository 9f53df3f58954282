//! Rocky Linux: one `CHECKSUM` a folder, with sizes.
//!
//! The folder `9` is the current minor release of 9; its images carry minor, date and number, `9.8-20260525.0`, beside
//! aliases that move. The publisher signs the lists of releases 8 and 10 on the mirrors, in `CHECKSUM.sig`, and says so in
//! the README of <https://github.com/rocky-linux/checksums>; so for those a signature is asked for. For 9 there is none:
//! what vouches for it is the TLS connection. An Azure image calls itself `.qcow2` there and is none, so only names of
//! the generic cloud image are read.

use async_trait::async_trait;

use super::listed::{NOTHING, in_list};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::source::LeastTrust;
use crate::model::version::Version;

/// Rocky Linux.
pub(super) struct Rocky;

const BASE: &str = "https://dl.rockylinux.org/pub/rocky/";
/// Releases whose lists are signed.
const SIGNED: [&str; 2] = ["8", "10"];

#[async_trait]
impl Publisher for Rocky {
    fn offers(&self, ask: &Ask) -> LeastTrust {
        if SIGNED.contains(&major(ask.release.as_deref().unwrap_or_default())) {
            LeastTrust::Signed
        } else {
            LeastTrust::Https
        }
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::ROCKY
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let architecture = ask.architecture;
        let folder = outlet.at(&format!("{BASE}{release}/images/{architecture}/"))?;
        let list = outlet.detached(&names::below(&folder, "CHECKSUM"), &names::below(&folder, "CHECKSUM.sig")).await?;
        let list = list.ok_or_else(|| UpstreamError::missing(format!("{ask} at `{folder}`"), NOTHING))?;
        let variant = ask.variant.as_deref().unwrap_or("Base");
        let before = format!("Rocky-{}-GenericCloud-{variant}-", major(release));
        Ok(in_list(&list, &folder, &before, &format!(".{architecture}.qcow2")))
    }
}

/// `9` of `9.8`.
fn major(release: &str) -> &str {
    release.split('.').next().unwrap_or(release)
}
