//! openSUSE Leap: images with a `.sha256` each, signed in `.sha256.asc`.
//!
//! The short names move; those with a build number, `…-Build18.7.qcow2`, do not, and that number is the version. The
//! signatures are of OpenPGP version 3, which is older than most of what reads them.

use async_trait::async_trait;

use super::listed::{Beside, in_folder};
use super::outlet::Outlet;
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::name::VersionName;
use crate::model::source::LeastTrust;
use crate::model::version::Version;

/// openSUSE Leap.
pub(super) struct OpensuseLeap;

const BASE: &str = "https://download.opensuse.org/distribution/leap/";
const SUMS: Beside = Beside { ending: ".sha256", signature: Some(".asc") };

#[async_trait]
impl Publisher for OpensuseLeap {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::OPENSUSE
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = names::release(ask)?;
        let folder = outlet.at(&format!("{BASE}{release}/appliances/"))?;
        let read = |file: &str| {
            let image = file.strip_suffix(SUMS.ending)?;
            Some((build(image, release, ask)?, image.to_owned()))
        };
        in_folder(ask, outlet, &folder, &SUMS, read).await
    }
}

/// `Leap-16.0-Minimal-VM.x86_64-Cloud-Build18.7.qcow2`; before Leap 16 with `openSUSE-` in front and the release again
/// in the middle.
fn build(file: &str, release: &str, ask: &Ask) -> Option<VersionName> {
    let variant = ask.variant.as_deref().unwrap_or("Cloud");
    let rest = file.strip_prefix("openSUSE-").unwrap_or(file);
    let rest = rest.strip_prefix(&format!("Leap-{release}-Minimal-VM.{}-", ask.architecture))?;
    let (middle, build) = rest.strip_suffix(".qcow2")?.split_once("-Build")?;
    let plain = middle == variant;
    let repeated = middle.strip_suffix(&format!("-{variant}")).is_some_and(|again| again.starts_with(release));
    (plain || repeated).then(|| names::version(build)).flatten()
}
