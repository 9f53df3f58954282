//! How long the planner takes, and how that grows: `cargo bench`.
//!
//! Two catalogues of the same shape, one ten times the other, are planned in turn in one run; the ratio of their times
//! says whether the work grows with the catalogue or faster. Every family has twenty versions on five sites: the latest
//! is to be replaced, the others are superseded, half of them in use.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use gallerist::model::desired::{Audience, Chosen, Desired, Family, Limits, Wanted};
use gallerist::model::digest::{Algorithm, Digest};
use gallerist::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use gallerist::model::lifecycle::{
    Age, DeleteWhen, DeletionPolicy, LatestStage, Lifecycle, SnapshotUse, SupersededStage,
};
use gallerist::model::name::{CatalogueName, FamilyName, ImageId, ProjectId, SiteName, VersionName};
use gallerist::model::observed::{Observed, SiteView};
use gallerist::model::passage::Preferences;
use gallerist::model::template::Template;
use gallerist::model::usage::{Answer, Source, Usage, User, UserKind};
use gallerist::model::version::{Compression, DiskFormat, Origin, Trust, Version};

const VERSIONS: usize = 20;
const SITES: usize = 5;
const ROUNDS: usize = 5;

fn main() -> std::io::Result<()> {
    let mut answer = std::io::stdout().lock();
    let (small, large) = (catalogue(100), catalogue(1000));
    let mut ratios = Vec::new();
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        let one = time(&small);
        let ten = time(&large);
        best = [best[0].min(one), best[1].min(ten)];
        ratios.push(ten.as_secs_f64() / one.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    writeln!(answer, "  100 families x {VERSIONS} versions x {SITES} sites: {:?}", best[0])?;
    writeln!(answer, " 1000 families x {VERSIONS} versions x {SITES} sites: {:?}", best[1])?;
    writeln!(answer, "ratio, median of {ROUNDS} pairs: {:.1} for 10 times the catalogue", ratios[ROUNDS / 2])?;
    if let Some(peak) = peak_memory() {
        writeln!(answer, "peak memory of the whole process, both catalogues included: {peak} KiB")?;
    }
    Ok(())
}

fn time((desired, observed): &(Desired, Observed)) -> Duration {
    let now = "2026-11-23T06:00:00Z".parse().expect("a time");
    let begun = Instant::now();
    let plan = gallerist::planner::plan(desired, observed, now);
    let elapsed = begun.elapsed();
    let families = desired.families.len();
    assert_eq!(plan.counts().create, families * SITES, "every family is rotated on every site");
    assert!(plan.counts().delete > families, "unused versions go");
    elapsed
}

fn catalogue(families: usize) -> (Desired, Observed) {
    let project = ProjectId::parse("p").expect("a project");
    let sites: BTreeSet<SiteName> =
        (0..SITES).map(|site| SiteName::parse(format!("site{site}")).expect("a site")).collect();
    let mut observed = Observed::default();
    for site in &sites {
        let mut view = SiteView::empty(project.clone());
        for family in 0..families {
            for version in 0..VERSIONS {
                let image = image(family, version, &project);
                let answer = match version % 2 {
                    0 => Answer::Nobody,
                    _ => Answer::Users(
                        User { kind: UserKind::Server, id: "s".to_owned(), project: Some(project.clone()) },
                        Vec::new(),
                    ),
                };
                view.usage.insert(image.id.clone(), Usage::new([(Source("servers"), answer)]));
                view.images.insert(image.id.clone(), image);
            }
        }
        observed.sites.insert(site.clone(), view);
    }
    let desired = Desired {
        catalogue: CatalogueName::parse("bench").expect("a catalogue"),
        sites,
        families: (0..families).map(family).map(|family| (family.name.clone(), family)).collect(),
        moved: BTreeMap::new(),
        retirement: lifecycle(),
        limits: Limits { deletions: None },
        boot_test: None,
        import: Preferences::default(),
    };
    (desired, observed)
}

fn image(family: usize, version: usize, project: &ProjectId) -> Image {
    let mut tags = BTreeSet::from([
        "gallerist".to_owned(),
        "gallerist:catalogue=bench".to_owned(),
        format!("gallerist:family=family-{family}"),
        format!("gallerist:version={}", 1000 + version),
        "gallerist:uploaded=2026-01-01".to_owned(),
        "gallerist:applied=000000000000".to_owned(),
    ]);
    if version + 1 < VERSIONS {
        tags.insert("gallerist:superseded=2026-02-01".to_owned());
    }
    Image {
        id: ImageId::parse(format!("image-{family}-{version}")).expect("an id"),
        owner: Some(project.clone()),
        status: Status::Active,
        attributes: Attributes {
            name: format!("Family {family} - Latest"),
            visibility: Visibility::Public,
            protection: Protection::Protected,
            listing: Listing::Listed,
            min_disk: 1,
            min_ram: 512,
            properties: (0..12).map(|key| (format!("property_{key}"), "value".to_owned())).collect(),
            tags,
        },
        created_at: None,
        size: Some(1 << 29),
        virtual_size: Some(1 << 30),
        hash: None,
        disk_format: Some("qcow2".to_owned()),
    }
}

fn family(number: usize) -> Family {
    let name = VersionName::parse((1000 + VERSIONS).to_string()).expect("a version");
    let digest = Digest::from_hexadecimal(Algorithm::Sha256, &"ab".repeat(32)).expect("a digest");
    let version = Version {
        name: name.clone(),
        origin: Origin::Url(format!("https://mirror.example/{number}.qcow2")),
        published: digest.into(),
        stored: None,
        size: Some(1 << 29),
        compression: Compression::None,
        disk_format: DiskFormat::Qcow2,
        built: None,
        trust: Trust::Https,
        signature: None,
        packages: None,
    };
    Family {
        name: FamilyName::parse(format!("family-{number}")).expect("a family"),
        title: format!("Family {number}"),
        audience: Audience::Everybody,
        wanted: Wanted::Version { name, version: Some(Box::new(version)), chosen: Chosen::Newest },
        skip: BTreeSet::new(),
        lifecycle: lifecycle(),
        min_disk: None,
        min_ram: 512,
        properties: (0..12).map(|key| (format!("property_{key}"), "value".to_owned())).collect(),
        ignored_properties: Vec::new(),
        disk_format: None,
    }
}

fn lifecycle() -> Lifecycle {
    let template = |text| Some(Template::parse(text).expect("a template"));
    Lifecycle {
        latest: LatestStage {
            name: Template::parse("{name} - Latest").expect("a template"),
            visibility: Visibility::Public,
            protection: Protection::Protected,
            listing: Listing::Listed,
            properties: BTreeMap::new(),
        },
        superseded: vec![SupersededStage {
            after: Age::zero(),
            name: template("{name} - {uploaded}"),
            visibility: Some(Visibility::Community),
            protection: None,
            listing: None,
            properties: BTreeMap::new(),
        }],
        deletion: DeletionPolicy {
            when: DeleteWhen::Unused,
            after: Age::zero(),
            keep: 0,
            snapshots: SnapshotUse::Ignored,
        },
    }
}

/// Linux tells; elsewhere the line is left out.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
