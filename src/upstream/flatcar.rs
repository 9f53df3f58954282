//! Flatcar Container Linux: a host for each channel, a folder for each version, signed digests beside each file.
//!
//! `current/version.txt` names the newest version, whose own folder is then used. Further versions are looked up in the
//! project's list of releases. The channel is in the host's name alone, which a mirror replaces; so the version is
//! asked whether it belongs to the channel: its middle number says so.
//!
//! The plain image is taken, not the compressed ones. `DIGESTS.asc` is clear-signed and holds MD5, SHA-1 and SHA-512, of
//! which only the last counts. The key signs with a subkey that lasts two years.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use url::Url;

use super::checksums::Checksums;
use super::fetch::Expected;
use super::listed::{MOST_BUILDS, NOTHING, qcow2};
use super::outlet::{Outlet, json, utf8};
use super::{Ask, Publisher, UpstreamError, keys, names};
use crate::model::name::VersionName;
use crate::model::source::LeastTrust;
use crate::model::version::{PackageDialect, PackageList, Version};

/// Flatcar.
pub(super) struct Flatcar;

/// Channels, and the middle number of their versions.
const CHANNELS: [(&str, &str); 4] = [("alpha", "0"), ("beta", "1"), ("stable", "2"), ("lts", "3")];

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    architectures: Vec<String>,
}

#[async_trait]
impl Publisher for Flatcar {
    fn offers(&self, _: &Ask) -> LeastTrust {
        LeastTrust::Signed
    }

    fn keys(&self) -> &'static [&'static [u8]] {
        keys::FLATCAR
    }

    async fn versions(&self, ask: &Ask, outlet: &Outlet<'_>) -> Result<Vec<Version>, UpstreamError> {
        let channel = ask.release()?;
        let Some((channel, number)) = CHANNELS.into_iter().find(|(name, _)| *name == channel) else {
            return Err(UpstreamError::missing(ask.to_string(), CHANNELS.map(|(name, _)| name)));
        };
        let board =
            outlet.at(&format!("https://{channel}.release.flatcar-linux.net/{}-usr/", ask.debian_architecture()))?;
        let (current, built) = current(&board, outlet, channel, number).await?;
        let Some(newest) = version(ask, &board, &current, outlet).await? else {
            let form = image(ask);
            return Err(UpstreamError::missing(format!("`{form}` of {current} at `{board}`"), NOTHING));
        };
        let mut versions = vec![Version { built, ..newest }];
        if ask.depth > 1 {
            for release in releases(ask, outlet, channel, &current).await?.into_iter().take(MOST_BUILDS) {
                versions.extend(version(ask, &board, &release, outlet).await?);
                if versions.len() >= ask.depth {
                    break;
                }
            }
        }
        Ok(versions)
    }
}

fn image(ask: &Ask) -> String {
    format!("flatcar_production_{}_image.img", ask.variant.as_deref().unwrap_or("openstack"))
}

/// The version that the channel calls current, and the day it was built.
async fn current(
    board: &Url,
    outlet: &Outlet<'_>,
    channel: &str,
    number: &str,
) -> Result<(VersionName, Option<Date>), UpstreamError> {
    let url = names::below(board, "current/version.txt");
    let Some(bytes) = outlet.find(&url, Expected::Data).await? else {
        return Err(UpstreamError::missing(format!("`{url}`"), NOTHING));
    };
    let text = utf8(&url, &bytes)?;
    let value =
        |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix('=')?.trim_matches('"')));
    let version = value("FLATCAR_VERSION_ID").and_then(names::version);
    let version = version.ok_or_else(|| UpstreamError::unreadable(&url, "it has no `FLATCAR_VERSION_ID`"))?;
    if version.as_str().split('.').nth(1) != Some(number) {
        let problem = format!("{version} is not of the channel {channel}; a mirror of Flatcar has one channel");
        return Err(UpstreamError::unreadable(&url, problem));
    }
    let built = value("FLATCAR_BUILD_ID").and_then(|id| Date::strptime("%Y-%m-%d", id.get(..10)?).ok());
    Ok((version, built))
}

/// The releases before the current one, newest first.
async fn releases(
    ask: &Ask,
    outlet: &Outlet<'_>,
    channel: &str,
    current: &VersionName,
) -> Result<Vec<VersionName>, UpstreamError> {
    let url = outlet.at(&format!("https://www.flatcar.org/releases-json/releases-{channel}.json"))?;
    let Some(bytes) = outlet.find(&url, Expected::Data).await? else { return Ok(Vec::new()) };
    let releases: BTreeMap<String, Release> = json(&url, utf8(&url, &bytes)?)?;
    let mut versions: Vec<VersionName> = releases
        .iter()
        .filter(|(_, release)| release.architectures.iter().any(|name| name == ask.debian_architecture()))
        .filter_map(|(name, _)| names::version(name))
        .filter(|version| version.compare_age(current).is_lt())
        .collect();
    versions.sort_by(|one, other| other.compare_age(one));
    Ok(versions)
}

async fn version(
    ask: &Ask,
    board: &Url,
    name: &VersionName,
    outlet: &Outlet<'_>,
) -> Result<Option<Version>, UpstreamError> {
    let folder = names::below(board, &format!("{name}/"));
    let image = image(ask);
    let clear = outlet.clear_signed(&names::below(&folder, &format!("{image}.DIGESTS.asc"))).await?;
    let list = if clear.is_some() {
        clear
    } else {
        let digests = names::below(&folder, &format!("{image}.DIGESTS"));
        outlet.detached(&digests, &names::below(&folder, &format!("{image}.DIGESTS.sig"))).await?
    };
    Ok(list.and_then(|list| {
        let entry = Checksums::parse(&list.text).get(&image)?.clone();
        let url = names::below(&folder, &image);
        let packages = names::below(&folder, "flatcar_production_image_packages.txt").into();
        Some(Version {
            packages: Some(PackageList { url: packages, dialect: PackageDialect::FlatcarPackages }),
            ..qcow2(name.clone(), url, entry.digests, list.trust)
        })
    }))
}
