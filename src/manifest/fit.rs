//! Whether images.lock.toml fits images.toml.
//!
//! None of this is a mistake of either file, and plans go on: a family that is not locked is held, an entry that nothing
//! asks for is passed over. But whoever reviews the two should know, and `gallerist lock` mends all of it.

use std::sync::Arc;

use super::codes::Code;
use super::contents::{FamilySpec, Manifest, Source};
use super::diagnostic::{Diagnostic, SourceFile};
use super::lock::{Lock, Locked};
use crate::model::version::Origin;

/// Where the two differ, as warnings: families of images.toml first, then entries of the lock file that is called
/// `name` and holds `text`.
pub fn misfits(manifest: &Manifest, lock: &Lock, name: &str, text: &str) -> Vec<Diagnostic> {
    let families = manifest.families.values().filter_map(|family| {
        let problem = problem(family, lock.get(&family.name))?;
        let diagnostic = Diagnostic::new(Code::LockMisfit, &manifest.file, family.span.clone(), problem);
        Some(diagnostic.help(format!("run `gallerist lock {}`", family.name)))
    });
    let file = Arc::new(SourceFile { name: name.to_owned(), text: text.to_owned() });
    let gone = lock.keys().filter(|family| !manifest.families.contains_key(*family)).map(|family| {
        let key = format!("family = \"{family}\"");
        let start = text.find(&key).unwrap_or_default();
        let span = start..start.saturating_add(key.len());
        let problem = format!("`{family}` is locked, but is not in images.toml any more");
        Diagnostic::new(Code::LockMisfit, &file, span, problem).help("run `gallerist lock`")
    });
    families.chain(gone).collect()
}

fn problem(family: &FamilySpec, locked: Option<&Locked>) -> Option<String> {
    let name = &family.name;
    let Some(locked) = locked else {
        return match family.source {
            Source::Distro { .. } if family.pin.is_none() => {
                Some(format!("`{name}` is not in images.lock.toml: plans hold it as it is"))
            }
            Source::Distro { .. } | Source::Url { .. } | Source::File { .. } => None,
        };
    };
    let version = &locked.version;
    if locked.architecture != family.architecture {
        let (locked, wanted) = (locked.architecture, family.architecture);
        return Some(format!("`{name}` is locked for {locked}, but is wanted for {wanted}: plans hold it as it is"));
    }
    if family.skip.contains(&version.name) {
        let version = &version.name;
        return Some(format!("`{name}` is locked to `{version}`, which `skip` forbids: plans hold it as it is"));
    }
    if let Some(pin) = family.pin.as_ref().filter(|pin| **pin != version.name) {
        let version = &version.name;
        return Some(format!("`{name}` is locked to `{version}`, but pinned to `{pin}`: the pin counts"));
    }
    match &family.source {
        Source::Url { url, version: written, digests, .. }
            if *written != version.name
                || *digests != version.published
                || version.origin != Origin::Url(url.to_string()) =>
        {
            Some(format!("`{name}` is locked to another version than its source names: the source counts"))
        }
        Source::Distro { .. } | Source::Url { .. } | Source::File { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifest::lock;

    const IMAGES: &str = r#"
[catalogue]
name = "test"
[[image]]
family = "rocky-9"
name = "Rocky 9"
source = { distro = "rocky", release = "9" }
"#;
    const LOCK: &str = r#"
[[version]]
family = "rocky-9"
architecture = "x86_64"
version = "9.8"
url = "https://rocky.example/9.8.qcow2"
sha256 = "abababababababababababababababababababababababababababababababab"
compression = "none"
disk_format = "qcow2"
trust = "https"
"#;

    /// What is found where, in images.toml with this added to its image, and in a lock file altered so.
    fn found(added: &str, lock: &str) -> Vec<(String, String)> {
        let (manifest, _) = crate::manifest::read("images.toml", format!("{IMAGES}{added}\n"), Path::new(".")).unwrap();
        let read = lock::read("images.lock.toml", lock.to_owned()).unwrap();
        let misfits = misfits(&manifest, &read, "images.lock.toml", lock);
        misfits.into_iter().map(|it| (format!("{}:{}", it.file.name, it.start().line), it.detail)).collect()
    }

    #[test]
    fn what_fits_is_not_reported() {
        assert_eq!(found("", LOCK), []);
        assert_eq!(found("pin = \"9.8\"", LOCK), []);
        assert_eq!(found("pin = \"9.7\"", ""), []);
    }

    #[test]
    fn each_misfit_is_told_at_its_place() {
        let other = LOCK.replace("rocky-9", "rocky-8");
        let arm = LOCK.replace("x86_64", "aarch64");
        for (added, lock, place, words) in [
            ("", "", "images.toml:4", "is not in images.lock.toml"),
            ("", arm.as_str(), "images.toml:4", "locked for aarch64, but is wanted for x86_64"),
            ("skip = [\"9.8\"]", LOCK, "images.toml:4", "which `skip` forbids"),
            ("pin = \"9.7\"", LOCK, "images.toml:4", "pinned to `9.7`: the pin counts"),
            ("pin = \"9.7\"", other.as_str(), "images.lock.toml:3", "`rocky-8` is locked, but"),
        ] {
            let found = found(added, lock);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].0, place);
            assert!(found[0].1.contains(words), "{found:?}");
        }
    }
}
