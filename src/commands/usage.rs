//! `usage`: who still uses which version, on every site. Changes nothing.

use std::collections::BTreeMap;

use anyhow::Context as _;
use futures_util::future::try_join_all;

use super::{Stop, front};
use crate::cli::{Global, Usage as Options, UsageFormat};
use crate::exit::Exit;
use crate::manifest::Manifest;
use crate::model::lifecycle::SnapshotUse;
use crate::model::name::Address;
use crate::openstack::{Naming, Question, Site, UsageReader};
use crate::planner::{Piece, inventory};
use crate::render::console::Console;
use crate::render::usage::{self, UsageReport, VersionUse};

pub(super) async fn run(global: &Global, options: &Options, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let sites = front::connect(global, &manifest).await?;
    let several = sites.len() > 1;
    let mut found = try_join_all(sites.iter().map(|site| on_site(&manifest, site, several))).await?.concat();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let report = UsageReport { versions: found.into_iter().map(|(_, version)| version).collect() };
    console.answer(&match options.format {
        UsageFormat::Human => usage::human(&report, front::styles(console)),
        UsageFormat::Json => usage::json(&report),
        UsageFormat::Csv => usage::csv(&report),
    })?;
    // Whoever cleans up after this list must know that somebody may be missing from it.
    Ok(if report.is_complete() { Exit::Done } else { Exit::Error })
}

async fn on_site(manifest: &Manifest, site: &Site, several: bool) -> Result<Vec<(Address, VersionUse)>, Stop> {
    let view = crate::openstack::observe(site, &manifest.catalogue, &[]).await;
    let view = view.with_context(|| format!("{} could not be read", site.name))?;
    let pieces = inventory(&manifest.catalogue, &manifest.moved, &view);
    let questions: Vec<_> = pieces.iter().map(|piece| question(manifest, piece)).collect();
    let mut usages = UsageReader::new(site).naming(Naming::All).usages(&questions).await;
    let projects = usages.values().flat_map(crate::model::usage::Usage::users).filter_map(|user| user.project);
    let names: BTreeMap<_, _> = site.project_names(projects.collect::<Vec<_>>()).await;
    let told = pieces.into_iter().map(|piece| {
        let address = Address {
            family: piece.family,
            version: Some(piece.image.marks().version.clone()),
            site: several.then(|| site.name.clone()),
        };
        let id = piece.image.id();
        let usage = usages.remove(id).unwrap_or_default();
        let version = VersionUse::new(&address, id, piece.part.name(), &usage, &names);
        (address, version)
    });
    Ok(told.collect())
}

fn question(manifest: &Manifest, piece: &Piece) -> Question {
    let lifecycle = manifest.families.get(&piece.family).map_or(&manifest.retirement, |family| &family.lifecycle);
    let snapshots: SnapshotUse = lifecycle.deletion.snapshots;
    Question { image: piece.image.id().clone(), audience: piece.audience, snapshots }
}
