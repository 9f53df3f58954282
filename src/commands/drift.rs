//! `drift`: where the cloud differs from what was applied, and what is behind upstream. Takes no lock and cannot write
//! to a cloud.
//!
//! What cannot be read must never look as if it were in sync: a site or a publisher that does not answer is told in the
//! report, which is written all the same, and the run ends as an error.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::ci::{self, Annotations};
use super::{Stop, files, front};
use crate::cli::{Drift, DriftFormat, Global};
use crate::exit::Exit;
use crate::manifest::{FamilySpec, Manifest, Source, accept};
use crate::model::desired::{Chosen, Desired, Wanted};
use crate::model::drift::{Accepted, Baseline};
use crate::model::image::Image;
use crate::model::name::{FamilyName, ImageId, ProjectId, SiteName};
use crate::model::observed::{Observed, SiteView};
use crate::model::usage::Usage;
use crate::model::version::Version;
use crate::openstack::{ApiError, Naming, Site, Surroundings, Unconnected};
use crate::planner::{self, drift};
use crate::render::Styles;
use crate::render::console::Console;
use crate::render::drift::{Format, Problem, Report, Told, compose, conclusion, read_baseline, render};
use crate::upstream::Fetch;
use crate::upstream::resolve::{resolve, versions};

/// No report that is replaced or compared with is larger.
const LARGEST: u64 = 64 << 20;
/// How many publishers are asked at once.
const AT_ONCE: usize = 8;

pub(super) async fn run(global: &Global, options: &Drift, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let lock = front::lock_file(&global.config, console)?;
    let accepted = accepted(options.accept.as_deref(), console)?;
    let baseline = options.baseline.as_deref().map(|path| baseline(path, console)).transpose()?.flatten();
    let selection = front::selection(global, &manifest)?;
    let (sites, unconnected) = crate::openstack::connect_each(&selection, &Surroundings::of_process()).await?;
    let names: BTreeSet<SiteName> =
        sites.iter().map(|site| &site.name).chain(unconnected.iter().flat_map(|cloud| &cloud.names)).cloned().collect();

    let fetch = front::fetch()?;
    let desired = resolve(&manifest, lock.as_ref(), &fetch, names).await;
    let (newest, silent) = newest(&manifest, &desired, &fetch).await;
    let now = Timestamp::now();
    let (mut observed, public, unread) = observe(&sites, &desired, now).await;
    let problems = [unconnected.iter().flat_map(not_entered).collect(), unread, silent].concat();

    let nothing = Observed::default();
    let evidence = drift::Evidence {
        desired: &desired,
        observed: &nothing,
        public: &public,
        newest: &newest,
        max_age: options.max_age,
        baseline: baseline.as_ref(),
        now,
    };
    let questions = drift::questions(&drift::Evidence { observed: &observed, ..evidence });
    front::ask(&sites, questions, &mut observed, Naming::All).await;
    let projects = projects(&sites, &observed).await;
    let evidence = drift::Evidence { observed: &observed, ..evidence };
    let findings = drift::judge(drift::findings(&evidence), &accepted, baseline.as_ref(), today(now));
    // Of what was not read nobody knows whether it has gone.
    let resolved =
        baseline.as_ref().filter(|_| problems.is_empty()).map(|baseline| drift::resolved(&findings, baseline));
    let line = |spec: &FamilySpec| manifest.file.position(spec.span.start).line;
    let report = compose(&Told {
        catalogue: &desired.catalogue,
        config: &global.config.display().to_string(),
        written: &manifest
            .families
            .values()
            .map(|spec| (spec.name.clone(), (spec.title.clone(), line(spec))))
            .collect(),
        sites: &desired.sites,
        observed: &observed,
        findings: &findings,
        hangings: &drift::hangings(&evidence),
        projects: &projects,
        problems: &problems,
        resolved: &resolved.unwrap_or_default(),
        fail_on: &options.fail_on.iter().flatten().copied().collect(),
        now,
    });
    tell(&report, options, console)
}

/// Writes every output, and says how it ended. The code and the last line come from the same report.
fn tell(report: &Report, options: &Drift, console: &Console) -> Result<Exit, Stop> {
    for (format, path) in &options.report {
        // Only a text that is there and can be read has something to keep.
        let before = read(path).ok();
        let text = render((*format).into(), report, Styles::default(), before.as_deref());
        files::replace(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    console.answer(&render(options.format.into(), report, front::styles(console), None))?;
    let shown = options.format == DriftFormat::Github;
    ci::drift(report, if shown { Annotations::Shown } else { Annotations::Wanted }, console);
    if !report.complete {
        return Err(Stop::new(Exit::Error, format!("error: {}", conclusion(report))));
    }
    Ok(if report.has_drift() && !options.exit_zero { Exit::Changes } else { Exit::Done })
}

fn accepted(path: Option<&Path>, console: &Console) -> Result<Vec<Accepted>, Stop> {
    let Some(path) = path else { return Ok(Vec::new()) };
    accept::load(path).map_err(|mistakes| Stop::new(Exit::Configuration, front::snippets(&mistakes, console)))
}

/// The report before; none on the first run, when there is no such file yet.
fn baseline(path: &Path, console: &Console) -> Result<Option<Baseline>, Stop> {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            console.say(&format!("There is no `{}` yet: every finding counts as new.", path.display()));
            return Ok(None);
        }
        Err(error) => return Err(Stop::new(Exit::Error, format!("error: `{}`: {error}", path.display()))),
    };
    let wrong = |error| Stop::new(Exit::Error, format!("error: `{}`: {error}", path.display()));
    read_baseline(&text).map(Some).map_err(wrong)
}

/// What publishers offer beyond what the file wants: where images.lock.toml or a pin chose, the newest is asked for.
async fn newest(
    manifest: &Manifest,
    desired: &Desired,
    fetch: &Fetch,
) -> (BTreeMap<FamilyName, Version>, Vec<Problem>) {
    let silent = |family: &FamilyName, detail: &str| Problem {
        kind: "upstream".to_owned(),
        name: family.to_string(),
        detail: detail.to_owned(),
    };
    let (mut newest, mut problems, mut asked) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, family) in &desired.families {
        let Some(spec) = manifest.families.get(name) else { continue };
        match (&family.wanted, &spec.source) {
            (Wanted::Unknown(reason), _) => problems.push(silent(name, reason)),
            (Wanted::Version { chosen: Chosen::Locked | Chosen::Pinned, .. }, Source::Distro { .. }) => {
                asked.push(spec);
            }
            (Wanted::Version { version, .. }, _) => {
                newest.extend(version.as_deref().map(|version| (name.clone(), version.clone())));
            }
        }
    }
    let answers = stream::iter(asked)
        .map(|spec| async move { (spec, versions(manifest, spec, fetch).await) })
        .buffer_unordered(AT_ONCE);
    for (spec, answer) in answers.collect::<Vec<_>>().await {
        match answer {
            Ok(versions) => {
                let offered = versions.into_iter().find(|version| !spec.skip.contains(&version.name));
                newest.extend(offered.map(|version| (spec.name.clone(), version)));
            }
            Err(reason) => problems.push(silent(&spec.name, &reason)),
        }
    }
    problems.sort_by(|one, other| one.name.cmp(&other.name));
    (newest, problems)
}

type Public = BTreeMap<SiteName, BTreeMap<ImageId, Image>>;

/// Every site that can be read, each on its own.
async fn observe(sites: &[Site], desired: &Desired, now: Timestamp) -> (Observed, Public, Vec<Problem>) {
    let names = planner::public_names(desired, now);
    let (mut observed, mut public, mut problems) = (Observed::default(), Public::new(), Vec::new());
    let names = names.as_slice();
    let answers = sites.iter().map(|site| async move { (site, look_at(site, desired, names).await) });
    for (site, answer) in future::join_all(answers).await {
        match answer {
            Ok((view, images)) => {
                observed.sites.insert(site.name.clone(), view);
                public.insert(site.name.clone(), images);
            }
            Err(error) => problems.push(unread(&site.name, &error)),
        }
    }
    (observed, public, problems)
}

async fn look_at(
    site: &Site,
    desired: &Desired,
    names: &[String],
) -> Result<(SiteView, BTreeMap<ImageId, Image>), ApiError> {
    let view = crate::openstack::observe(site, &desired.catalogue, names);
    future::try_join(view, crate::openstack::public_images(site)).await
}

/// The names of the projects that use something, where we may know them.
async fn projects(sites: &[Site], observed: &Observed) -> BTreeMap<ProjectId, String> {
    let mut names = BTreeMap::new();
    for site in sites {
        let usages = observed.sites.get(&site.name).into_iter().flat_map(|view| view.usage.values());
        let projects: Vec<ProjectId> = usages.flat_map(Usage::users).filter_map(|user| user.project).collect();
        names.extend(site.project_names(projects).await);
    }
    names
}

fn not_entered(cloud: &Unconnected) -> impl Iterator<Item = Problem> {
    cloud.names.iter().map(|name| unread(name, &cloud.error))
}

fn unread(site: &SiteName, error: &dyn std::fmt::Display) -> Problem {
    Problem { kind: "site".to_owned(), name: site.to_string(), detail: error.to_string() }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn today(now: Timestamp) -> jiff::civil::Date {
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

impl From<DriftFormat> for Format {
    fn from(format: DriftFormat) -> Self {
        match format {
            DriftFormat::Human => Self::Human,
            DriftFormat::Json => Self::Json,
            DriftFormat::Markdown => Self::Markdown,
            DriftFormat::Html => Self::Html,
            DriftFormat::Prometheus => Self::Prometheus,
            DriftFormat::Junit => Self::Junit,
            DriftFormat::Codequality => Self::Codequality,
            DriftFormat::Github => Self::Github,
        }
    }
}
