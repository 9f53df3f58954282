//! From what images.toml says to what the catalogue should be.
//!
//! The problem: "follow Debian 12" is no state that anything can be compared with. The idea: every family is resolved
//! to one exact version, or to the reason why nobody can say which, and the reason holds that family alone. What
//! chooses, in this order: `pin`, images.lock.toml, the newest version that is not in `skip`. What this does not solve:
//! whether the chosen version may replace the present one; the planner decides that.

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::{StreamExt, stream};

use super::{Ask, Fetch, Settings, newest};
use crate::manifest::lock::Lock;
use crate::manifest::{FamilySpec, Manifest, Source};
use crate::model::desired::{Chosen, Desired, Wanted};
use crate::model::name::{SiteName, VersionName};
use crate::model::version::{Origin, Trust, Version};
use crate::transfer::digest_file;

/// How many publishers are asked at once.
const AT_ONCE: usize = 8;
/// How far back a pinned version, or the newest that is not skipped, is looked for.
const DEPTH: usize = 12;

/// Resolves every family of a manifest. Never fails as a whole: a family that cannot be resolved says why.
pub async fn resolve(manifest: &Manifest, lock: Option<&Lock>, fetch: &Fetch, sites: BTreeSet<SiteName>) -> Desired {
    let wanted = stream::iter(manifest.families.values())
        .map(|family| async move { (family.name.clone(), family.wanting(wanted(manifest, family, lock, fetch).await)) })
        .buffer_unordered(AT_ONCE);
    Desired {
        catalogue: manifest.catalogue.clone(),
        sites,
        families: wanted.collect().await,
        moved: manifest.moved.clone(),
        retirement: manifest.retirement.clone(),
        limits: manifest.limits,
        boot_test: manifest.boot_test.clone(),
    }
}

async fn wanted(manifest: &Manifest, family: &FamilySpec, lock: Option<&Lock>, fetch: &Fetch) -> Wanted {
    let chosen = match (&family.pin, lock) {
        (Some(pin), _) => Choice::Pin(pin),
        (None, Some(lock)) => Choice::Lock(lock),
        (None, None) => Choice::Newest,
    };
    let found = match (&chosen, lock.and_then(|lock| locked(lock, family))) {
        // A pin that the lock file already describes needs no publisher.
        (Choice::Pin(pin), Some(version)) if version.name == **pin => Ok(vec![version]),
        (Choice::Lock(_), Some(version)) => return exactly(version, Chosen::Locked),
        (Choice::Lock(_), None) if matches!(family.source, Source::Distro { .. }) => {
            let reason = format!("images.lock.toml does not have it: run `gallerist lock {}`", family.name);
            return Wanted::Unknown(reason);
        }
        (Choice::Pin(_) | Choice::Lock(_) | Choice::Newest, _) => versions(manifest, family, fetch).await,
    };
    match (chosen, found) {
        (Choice::Pin(pin), found) => Wanted::Version {
            name: pin.clone(),
            // Also a publisher that is down or has forgotten the version: the cloud may still have it.
            version: found.unwrap_or_default().into_iter().find(|version| version.name == *pin).map(Box::new),
            chosen: Chosen::Pinned,
        },
        (Choice::Lock(_) | Choice::Newest, Err(reason)) => Wanted::Unknown(reason),
        (Choice::Lock(_) | Choice::Newest, Ok(found)) => {
            let chosen = match family.source {
                Source::Distro { .. } => Chosen::Newest,
                Source::Url { .. } | Source::File { .. } => Chosen::Written,
            };
            match found.into_iter().find(|version| !family.skip.contains(&version.name)) {
                Some(version) => exactly(version, chosen),
                None => Wanted::Unknown("every version on offer is in `skip`".to_owned()),
            }
        }
    }
}

enum Choice<'a> {
    Pin(&'a VersionName),
    Lock(&'a Lock),
    Newest,
}

fn exactly(version: Version, chosen: Chosen) -> Wanted {
    Wanted::Version { name: version.name.clone(), version: Some(Box::new(version)), chosen }
}

fn locked(lock: &Lock, family: &FamilySpec) -> Option<Version> {
    let locked = lock.get(&family.name)?;
    (locked.architecture == family.architecture).then(|| locked.version.clone())
}

/// The versions on offer, newest first, or why there is none.
///
/// # Errors
/// A sentence for people; the publisher's failure, an unreadable key or file.
pub async fn versions(manifest: &Manifest, family: &FamilySpec, fetch: &Fetch) -> Result<Vec<Version>, String> {
    match &family.source {
        Source::Distro { distro, release, variant } => {
            let ask = Ask {
                distro: *distro,
                release: release.clone(),
                variant: variant.clone(),
                architecture: family.architecture,
                depth: if family.pin.is_some() || !family.skip.is_empty() { DEPTH } else { 1 },
            };
            let settings = match manifest.publishers.get(distro) {
                None => Settings::default(),
                Some(publisher) => Settings {
                    mirror: publisher.mirror.clone(),
                    keys: read_keys(&publisher.keys).await?,
                    least: publisher.trust,
                },
            };
            newest(&ask, &settings, fetch).await.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
        }
        Source::Url { url, version, digests, compression, disk_format, built } => Ok(vec![Version {
            name: version.clone(),
            origin: Origin::Url(url.to_string()),
            published: digests.clone(),
            stored: None,
            size: None,
            compression: *compression,
            disk_format: *disk_format,
            built: *built,
            trust: Trust::Declared,
            signature: None,
            packages: None,
        }]),
        Source::File { path, version, compression, disk_format, built } => {
            let (published, size) =
                digest_file(path).await.map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
            Ok(vec![Version {
                name: version.clone(),
                origin: Origin::File(path.clone()),
                published,
                stored: None,
                size: Some(size),
                compression: *compression,
                disk_format: *disk_format,
                built: *built,
                trust: Trust::Local,
                signature: None,
                packages: None,
            }])
        }
    }
}

async fn read_keys(paths: &[PathBuf]) -> Result<Option<Vec<Vec<u8>>>, String> {
    let mut keys = Vec::new();
    for path in paths {
        let key = tokio::fs::read(path).await;
        keys.push(key.map_err(|error| format!("the key `{}` cannot be read: {error}", path.display()))?);
    }
    Ok((!keys.is_empty()).then_some(keys))
}
