//! From what images.toml says to what the catalogue should be.
//!
//! The problem: "follow Debian 12" is no state that anything can be compared with. The idea: every family is resolved
//! to one exact version, or to the reason why nobody can say which, and the reason holds that family alone. What
//! chooses, in this order: `pin`, images.lock.toml, the newest version that is not in `skip`. A source that itself names
//! one exact version is believed before the lock file, which may not have been written since. What this does not solve:
//! whether the chosen version may replace the present one; the planner decides that.

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::{StreamExt, stream};

use super::{Ask, Fetch, Settings, newest};
use crate::manifest::lock::Lock;
use crate::manifest::{FamilySpec, Manifest, Source};
use crate::model::desired::{Chosen, Desired, Wanted};
use crate::model::name::SiteName;
use crate::model::version::{Origin, Trust, Version};
use crate::transfer::digest_file;

/// How many publishers are asked at once.
pub const AT_ONCE: usize = 8;
/// How far back a pinned version, or the newest that is not skipped, is looked for.
const DEPTH: usize = 12;

/// Resolves every family of a manifest. Never fails as a whole: a family that cannot be resolved says why.
pub async fn resolve(manifest: &Manifest, lock: Option<&Lock>, fetch: &Fetch, sites: BTreeSet<SiteName>) -> Desired {
    let wanted = stream::iter(manifest.families.values())
        .map(|family| async move {
            let wanted = wanted(manifest, family, lock, fetch).await;
            (family.name.clone(), family.wanting(wanted))
        })
        .buffer_unordered(AT_ONCE);
    Desired { families: wanted.collect().await, ..unresolved(manifest, sites) }
}

/// The catalogue as the file alone has it: nobody was asked which versions there are.
pub fn unresolved(manifest: &Manifest, sites: BTreeSet<SiteName>) -> Desired {
    let unknown = || Wanted::Unknown("nobody was asked".to_owned());
    let families = manifest.families.values().map(|family| (family.name.clone(), family.wanting(unknown())));
    Desired {
        catalogue: manifest.catalogue.clone(),
        sites,
        families: families.collect(),
        moved: manifest.moved.clone(),
        retirement: manifest.retirement.clone(),
        limits: manifest.limits,
        boot_test: manifest.boot_test.clone(),
        import: manifest.import.clone(),
    }
}

async fn wanted(manifest: &Manifest, family: &FamilySpec, lock: Option<&Lock>, fetch: &Fetch) -> Wanted {
    let chosen = match family.source {
        Source::Distro { .. } => Chosen::Newest,
        Source::Url { .. } | Source::File { .. } => Chosen::Written,
    };
    let locked = lock.and_then(|lock| locked(lock, family));
    if let Some(pin) = &family.pin {
        let found = match locked.filter(|version| version.name == *pin) {
            // A pin that the lock file already describes needs no publisher.
            Some(version) => Some(version),
            // Also a publisher that is down or has forgotten the version: the cloud may still have it.
            None => versions(manifest, family, fetch)
                .await
                .unwrap_or_default()
                .into_iter()
                .find(|version| version.name == *pin),
        };
        return Wanted::Version { name: pin.clone(), version: found.map(Box::new), chosen: Chosen::Pinned };
    }
    if lock.is_some() && chosen == Chosen::Newest {
        let again = format!("run `gallerist lock {}`", family.name);
        return match locked {
            Some(version) if family.skip.contains(&version.name) => {
                Wanted::Unknown(format!("images.lock.toml has `{}`, which `skip` forbids: {again}", version.name))
            }
            Some(version) => exactly(version, Chosen::Locked),
            None => Wanted::Unknown(format!("images.lock.toml does not have it: {again}")),
        };
    }
    match newest_on_offer(manifest, family, fetch).await {
        Ok(version) => exactly(version, chosen),
        Err(reason) => Wanted::Unknown(reason),
    }
}

/// The newest version that is not in `skip`.
///
/// # Errors
/// A sentence for people: there is none, or the publisher's failure.
pub async fn newest_on_offer(manifest: &Manifest, family: &FamilySpec, fetch: &Fetch) -> Result<Version, String> {
    let found = versions(manifest, family, fetch).await?;
    let newest = found.into_iter().find(|version| !family.skip.contains(&version.name));
    newest.ok_or_else(|| "every version on offer is in `skip`".to_owned())
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
    let depth = if family.pin.is_some() || !family.skip.is_empty() { DEPTH } else { 1 };
    versions_back(manifest, family, fetch, depth).await
}

/// The versions of some time, newest first: what may be on a cloud already.
///
/// # Errors
/// As for [`versions`].
pub async fn history(manifest: &Manifest, family: &FamilySpec, fetch: &Fetch) -> Result<Vec<Version>, String> {
    versions_back(manifest, family, fetch, DEPTH).await
}

async fn versions_back(
    manifest: &Manifest,
    family: &FamilySpec,
    fetch: &Fetch,
    depth: usize,
) -> Result<Vec<Version>, String> {
    match &family.source {
        Source::Distro { distro, release, variant } => {
            let ask = Ask {
                distro: *distro,
                release: release.clone(),
                variant: variant.clone(),
                architecture: family.architecture,
                depth,
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::fetch;
    use super::*;
    use crate::manifest::lock;

    const DIGEST: &str = "abababababababababababababababababababababababababababababababab";

    /// What is wanted of the one family of this `[[image]]`, with `9.8` locked for it.
    async fn wanted_of(image: &str) -> Wanted {
        let text =
            format!("[catalogue]\nname = \"test\"\n[[image]]\nfamily = \"rocky-9\"\nname = \"Rocky 9\"\n{image}\n");
        let (manifest, _) = crate::manifest::read("images.toml", text, Path::new(".")).unwrap();
        let text = format!(
            "[[version]]\nfamily = \"rocky-9\"\narchitecture = \"x86_64\"\nversion = \"9.8\"\nurl = \
             \"https://rocky.example/9.8.qcow2\"\nsha256 = \"{DIGEST}\"\ncompression = \"none\"\ndisk_format = \
             \"qcow2\"\ntrust = \"https\"\n"
        );
        let lock = lock::read("images.lock.toml", text).unwrap();
        let mut desired = resolve(&manifest, Some(&lock), &fetch(), BTreeSet::new()).await;
        desired.families.pop_first().unwrap().1.wanted
    }

    #[tokio::test]
    async fn the_lock_file_decides_without_any_request() {
        let wanted = wanted_of("source = { distro = \"rocky\", release = \"9\" }").await;
        assert!(
            matches!(&wanted, Wanted::Version { name, version: Some(_), chosen: Chosen::Locked } if name.as_str() == "9.8")
        );
    }

    #[tokio::test]
    async fn a_version_to_skip_is_not_wanted_although_it_is_locked() {
        let Wanted::Unknown(reason) =
            wanted_of("source = { distro = \"rocky\", release = \"9\" }\nskip = [\"9.8\"]").await
        else {
            panic!("a version that `skip` forbids is wanted")
        };
        assert!(reason.contains("`skip` forbids: run `gallerist lock rocky-9`"), "{reason}");
    }

    #[tokio::test]
    async fn a_source_that_names_its_version_counts_before_a_lock_file_that_lags_behind() {
        let source = format!(
            "source = {{ url = \"https://rocky.example/9.9.qcow2\", version = \"9.9\", sha256 = \"{DIGEST}\" }}"
        );
        let wanted = wanted_of(&source).await;
        assert!(matches!(&wanted, Wanted::Version { name, chosen: Chosen::Written, .. } if name.as_str() == "9.9"));
    }
}
