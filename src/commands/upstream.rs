//! `upstream`: the newest version of each family against the latest on the cloud. Changes nothing, plans nothing.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::{Stop, front};
use crate::cli::{DataFormat, Global, Upstream};
use crate::exit::Exit;
use crate::manifest::Manifest;
use crate::model::name::{FamilyName, SiteName, VersionName};
use crate::openstack::Site;
use crate::planner::{Part, inventory};
use crate::render::console::Console;
use crate::render::upstream::{self, Offer, Unanswered, UpstreamReport};
use crate::upstream::Fetch;
use crate::upstream::resolve::{AT_ONCE, newest_on_offer};

pub(super) async fn run(global: &Global, options: &Upstream, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let sites = if options.no_cloud { Vec::new() } else { front::connect(global, &manifest).await? };
    let report = report(&manifest, &sites, &front::fetch()?).await;
    console.answer(&match options.format {
        DataFormat::Human => upstream::human(&report, front::styles(console)),
        DataFormat::Json => upstream::json(&report),
    })?;
    // What is known is told either way; a job must still see that it is not all.
    Ok(if report.errors.is_empty() { Exit::Done } else { Exit::Error })
}

async fn report(manifest: &Manifest, sites: &[Site], fetch: &Fetch) -> UpstreamReport {
    let offers = stream::iter(manifest.families.values())
        .map(|family| async move { (family, newest_on_offer(manifest, family, fetch).await) })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>();
    let latest = join_all(sites.iter().map(|site| async { (&site.name, latest(manifest, site).await) }));
    let (offers, latest) = tokio::join!(offers, latest);

    let mut report = UpstreamReport::default();
    let mut known: Vec<(&SiteName, BTreeMap<FamilyName, VersionName>)> = Vec::new();
    for (site, answer) in latest {
        match answer {
            Ok(versions) => known.push((site, versions)),
            Err(error) => report.errors.push(Unanswered { family: None, site: Some(site.to_string()), error }),
        }
    }
    for (family, offer) in offers {
        match offer {
            Ok(newest) => {
                let latest: Vec<_> = known
                    .iter()
                    .map(|(site, versions)| ((*site).clone(), versions.get(&family.name).cloned()))
                    .collect();
                report.families.push(Offer::new(&family.name, family.architecture, &newest, &latest));
            }
            Err(error) => {
                report.errors.push(Unanswered { family: Some(family.name.to_string()), site: None, error });
            }
        }
    }
    report
}

/// The version of each family that tenants of a site get now.
async fn latest(manifest: &Manifest, site: &Site) -> Result<BTreeMap<FamilyName, VersionName>, String> {
    let view = crate::openstack::observe(site, &manifest.catalogue, &[]).await.map_err(|error| error.to_string())?;
    let pieces = inventory(&manifest.catalogue, &manifest.moved, &view);
    let latest = pieces.into_iter().filter(|piece| piece.part == Part::Latest);
    Ok(latest.map(|piece| (piece.family, piece.image.marks().version.clone())).collect())
}
