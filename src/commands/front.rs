//! The front half of every command that looks at a cloud: load → connect → resolve → observe → ask → plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::Timestamp;

use super::Stop;
use crate::cli::{Global, Planning};
use crate::exit::Exit;
use crate::manifest::lock::Lock;
use crate::manifest::{Diagnostic, Manifest};
use crate::model::desired::Desired;
use crate::model::name::{Address, SiteName, bounded_pattern};
use crate::model::observed::Observed;
use crate::model::plan::Plan;
use crate::openstack::{Naming, Question, Selection, Site, Surroundings, UsageReader};
use crate::planner::{self, Candidate, audit};
use crate::render::Styles;
use crate::render::console::Console;
use crate::render::diagnostics::{self, Style};
use crate::render::document::{self, LiveSource};
use crate::render::fold::Log;
use crate::upstream::contents;
use crate::upstream::fetch::{Fetch, Patience};
use crate::upstream::resolve::resolve;

/// Everything a plan was made from, and the plan.
pub(super) struct Front {
    pub(super) manifest: Manifest,
    /// The connections; none where the cloud is a recorded one.
    pub(super) sites: Vec<Site>,
    /// The same sites, for people.
    pub(super) shown: Vec<document::Site>,
    pub(super) source: LiveSource,
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    /// Milliseconds that reading took.
    pub(super) reading: u64,
}

/// Everything a plan is made from.
pub(super) struct Facts {
    pub(super) manifest: Manifest,
    pub(super) sites: Vec<Site>,
    pub(super) shown: Vec<document::Site>,
    pub(super) source: LiveSource,
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    pub(super) now: Timestamp,
    /// When reading began.
    pub(super) begun: Instant,
}

/// Loads, connects, reads and plans.
///
/// # Errors
/// Any of it failed; nothing was changed.
pub(super) async fn prepare(global: &Global, planning: &Planning, console: &Console) -> Result<Front, Stop> {
    let manifest = load(global, console)?;
    let lock = lock_file(&global.config, console)?;
    let sites = connect(global, &manifest).await?;
    plan_for(manifest, lock.as_ref(), sites, planning, Timestamp::now()).await
}

/// Reads and plans for these sites.
///
/// # Errors
/// A site could not be read, or the planner contradicts itself.
pub(super) async fn plan_for(
    manifest: Manifest,
    lock: Option<&Lock>,
    sites: Vec<Site>,
    planning: &Planning,
    now: Timestamp,
) -> Result<Front, Stop> {
    let begun = Instant::now();
    // Before any request: a mistake on the command line should not cost a minute.
    targets(&planning.target)?;
    let names: BTreeSet<SiteName> = sites.iter().map(|site| site.name.clone()).collect();
    let desired = desired(&manifest, lock, names).await?;
    let mut observed = observe(&sites, &desired, now).await?;
    if desired.import.depend_on_the_site() {
        ask_offers(&sites, &mut observed).await?;
    }
    ask_usage(&sites, &desired, &mut observed, now).await;
    let (shown, source) = (shown(&sites), LiveSource::Api);
    decide(Facts { manifest, sites, shown, source, desired, observed, now, begun }, planning)
}

/// Sites as people are told of them.
pub(super) fn shown(sites: &[Site]) -> Vec<document::Site> {
    let shown = |site: &Site| document::Site {
        name: site.name.to_string(),
        cloud: site.cloud.clone(),
        region: site.region.clone(),
        auth_url: Some(site.auth_url.clone()),
        project_id: Some(site.project.to_string()),
        project: site.project_name.clone(),
        user: Some(site.user.clone()),
    };
    sites.iter().map(shown).collect()
}

/// Plans from what was read.
///
/// # Errors
/// `--target` holds no glob, or the planner contradicts itself.
pub(super) fn decide(facts: Facts, planning: &Planning) -> Result<Front, Stop> {
    let Facts { manifest, sites, shown, source, mut desired, observed, now, begun } = facts;
    let targets = targets(&planning.target)?;
    if let Some(limit) = planning.allow_deletes {
        desired.limits.deletions = Some(limit);
    }
    let mut plan = planner::plan(&desired, &observed, now);
    let objections = audit::objections(&desired, &observed, &plan, now);
    if !objections.is_empty() {
        let list = objections.join("\n  ");
        let message = format!(
            "error: the plan contradicts itself, which is a mistake in gallerist; nothing was changed\n  {list}\n  \
             = help: please report it with the output of `gallerist plan --format json`"
        );
        return Err(Stop::new(Exit::Error, message));
    }
    if let Some(targets) = targets {
        plan = planner::narrow(&plan, &desired, &|address: &Address| targets.is_match(address.to_string()));
    }
    let reading = milliseconds(begun);
    Ok(Front { manifest, sites, shown, source, desired, observed, plan, now, reading })
}

/// Looks into the new versions of a plan. Only people want to know, so only who shows it to people asks.
///
/// # Errors
/// The TLS library cannot be set up.
pub(super) async fn look_inside(front: &mut Front) -> Result<(), Stop> {
    let questions = contents::questions(&front.plan);
    if !questions.is_empty() {
        contents::look_inside(&mut front.plan, questions, &fetch()?).await;
    }
    Ok(())
}

/// Milliseconds since then.
pub(super) fn milliseconds(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// images.toml, its warnings said.
///
/// # Errors
/// It is not valid.
pub(super) fn load(global: &Global, console: &Console) -> Result<Manifest, Stop> {
    match crate::manifest::load(&global.config) {
        Ok((manifest, warnings)) => {
            if !warnings.is_empty() {
                console.say(&snippets(&warnings, console));
            }
            Ok(manifest)
        }
        Err(mistakes) => Err(Stop::new(Exit::Configuration, snippets(&mistakes, console))),
    }
}

/// Where images.lock.toml is: beside images.toml.
pub(super) fn lock_path(config: &Path) -> PathBuf {
    config.with_file_name("images.lock.toml")
}

/// The reader of what publishers say. It keeps what it reads in the user's cache folder, so that an unchanged file is
/// not sent again.
///
/// # Errors
/// The TLS library cannot be set up.
pub(super) fn fetch() -> Result<Fetch, Stop> {
    // A relative path is to be ignored (XDG Base Directory Specification).
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
    let cache = cache.map(|cache| cache.join("gallerist").join("publishers"));
    Ok(Fetch::new(cache, Patience::default()).context("the client for publishers")?)
}

/// Colours for the answer, if it may have some.
pub(super) fn styles(console: &Console) -> Styles {
    if console.colours_answer() { Styles::default().colorize() } else { Styles::default() }
}

/// images.lock.toml beside images.toml, if there is one.
///
/// # Errors
/// It is not valid.
pub(super) fn lock_file(config: &Path, console: &Console) -> Result<Option<Lock>, Stop> {
    read_lock(config).map_err(|mistakes| Stop::new(Exit::Configuration, snippets(&mistakes, console)))
}

/// images.lock.toml beside images.toml, if there is one, or what is wrong with it.
pub(super) fn read_lock(config: &Path) -> Result<Option<Lock>, Vec<Diagnostic>> {
    let path = lock_path(config);
    if path.exists() { crate::manifest::lock::load(&path).map(Some) } else { Ok(None) }
}

/// Where a lock file does not fit images.toml.
pub(super) fn misfits(manifest: &Manifest, lock: &Lock, config: &Path) -> Vec<Diagnostic> {
    let path = lock_path(config);
    // The text only serves to show the place.
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    crate::manifest::misfits(manifest, lock, &path.display().to_string(), &text)
}

/// Connects to the clouds that images.toml lists, or to the one that the command line or the environment names.
///
/// # Errors
/// `--os-cloud` names none of the listed clouds, or a cloud cannot be entered.
pub(super) async fn connect(global: &Global, manifest: &Manifest) -> Result<Vec<Site>, Stop> {
    let sites = crate::openstack::connect(&selection(global, manifest)?, &Surroundings::of_process()).await;
    sites.map_err(|error| Stop::new(Exit::Error, format!("error[E0201]: {error}")))
}

/// The clouds that images.toml lists, or the one that the command line or the environment names.
///
/// # Errors
/// `--os-cloud` names none of the listed clouds.
pub(super) fn selection(global: &Global, manifest: &Manifest) -> Result<Vec<Selection>, Stop> {
    if manifest.clouds.is_empty() {
        return Ok(vec![Selection { cloud: global.os_cloud.clone(), regions: Vec::new() }]);
    }
    let listed = manifest.clouds.iter().filter(|entry| match &global.os_cloud {
        Some(cloud) => entry.cloud == *cloud,
        None => true,
    });
    let selection: Vec<Selection> =
        listed.map(|entry| Selection { cloud: Some(entry.cloud.clone()), regions: entry.regions.clone() }).collect();
    if let (true, Some(cloud)) = (selection.is_empty(), &global.os_cloud) {
        let listed: Vec<_> = manifest.clouds.iter().map(|entry| entry.cloud.as_str()).collect();
        return Err(Stop::new(
            Exit::Usage,
            format!(
                "error: `clouds` in images.toml does not list `{cloud}`\n  = help: it lists: {}",
                listed.join(", ")
            ),
        ));
    }
    Ok(selection)
}

/// What the catalogue should be, and whether this machine can make it so.
///
/// # Errors
/// The client for publishers cannot be set up.
pub(super) async fn desired(
    manifest: &Manifest,
    lock: Option<&Lock>,
    sites: BTreeSet<SiteName>,
) -> Result<Desired, Stop> {
    let mut desired = resolve(manifest, lock, &fetch()?, sites).await;
    desired.import.no_qemu_img = crate::transfer::find_qemu_img().err();
    Ok(desired)
}

/// Asks every site what its Glance offers.
///
/// # Errors
/// One of them does not say.
pub(super) async fn ask_offers(sites: &[Site], observed: &mut Observed) -> Result<(), Stop> {
    let offers = sites.iter().map(|site| async move {
        let offers = crate::openstack::offers(site).await;
        offers.with_context(|| format!("the Glance of {} does not say what it offers", site.name))
    });
    for (site, offers) in sites.iter().zip(futures_util::future::try_join_all(offers).await?) {
        if let Some(view) = observed.sites.get_mut(&site.name) {
            view.offers = Some(offers);
        }
    }
    Ok(())
}

/// Every site as it is now.
///
/// # Errors
/// One of them could not be read.
pub(super) async fn observe(sites: &[Site], desired: &Desired, now: Timestamp) -> Result<Observed, Stop> {
    let names = planner::public_names(desired, now);
    let views = sites.iter().map(|site| async {
        let view = crate::openstack::observe(site, &desired.catalogue, &names).await;
        view.map(|view| (site.name.clone(), view)).with_context(|| format!("{} could not be read", site.name))
    });
    let views = futures_util::future::try_join_all(views).await?;
    Ok(Observed { sites: views.into_iter().collect() })
}

async fn ask_usage(sites: &[Site], desired: &Desired, observed: &mut Observed, now: Timestamp) {
    ask(sites, planner::candidates(desired, observed, now), observed, Naming::Few).await;
}

/// Asks who uses these images, and enters what was answered.
pub(super) async fn ask(sites: &[Site], candidates: Vec<Candidate>, observed: &mut Observed, naming: Naming) {
    let mut questions: BTreeMap<SiteName, Vec<Question>> = BTreeMap::new();
    for candidate in candidates {
        let Candidate { site, image, audience, snapshots } = candidate;
        questions.entry(site).or_default().push(Question { image, audience, snapshots });
    }
    let answers = sites.iter().filter_map(|site| questions.get(&site.name).map(|questions| (site, questions))).map(
        |(site, questions)| async move {
            (site.name.clone(), UsageReader::new(site).naming(naming).usages(questions).await)
        },
    );
    for (site, usages) in futures_util::future::join_all(answers).await {
        if let Some(view) = observed.sites.get_mut(&site) {
            view.usage.extend(usages);
        }
    }
}

/// Diagnostics as text for people, with what the log they end in makes of them.
pub(super) fn snippets(diagnostics: &[Diagnostic], console: &Console) -> String {
    let style = if console.colours_messages() { Style::Coloured } else { Style::Plain };
    let text = diagnostics::human(diagnostics, style).trim_end().to_owned();
    match console.log() {
        Log::Github => format!("{text}\n{}", diagnostics::github(diagnostics)),
        Log::Plain | Log::Gitlab => text,
    }
}

/// The globs of `--target`, if there are any. `ubuntu-*` means whole families, `ubuntu-24.04/2026*` single versions.
fn targets(globs: &[String]) -> Result<Option<GlobSet>, Stop> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for text in globs {
        let wrong = |error: String| Stop::new(Exit::Usage, format!("error: `--target {text}` is no glob: {error}"));
        let glob = |text: &str| Glob::new(text).map_err(|error| wrong(error.to_string()));
        set.add(glob(bounded_pattern(text).map_err(wrong)?)?);
        if !text.contains(['/', '@']) {
            set.add(glob(&format!("{text}/*"))?);
        }
    }
    Ok(Some(set.build().context("the globs of --target")?))
}
