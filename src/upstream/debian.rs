//! Debian: a folder for each release, in it a folder for each build, in that a `SHA512SUMS` that nothing signs.
//!
//! There is no index. The folder is listed, and builds are looked at from the newest down, as many as are wanted: a
//! build may lack an architecture. `latest` is passed over, for its names stay while their content changes; only where a mirror lists
//! nothing, the build it describes is taken, by that build's own folder.

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;

use super::checksums::Checksums;
use super::fetch::Expected;
use super::listed::{MOST_BUILDS, NOTHING, qcow2};
use super::outlet::{Outlet, Vouched, json, utf8};
use super::{Ask, Publisher, UpstreamError, listing, names};
use crate::model::name::VersionName;
use crate::model::source::LeastTrust;
use crate::model::version::{PackageDialect, PackageList, Version};

/// Debian's cloud images.
pub(super) struct Debian;

const BASE: &str = "https://cloud.debian.org/images/cloud/";
/// Releases by number and codename: the folders have the one, the files the other.
const RELEASES: [(&str, &str); 5] =
    [("10", "buster"), ("11", "bullseye"), ("12", "bookworm"), ("13", "trixie"), ("14", "forky")];

#[derive(Deserialize)]
struct Description {
    items: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    kind: String,
    #[serde(default)]
    data: serde_json::Value,
}

#[async_trait]
impl Publisher for Debian {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Https
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        &[]
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let release = ask.release()?;
        let Some((number, codename)) = RELEASES.into_iter().find(|(number, name)| [*number, *name].contains(&release))
        else {
            return Err(UpstreamError::missing(ask.to_string(), RELEASES.map(|(number, _)| number)));
        };
        let stem = format!(
            "debian-{number}-{}-{}",
            ask.variant.as_deref().unwrap_or("genericcloud"),
            ask.debian_architecture()
        );
        let folder = outlet.at(&format!("{BASE}{codename}/"))?;
        let mut builds = builds(&folder, &stem, outlet).await?;
        builds.sort_by(|one, other| other.compare_age(one));
        let mut versions = Vec::new();
        let mut there = Vec::new();
        for build in builds.iter().take(MOST_BUILDS) {
            let folder = names::below(&folder, &format!("{build}/"));
            let Some(list) = outlet.unsigned(&names::below(&folder, "SHA512SUMS")).await? else { continue };
            let files = Checksums::parse(&list.text);
            versions.extend(version(&stem, build, &folder, &files, &list));
            if versions.len() >= ask.depth.max(1) {
                return Ok(versions);
            }
            there.extend(files.iter().filter_map(|(name, _)| name.strip_suffix(".qcow2")).map(str::to_owned));
        }
        if versions.is_empty() {
            return Err(UpstreamError::missing(format!("`{stem}` at `{folder}`"), there));
        }
        Ok(versions)
    }
}

async fn builds(folder: &Url, stem: &str, outlet: &Outlet<'_>) -> Result<Vec<VersionName>, UpstreamError> {
    if let Some(html) = outlet.listing(folder).await? {
        return Ok(listing::names(&html).into_iter().filter_map(build).collect());
    }
    let url = names::below(folder, &format!("latest/{stem}.json"));
    let Some(text) = outlet.find(&url, Expected::Data).await? else {
        return Err(UpstreamError::missing(format!("listing at `{folder}` nor `{url}`"), NOTHING));
    };
    let description: Description = json(&url, utf8(&url, &text)?)?;
    let version = |object: &Object| build(object.data.pointer("/info/version")?.as_str()?);
    Ok(description.items.iter().filter(|object| object.kind == "Build").filter_map(version).collect())
}

/// `20250210-2019`: the day and the number of the build.
fn build(name: &str) -> Option<VersionName> {
    let (_, number) = name.split_once('-')?;
    names::date(name)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| names::version(name)).flatten()
}

fn version(stem: &str, build: &VersionName, folder: &Url, files: &Checksums, list: &Vouched) -> Option<Version> {
    let image = format!("{stem}-{build}.qcow2");
    let description = format!("{stem}-{build}.json");
    let entry = files.get(&image)?;
    let packages = files
        .get(&description)
        .map(|_| PackageList { url: names::below(folder, &description).into(), dialect: PackageDialect::DebianBuild });
    let image = names::below(folder, &image);
    Some(Version { packages, ..qcow2(build.clone(), image, entry.digests.clone(), list.trust.clone()) })
}
