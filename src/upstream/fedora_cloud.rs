//! Fedora Cloud: one clear-signed checksum list a folder, with sizes, by the key of that release.
//!
//! The list's own name carries the number of the compose, so the folder is listed to find it. The site's
//! `releases.json` names the images too, but nothing signs it.

use async_trait::async_trait;

use super::listed::{NOTHING, between, in_list};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, keys, listing, names};
use crate::model::name::VersionName;
use crate::model::source::LeastTrust;
use crate::model::version::Version;

/// Fedora Cloud.
pub(super) struct FedoraCloud;

const BASE: &str = "https://dl.fedoraproject.org/pub/fedora/linux/releases/";

#[async_trait]
impl Publisher for FedoraCloud {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::FEDORA
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let architecture = ask.architecture;
        let folder = outlet.at(&format!("{BASE}{release}/Cloud/{architecture}/images/"))?;
        let missing = || UpstreamError::missing(format!("{ask} at `{folder}`"), NOTHING);
        let listing = outlet.listing(&folder).await?.ok_or_else(missing)?;
        let (before, after) = (format!("Fedora-Cloud-{release}-"), format!("-{architecture}-CHECKSUM"));
        let compose = |name: &&str| between(name, &before, &after).and_then(names::version);
        let newest = listing::names(&listing)
            .into_iter()
            .filter_map(|name| Some((compose(&name)?, name)))
            .max_by(|(one, _), (other, _): &(VersionName, &str)| one.compare_age(other));
        let (compose, file) = newest.ok_or_else(missing)?;
        let list = outlet.clear_signed(&names::below(&folder, file)).await?.ok_or_else(missing)?;
        let stem = format!("Fedora-Cloud-Base-{}", ask.variant.as_deref().unwrap_or("Generic"));
        // Until release 40 the architecture stood in front of the version.
        let forms = [
            (format!("{stem}-"), format!(".{architecture}.qcow2")),
            (format!("{stem}.{architecture}-"), ".qcow2".to_owned()),
        ];
        let wanted = format!("{release}-{compose}");
        Ok(forms
            .iter()
            .flat_map(|(before, after)| in_list(&list, &folder, before, after))
            .filter(|version| version.name.as_str() == wanted)
            .collect())
    }
}
