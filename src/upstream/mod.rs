//! What the distributions publish: exact versions, with digests and what vouches for them.
//!
//! This room turns "Ubuntu 24.04 for aarch64" into a list of [`Version`]s, newest first: each an exact URL with the
//! digests its publisher states, and a note of what vouches for those digests. It reads small files only; the bytes of
//! images are fetched elsewhere, by whoever has to put them into a cloud. It refuses to know clouds, catalogues and
//! plans, and what may be deleted.
//!
//! The chain is: a key that ships with gallerist (or is named in images.toml) signs a list, the list states a digest,
//! the digest vouches for the bytes. [`signature`] verifies the first link, [`checksums`] reads the second, and the
//! third is the transfer's. Where the key signs the bytes themselves, [`seal`] goes with them. `outlet` decides how much of the chain is enough. Publishers that sign nothing have a chain
//! of one link, the TLS connection.
//!
//! To add a publisher: one file with a type that is a `Publisher`, its word in `model::source::Distro`, one line in
//! `publisher`, and its keys in [`keys`] if it signs.

mod almalinux;
mod alpine;
mod archlinux;
mod armor;
mod centos_stream;
pub mod checksums;
pub mod clear_signed;
pub mod contents;
mod debian;
mod error;
mod fedora_cloud;
mod fedora_coreos;
pub mod fetch;
mod flatcar;
#[cfg(test)]
mod hosts;
mod kept;
pub mod keys;
mod listed;
mod listing;
mod names;
mod opensuse_leap;
mod outlet;
pub mod packages;
#[cfg(test)]
mod publishers_tests;
mod rocky;
#[cfg(test)]
mod samples;
pub mod seal;
pub mod signature;
#[cfg(test)]
mod testing;
mod ubuntu;

use async_trait::async_trait;
use url::Url;

pub mod relock;
pub mod resolve;

pub use error::UpstreamError;
pub use fetch::Fetch;

use self::outlet::Outlet;
use crate::model::source::{Architecture, Distro, LeastTrust};
use crate::model::version::Version;

/// What is asked of a publisher: the `source` and `architecture` of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whose images.
    pub distro: Distro,
    /// The publisher's word for the release, stream or channel: `24.04`, `12`, `stable`.
    pub release: Option<String>,
    /// The publisher's word for one of several builds of a release.
    pub variant: Option<String>,
    /// For which processor.
    pub architecture: Architecture,
    /// How many versions are wanted at least, if there are so many: one, or more where the newest may be skipped. Some
    /// publishers cost a request a version.
    pub depth: usize,
}

/// How a publisher is reached: its `[publisher.…]` in images.toml.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Takes the place of scheme and host; the publisher's paths follow its own.
    pub mirror: Option<Url>,
    /// Key files, armored or binary, that take the place of the shipped ones.
    pub keys: Option<Vec<Vec<u8>>>,
    /// The least that must vouch for digests; by default what the publisher offers.
    pub least: Option<LeastTrust>,
}

/// A publisher of images.
#[async_trait]
trait Publisher: Sync {
    /// What vouches for this publisher's digests when nothing is out of order.
    fn offers(&self, ask: &Ask) -> LeastTrust;

    /// The keys that ship for it.
    fn keys(&self) -> &'static [&'static [u8]];

    /// Versions, in any order; at least `ask.depth` of the newest, where there are so many.
    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError>;
}

/// Every publisher, one line each.
fn publisher(distro: Distro) -> &'static dyn Publisher {
    match distro {
        Distro::Ubuntu => &ubuntu::SERVER,
        Distro::UbuntuMinimal => &ubuntu::MINIMAL,
        Distro::Debian => &debian::Debian,
        Distro::FedoraCoreos => &fedora_coreos::FedoraCoreos,
        Distro::Rocky => &rocky::Rocky,
        Distro::Flatcar => &flatcar::Flatcar,
        Distro::Almalinux => &almalinux::Almalinux,
        Distro::CentosStream => &centos_stream::CentosStream,
        Distro::FedoraCloud => &fedora_cloud::FedoraCloud,
        Distro::OpensuseLeap => &opensuse_leap::OpensuseLeap,
        Distro::Alpine => &alpine::Alpine,
        Distro::Archlinux => &archlinux::Archlinux,
    }
}

/// The versions of what is asked for, newest first; never an empty list.
///
/// # Errors
/// [`UpstreamError`]: the publisher cannot be reached, cannot be understood, cannot be trusted, or has no such thing.
pub async fn newest(ask: &Ask, settings: &Settings, fetch: &Fetch) -> Result<Vec<Version>, UpstreamError> {
    let publisher = publisher(ask.distro);
    let outlet = Outlet::new(settings, publisher.keys(), publisher.offers(ask), fetch)?;
    let mut versions = publisher.versions(ask, &outlet).await?;
    versions.sort_by(|one, other| other.name.compare_age(&one.name));
    versions.dedup_by(|one, other| one.name == other.name);
    if versions.is_empty() {
        return Err(UpstreamError::missing(ask.to_string(), listed::NOTHING));
    }
    Ok(versions)
}

impl std::fmt::Display for Ask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.distro)?;
        for word in [&self.release, &self.variant].into_iter().flatten() {
            write!(formatter, " {}", word.escape_debug())?;
        }
        write!(formatter, " for {}", self.architecture)
    }
}

impl Ask {
    /// The release, for the publishers that have several.
    fn release(&self) -> Result<&str, UpstreamError> {
        self.release
            .as_deref()
            .ok_or_else(|| UpstreamError::Ask(format!("`{}` needs a `release` in its source", self.distro)))
    }

    /// The architecture as Debian, Ubuntu and Flatcar say it.
    const fn debian_architecture(&self) -> &'static str {
        match self.architecture {
            Architecture::X86_64 => "amd64",
            Architecture::Aarch64 => "arm64",
        }
    }
}
