//! `snapshot`: records what a plan would read, and plans against such a record.

use std::collections::BTreeSet;
use std::path::Path;

use super::front::{self, Facts, Front};
use super::{Stop, files};
use crate::cli::{Global, Planning, Snapshot as Options};
use crate::exit::Exit;
use crate::planner::public_names;
use crate::render::console::Console;
use crate::render::document::{LiveSource, Site};
use crate::render::words::count;
use crate::snapshot::{Place, Recorded, Snapshot};

pub(super) async fn run(global: &Global, options: &Options, console: &Console) -> Result<Exit, Stop> {
    let planning = Planning { target: Vec::new(), allow_deletes: None };
    let mut front = front::prepare(global, &planning, console).await?;
    // Whoever plans against it may have changed `[import]`.
    if !front.desired.import.depend_on_the_site() {
        front::ask_offers(&front.sites, &mut front.observed).await?;
    }
    let views = &front.observed.sites;
    let sites = front.sites.iter().filter_map(|site| {
        let place = Place {
            cloud: site.cloud.clone(),
            region: site.region.clone(),
            auth_url: Some(site.auth_url.clone()),
            project: site.project_name.clone(),
            user: Some(site.user.clone()),
        };
        views.get(&site.name).map(|view| (site.name.clone(), Recorded { place, view: view.clone() }))
    });
    let snapshot = Snapshot {
        catalogue: front.manifest.catalogue.clone(),
        read_at: front.now,
        names: public_names(&front.desired, front.now).into_iter().collect(),
        sites: sites.collect(),
    };
    let wrong = |error| Stop::new(Exit::Error, format!("error: cannot write {}: {error}", options.out.display()));
    files::replace(&options.out, &snapshot.write()).map_err(wrong)?;
    let images: usize = snapshot.sites.values().map(|site| site.view.images.len()).sum();
    let (images, sites) = (count(images, "image"), count(snapshot.sites.len(), "site"));
    console.answer(&format!("{}: {images} on {sites}\n", options.out.display()))?;
    Ok(Exit::Done)
}

/// Plans as if the cloud still were as it was recorded, and the time that of the recording: what is due later is not
/// known to be unused. Without credentials; with a lock file, without any network.
///
/// # Errors
/// The file is no snapshot, or one of another catalogue.
pub(super) async fn plan(global: &Global, planning: &Planning, path: &Path, console: &Console) -> Result<Front, Stop> {
    let begun = std::time::Instant::now();
    let manifest = front::load(global, console)?;
    let lock = front::lock_file(&global.config, console)?;
    let snapshot = read(path)?;
    if snapshot.catalogue != manifest.catalogue {
        let (found, wanted) = (&snapshot.catalogue, &manifest.catalogue);
        let problem = format!("it is a snapshot of the catalogue `{found}`, and images.toml describes `{wanted}`");
        return Err(wrong(path, &problem));
    }
    let sites = snapshot.sites.keys().cloned().collect();
    let desired = front::desired(&manifest, lock.as_ref(), sites).await?;
    let unasked: BTreeSet<_> = public_names(&desired, snapshot.read_at).into_iter().collect();
    for name in unasked.difference(&snapshot.names) {
        let name = crate::render::escape::quoted(name);
        console
            .say(&format!("note: the snapshot does not know whether somebody else has a public image called {name}"));
    }
    let shown = snapshot.sites.iter().map(|(name, site)| Site {
        name: name.to_string(),
        cloud: site.place.cloud.clone(),
        region: site.place.region.clone(),
        auth_url: site.place.auth_url.clone(),
        project_id: Some(site.view.project.to_string()),
        project: site.place.project.clone(),
        user: site.place.user.clone(),
    });
    let facts = Facts {
        manifest,
        sites: Vec::new(),
        shown: shown.collect(),
        source: LiveSource::Snapshot,
        desired,
        observed: snapshot.observed(),
        now: snapshot.read_at,
        begun,
    };
    let mut front = front::decide(facts, planning)?;
    // A lock file has been promised that nothing is asked; and in a pull request its addresses are a stranger's.
    if lock.is_none() {
        front::look_inside(&mut front).await?;
    }
    Ok(front)
}

/// The snapshot in a file.
///
/// # Errors
/// The file cannot be read, or is no snapshot.
pub(super) fn read(path: &Path) -> Result<Snapshot, Stop> {
    let text = std::fs::read_to_string(path).map_err(|error| wrong(path, &error))?;
    Snapshot::read(&text).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, problem: &dyn std::fmt::Display) -> Stop {
    Stop::new(Exit::Error, format!("error: {}: {problem}", path.display()))
}
