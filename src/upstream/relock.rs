//! What a new images.lock.toml should hold.
//!
//! The problem: a lock file is reviewed, so it must change only where something has changed, and a publisher that is
//! down tonight must not take a family out of it. The idea: the new lock is the old one, family by family replaced by
//! what the publisher offers now; every family that could not be looked up keeps what it had and is reported. What this
//! does not solve: whether the new version is any good; the plan, its review and the boot test say that.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::Fetch;
use super::resolve::{AT_ONCE, newest_on_offer, versions};
use crate::manifest::lock::{Lock, Locked};
use crate::manifest::{FamilySpec, Manifest, Source};
use crate::model::name::{FamilyName, VersionName};
use crate::model::version::Version;

/// The new lock, and how it came from the old one.
#[derive(Debug)]
pub struct Relock {
    /// What images.lock.toml should hold.
    pub lock: Lock,
    /// What differs from the old one, by family.
    pub changes: Vec<(FamilyName, Change)>,
    /// Families that could not be looked up and keep what they had, with the reason.
    pub failures: Vec<(FamilyName, String)>,
}

/// What has changed of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not locked, or for another processor.
    Added(VersionName),
    /// Another version.
    Moved {
        /// Locked before.
        from: VersionName,
        /// Locked now.
        to: VersionName,
    },
    /// The same version with other bytes. A publisher should never do that.
    OtherBytes(VersionName),
    /// The same version and bytes; an address, a size or what vouches for it is another.
    Details(VersionName),
    /// It has left images.toml.
    Removed(VersionName),
}

/// Which families are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of images.toml.
    Everything,
    /// These; the others keep what they have.
    Only(BTreeSet<FamilyName>),
}

/// Looks upstream. `pin` and `skip` hold as they do when planning.
pub async fn relock(manifest: &Manifest, old: &Lock, scope: &Scope, fetch: &Fetch) -> Relock {
    let asked = manifest.families.values().filter(|family| match scope {
        Scope::Everything => true,
        Scope::Only(names) => names.contains(&family.name),
    });
    let found: Vec<_> = stream::iter(asked)
        .map(|family| async move { (family, look_up(manifest, family, old, fetch).await) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut relock = Relock { lock: old.clone(), changes: Vec::new(), failures: Vec::new() };
    for (name, gone) in old.iter().filter(|(name, _)| !manifest.families.contains_key(*name)) {
        relock.lock.remove(name);
        relock.changes.push((name.clone(), Change::Removed(gone.version.name.clone())));
    }
    for (family, found) in found {
        let name = family.name.clone();
        match found {
            Ok(None) => {
                relock.changes.extend(relock.lock.remove(&name).map(|gone| (name, Change::Removed(gone.version.name))));
            }
            Ok(Some(version)) => {
                // As the file will hold it: there the digest vouches for the bytes, and no signature of them is named.
                let version = Version { signature: None, ..version };
                let locked = Locked { architecture: family.architecture, version };
                relock.changes.extend(change(old.get(&name), &locked).map(|change| (name.clone(), change)));
                relock.lock.insert(name, locked);
            }
            Err(reason) => relock.failures.push((name, reason)),
        }
    }
    relock.changes.sort_by(|one, other| one.0.cmp(&other.0));
    relock
}

/// The version to lock; none for a file of this machine, which images.toml already names exactly.
async fn look_up(
    manifest: &Manifest,
    family: &FamilySpec,
    old: &Lock,
    fetch: &Fetch,
) -> Result<Option<Version>, String> {
    if matches!(family.source, Source::File { .. }) {
        return Ok(None);
    }
    let Some(pin) = &family.pin else { return newest_on_offer(manifest, family, fetch).await.map(Some) };
    let offered = versions(manifest, family, fetch).await;
    if let Some(version) = offered.as_ref().ok().and_then(|found| found.iter().find(|version| version.name == *pin)) {
        return Ok(Some(version.clone()));
    }
    // Publishers forget old versions. What is locked already says all that there is to say.
    let locked = old
        .get(&family.name)
        .filter(|locked| locked.version.name == *pin && locked.architecture == family.architecture && offered.is_ok());
    match (locked, offered) {
        (Some(locked), _) => Ok(Some(locked.version.clone())),
        (None, Ok(_)) => Err(format!("the pinned version `{pin}` is not on offer")),
        (None, Err(reason)) => Err(reason),
    }
}

fn change(old: Option<&Locked>, new: &Locked) -> Option<Change> {
    let name = new.version.name.clone();
    match old {
        Some(old) if old == new => None,
        Some(old) if old.architecture != new.architecture => Some(Change::Added(name)),
        Some(old) if old.version.name != name => Some(Change::Moved { from: old.version.name.clone(), to: name }),
        Some(old) if old.version.published.agree(&new.version.published) == Some(true) => Some(Change::Details(name)),
        Some(_) => Some(Change::OtherBytes(name)),
        None => Some(Change::Added(name)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use url::Url;

    use super::super::hosts::{hosts, published};
    use super::super::testing::{Files, fetch, serve_files, throw_away_key};
    use super::*;
    use crate::model::source::Distro;

    struct Stage {
        files: Files,
        mirror: Url,
        newest: &'static str,
    }

    /// The host of one publisher that signs nothing, reached over plain HTTP.
    async fn stage() -> Stage {
        let host = hosts().into_iter().find(|host| host.ask.distro == Distro::Rocky).unwrap();
        let files = published(&host, &throw_away_key());
        Stage { mirror: serve_files(&files).await, newest: host.newest, files }
    }

    impl Stage {
        fn manifest(&self, extra: &str) -> Manifest {
            let text = format!(
                "[catalogue]\nname = \"test\"\n[publisher.rocky]\nmirror = \"{}\"\ntrust = \"none\"\n[[image]]\nfamily = \
                 \"rocky-9\"\nname = \"Rocky 9\"\nsource = {{ distro = \"rocky\", release = \"9\" }}\n{extra}\n",
                self.mirror
            );
            crate::manifest::read("images.toml", text, Path::new(".")).unwrap().0
        }
    }

    async fn run(manifest: &Manifest, old: &Lock) -> Relock {
        relock(manifest, old, &Scope::Everything, &fetch()).await
    }

    fn family(name: &str) -> FamilyName {
        FamilyName::parse(name).unwrap()
    }

    fn version(name: &str) -> VersionName {
        VersionName::parse(name).unwrap()
    }

    #[tokio::test]
    async fn the_newest_is_locked_and_the_second_run_changes_nothing() {
        let stage = stage().await;
        let manifest = stage.manifest("");
        let first = run(&manifest, &Lock::new()).await;
        assert_eq!(first.changes, [(family("rocky-9"), Change::Added(version(stage.newest)))], "{first:?}");
        let again = run(&manifest, &first.lock).await;
        assert_eq!((again.changes, again.lock), (vec![], first.lock));
    }

    #[tokio::test]
    async fn older_versions_move_and_other_bytes_are_told() {
        let stage = stage().await;
        let manifest = stage.manifest("");
        let first = run(&manifest, &Lock::new()).await;
        let mut old = first.lock.clone();
        old.get_mut(&family("rocky-9")).unwrap().version.name = version("9.0");
        let moved = run(&manifest, &old).await.changes;
        assert_eq!(moved, [(family("rocky-9"), Change::Moved { from: version("9.0"), to: version(stage.newest) })]);
        let mut old = first.lock.clone();
        old.get_mut(&family("rocky-9")).unwrap().version.published =
            format!("sha256:{}", "0".repeat(64)).parse::<crate::model::digest::Digest>().unwrap().into();
        let other = run(&manifest, &old).await.changes;
        assert_eq!(other, [(family("rocky-9"), Change::OtherBytes(version(stage.newest)))]);
    }

    #[tokio::test]
    async fn a_silent_publisher_costs_no_family_its_entry() {
        let stage = stage().await;
        let manifest = stage.manifest("");
        let first = run(&manifest, &Lock::new()).await;
        stage.files.0.lock().unwrap().clear();
        let second = run(&manifest, &first.lock).await;
        assert_eq!((second.lock, second.changes), (first.lock.clone(), vec![]));
        assert_eq!(second.failures[0].0, family("rocky-9"));
        let untouched = relock(&manifest, &first.lock, &Scope::Only(BTreeSet::new()), &fetch()).await;
        assert!(untouched.failures.is_empty());
    }

    #[tokio::test]
    async fn who_left_the_file_leaves_the_lock() {
        let stage = stage().await;
        let manifest = stage.manifest("");
        let first = run(&manifest, &Lock::new()).await;
        let mut old = first.lock.clone();
        old.insert(family("gone"), first.lock[&family("rocky-9")].clone());
        let named = relock(&manifest, &old, &Scope::Only(BTreeSet::new()), &fetch()).await;
        assert_eq!(named.lock, first.lock);
        assert_eq!(named.changes, [(family("gone"), Change::Removed(version(stage.newest)))]);
    }

    #[tokio::test]
    async fn pin_and_skip_are_respected() {
        let stage = stage().await;
        let first = run(&stage.manifest(""), &Lock::new()).await;
        let skipped = run(&stage.manifest(&format!("skip = [\"{}\"]", stage.newest)), &first.lock).await;
        let older = Change::Moved { from: version(stage.newest), to: version("9.8-20251123.2") };
        assert_eq!(skipped.changes, [(family("rocky-9"), older)]);
        let forgotten = run(&stage.manifest("pin = \"8.1\""), &first.lock).await;
        assert_eq!(forgotten.failures, [(family("rocky-9"), "the pinned version `8.1` is not on offer".to_owned())]);
        let mut old = first.lock.clone();
        old.get_mut(&family("rocky-9")).unwrap().version.name = version("8.1");
        let remembered = run(&stage.manifest("pin = \"8.1\""), &old).await;
        assert_eq!((remembered.lock, remembered.changes), (old, vec![]));
        assert!(remembered.failures.is_empty());
    }
}
