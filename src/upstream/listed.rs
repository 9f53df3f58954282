//! What most publishers share: plain qcow2 files that stand in a checksum list, or have one each.

use url::Url;

use super::checksums::Checksums;
use super::outlet::{Outlet, Vouched};
use super::{Ask, UpstreamError, checksums, listing, names};
use crate::model::digest::Digests;
use crate::model::name::VersionName;
use crate::model::version::{Compression, DiskFormat, Origin, Trust, Version};

/// An uncompressed qcow2 image of which nothing further is known.
pub(super) fn qcow2(name: VersionName, url: impl Into<String>, published: Digests, trust: Trust) -> Version {
    Version {
        built: names::date(name.as_str()),
        name,
        origin: Origin::Url(url.into()),
        published,
        stored: None,
        size: None,
        compression: Compression::None,
        disk_format: DiskFormat::Qcow2,
        trust,
        signature: None,
        packages: None,
    }
}

/// The images in a checksum list whose names lie between these two parts. What is in the middle is the version, and
/// begins with a digit: `latest` and longer names of other variants do not.
pub(super) fn in_list(list: &Vouched, folder: &Url, before: &str, after: &str) -> Vec<Version> {
    Checksums::parse(&list.text)
        .iter()
        .filter_map(|(file, entry)| {
            let name = names::version(between(file, before, after)?)?;
            let version = qcow2(name, names::below(folder, file), entry.digests.clone(), list.trust.clone());
            Some(Version { size: entry.size, ..version })
        })
        .collect()
}

/// The middle of a name, where it begins and ends like this.
pub(super) fn between<'a>(name: &'a str, before: &str, after: &str) -> Option<&'a str> {
    name.strip_prefix(before)?.strip_suffix(after)
}

/// The file beside an image that holds its digest.
pub(super) struct Beside {
    /// What its name has behind the image's.
    pub(super) ending: &'static str,
    /// What its detached signature has behind that, where there is one.
    pub(super) signature: Option<&'static str>,
}

/// Images that have a checksum file each: the newest of them, as many as are wanted.
///
/// `read` makes a version and the path of its image, below the folder, out of each name in the folder's listing.
pub(super) async fn in_folder(
    ask: &Ask,
    outlet: &Outlet<'_>,
    folder: &Url,
    beside: &Beside,
    read: impl Fn(&str) -> Option<(VersionName, String)> + Send,
) -> Result<Vec<Version>, UpstreamError> {
    let listing =
        outlet.listing(folder).await?.ok_or_else(|| UpstreamError::missing(format!("`{folder}`"), NOTHING))?;
    let names = listing::names(&listing);
    let mut builds: Vec<_> = names.iter().copied().filter_map(read).collect();
    if builds.is_empty() {
        return Err(UpstreamError::missing(format!("{ask} at `{folder}`"), names));
    }
    builds.sort_by(|(one, _), (other, _)| other.compare_age(one));
    let mut versions = Vec::new();
    for (name, path) in builds.into_iter().take(MOST_BUILDS) {
        versions.extend(one_beside(outlet, name, &names::below(folder, &path), beside).await?);
        if versions.len() >= ask.depth.max(1) {
            break;
        }
    }
    Ok(versions)
}

async fn one_beside(
    outlet: &Outlet<'_>,
    name: VersionName,
    image: &Url,
    beside: &Beside,
) -> Result<Option<Version>, UpstreamError> {
    let url = with_ending(image, beside.ending);
    let list = match beside.signature {
        Some(ending) => outlet.detached(&url, &with_ending(&url, ending)).await?,
        None => outlet.unsigned(&url).await?,
    };
    Ok(list.and_then(|list| {
        let file = image.path_segments()?.next_back()?;
        let listed = Checksums::parse(&list.text).get(file).map(|entry| entry.digests.clone());
        let digests = listed.or_else(|| checksums::bare(&list.text).map(Into::into))?;
        Some(qcow2(name, image.as_str(), digests, list.trust))
    }))
}

/// The same file with an ending behind its name: where checksums and signatures lie.
fn with_ending(url: &Url, ending: &str) -> Url {
    let mut url = url.clone();
    url.set_path(&format!("{}{ending}", url.path()));
    url
}

/// Builds that are looked into before it is said that there is none.
pub(super) const MOST_BUILDS: usize = 20;

/// For what is missing and has nothing in its place.
pub(super) const NOTHING: [&str; 0] = [];
