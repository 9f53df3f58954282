//! Worlds, built out of the descriptions of `spec`: a file, a cloud, a day.

use std::collections::{BTreeMap, BTreeSet};

use gallerist::model::desired::{Audience, Chosen, Desired, Family, Limits, Wanted};
use gallerist::model::digest::{Algorithm, Digest, Digests};
use gallerist::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use gallerist::model::name::{CatalogueName, FamilyName, ImageId, ProjectId, SiteName, VersionName};
use gallerist::model::observed::{Observed, SiteView};
use gallerist::model::operation::sealed;
use gallerist::model::ours::{BootVerdict, Condemned, Marks};
use gallerist::model::passage::Preferences;
use gallerist::model::template::{Facts, Moment};
use gallerist::model::usage::{Answer, Source, Usage, User, UserKind};
use gallerist::model::version::{Compression, DiskFormat, Origin, Trust, Version};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

pub(crate) use super::spec::{
    FamilySpec, Foreign, ImageSpec, Meddled, Part, Standing, UsageSpec, WantedSpec, WorldSpec,
};

pub(crate) const CATALOGUE: &str = "wiit-public";
pub(crate) const PROJECT: &str = "catalogue-project";
pub(crate) const SERVERS: Source = Source("servers");
pub(crate) const VOLUMES: Source = Source("volumes");

/// What the planner is given.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) desired: Desired,
    pub(crate) observed: Observed,
    pub(crate) now: Timestamp,
}

pub(crate) fn title(index: usize) -> String {
    ["Ubuntu 24.04 Noble Numbat", "Debian 12 Bookworm", "Flatcar Stable"][index % 3].to_owned()
}

pub(crate) fn family_name(index: usize) -> FamilyName {
    FamilyName::parse(["ubuntu-24.04", "debian-12", "flatcar"][index % 3]).unwrap()
}

pub(crate) fn site_name(index: usize) -> SiteName {
    SiteName::parse(["fra1", "dus2"][index % 2]).unwrap()
}

pub(crate) fn version_name(number: u8) -> VersionName {
    VersionName::parse(built(number).strftime("%Y%m%d").to_string()).unwrap()
}

/// Two versions in a row share their day of upload, so that names collide.
fn uploaded(number: u8) -> Date {
    date(2026, 10, 2).saturating_add((i64::from(number) / 2 * 7).days())
}

fn built(number: u8) -> Date {
    date(2026, 9, 30).saturating_add(i64::from(number).days())
}

pub(crate) fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

pub(crate) fn midday(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

fn digest(number: u8) -> Digest {
    Digest::from_bytes(Algorithm::Sha512, &[number; 64]).unwrap()
}

pub(crate) fn version(number: u8) -> Version {
    Version {
        name: version_name(number),
        origin: Origin::Url(format!("https://images.example/{}.qcow2", version_name(number))),
        published: Digests::from(digest(number)),
        stored: None,
        size: Some(1 << 20),
        compression: Compression::None,
        disk_format: DiskFormat::Qcow2,
        built: Some(built(number)),
        trust: Trust::Https,
        signature: None,
        packages: None,
    }
}

impl WantedSpec {
    pub(crate) fn wanted(self) -> Wanted {
        let chosen = |number, version: Option<Version>, chosen| Wanted::Version {
            name: version_name(number),
            version: version.map(Box::new),
            chosen,
        };
        match self {
            Self::Newest(number) => chosen(number, Some(version(number)), Chosen::Newest),
            Self::Republished(number) => {
                let published = Digests::from(digest(number + 100));
                chosen(number, Some(Version { published, ..version(number) }), Chosen::Newest)
            }
            Self::Pinned(number) => chosen(number, Some(version(number)), Chosen::Pinned),
            Self::OnlyOnCloud(number) => chosen(number, None, Chosen::Pinned),
            Self::Unknown => Wanted::Unknown("HTTP 503".to_owned()),
        }
    }
}

impl UsageSpec {
    pub(crate) fn usage(self) -> Option<Usage> {
        let server = User { kind: UserKind::Server, id: "server-1".to_owned(), project: None };
        let unknown = || Answer::Unknown("HTTP 403".to_owned());
        let answers = match self {
            Self::Unasked => return None,
            Self::Nobody => [(SERVERS, Answer::Nobody), (VOLUMES, Answer::Nobody)],
            Self::Servers => [(SERVERS, Answer::Users(server, vec![])), (VOLUMES, Answer::Nobody)],
            Self::Unknown => [(SERVERS, Answer::Nobody), (VOLUMES, unknown())],
            Self::UsedAndUnknown => [(SERVERS, Answer::Users(server, vec![])), (VOLUMES, unknown())],
        };
        Some(Usage::new(answers))
    }
}

impl WorldSpec {
    /// The same description always makes the same world.
    pub(crate) fn build(&self) -> World {
        let now = midday(date(2026, 11, 23));
        let sites: Vec<SiteName> = (0..self.sites).map(site_name).collect();
        let mut desired = Desired {
            catalogue: CatalogueName::parse(CATALOGUE).unwrap(),
            sites: sites.iter().cloned().collect(),
            families: BTreeMap::new(),
            moved: BTreeMap::new(),
            retirement: self.retirement.lifecycle(),
            limits: Limits { deletions: self.max_deletes },
            boot_test: None,
            import: Preferences::default(),
        };
        let empty = SiteView::empty(ProjectId::parse(PROJECT).unwrap());
        let mut observed = Observed { sites: sites.into_iter().map(|site| (site, empty.clone())).collect() };
        for (index, spec) in self.families.iter().enumerate() {
            if spec.standing != Standing::Retired {
                desired.families.insert(family_name(index), spec.family(index));
            }
            if spec.standing == Standing::Moved {
                desired.moved.insert(spec.marked_family(index), family_name(index));
            }
            for (number, image) in spec.images.iter().enumerate() {
                let view = observed.sites.get_mut(&site_name(image.site % self.sites)).unwrap();
                let made = spec.image(index, number, image, today(now));
                view.usage.extend(image.usage.usage().map(|usage| (made.id.clone(), usage)));
                view.images.insert(made.id.clone(), made);
            }
            for (number, (site, foreign)) in spec.foreign.iter().enumerate() {
                let view = observed.sites.get_mut(&site_name(site % self.sites)).unwrap();
                spec.hang(index, number, *foreign, view);
            }
        }
        World { desired, observed, now }
    }
}

impl FamilySpec {
    fn family(&self, index: usize) -> Family {
        Family {
            name: family_name(index),
            title: title(index),
            audience: self.audience,
            wanted: self.wanted.wanted(),
            skip: self.skip.map(version_name).into_iter().collect(),
            lifecycle: self.policy.lifecycle(),
            min_disk: None,
            min_ram: 512,
            properties: BTreeMap::from([("hw_disk_bus".to_owned(), "scsi".to_owned())]),
            ignored_properties: vec!["ignored_*".to_owned()],
            disk_format: None,
        }
    }

    fn marked_family(&self, index: usize) -> FamilyName {
        match self.standing {
            Standing::Listed | Standing::Retired => family_name(index),
            Standing::Moved => FamilyName::parse(format!("former-{index}")).unwrap(),
        }
    }

    /// The name under which the family's latest version is known.
    pub(crate) fn latest_name(&self, index: usize) -> String {
        self.policy.lifecycle().latest.name.render(&self.facts(index, 0, Moment::Unknown)).unwrap()
    }

    fn facts(&self, index: usize, version: u8, superseded: Moment) -> Facts {
        Facts {
            name: Some(title(index)),
            family: self.marked_family(index),
            version: version_name(version),
            uploaded: Moment::Recorded(uploaded(version)),
            superseded,
            built: Moment::Recorded(built(version)),
            rank: 1 + usize::from(version),
        }
    }

    fn image(&self, index: usize, number: usize, spec: &ImageSpec, today: Date) -> Image {
        let since = match spec.part {
            Part::Superseded(days) | Part::Condemned(days) => Some(today.saturating_sub(i64::from(days).days())),
            Part::Staged | Part::BootFailed | Part::Shown => None,
        };
        let marks = Marks {
            catalogue: CatalogueName::parse(CATALOGUE).unwrap(),
            family: self.marked_family(index),
            version: version_name(spec.version),
            uploaded: (spec.meddled != Meddled::Undated).then(|| uploaded(spec.version)),
            superseded: since,
            digest: Some(digest(spec.version)),
            source: None,
            applied: None,
            built: Some(built(spec.version)),
            audience: self.audience,
            condemned: if matches!(spec.part, Part::Condemned(_)) { Condemned::Yes } else { Condemned::No },
            boot: if spec.part == Part::BootFailed { BootVerdict::Failed } else { BootVerdict::NotFailed },
        };
        let id = ImageId::parse(format!("{}-{number}", family_name(index))).unwrap();
        let mut attributes = self.look(index, spec, since, today);
        if matches!(spec.part, Part::Staged | Part::BootFailed) {
            attributes.tags = marks.to_tags();
        } else {
            attributes = sealed(attributes, &marks);
        }
        meddle(&mut attributes, spec.meddled, self.latest_name(index));
        Image {
            id,
            owner: Some(ProjectId::parse(PROJECT).unwrap()),
            status: if matches!(spec.part, Part::Condemned(_)) { Status::Deactivated } else { spec.status },
            attributes,
            created_at: (spec.meddled != Meddled::Undated).then(|| midday(uploaded(spec.version))),
            size: Some(1 << 20),
            virtual_size: None,
            hash: None,
            disk_format: Some("qcow2".to_owned()),
        }
    }

    /// How an earlier run has left it.
    fn look(&self, index: usize, spec: &ImageSpec, since: Option<Date>, today: Date) -> Attributes {
        let lifecycle = self.policy.lifecycle();
        let facts = self.facts(index, spec.version, since.map_or(Moment::Unknown, Moment::Recorded));
        let mut look = Attributes {
            name: self.latest_name(index),
            visibility: lifecycle.latest.visibility,
            protection: lifecycle.latest.protection,
            listing: lifecycle.latest.listing,
            min_disk: 0,
            min_ram: 512,
            properties: BTreeMap::from([("hw_disk_bus".to_owned(), "scsi".to_owned())]),
            tags: BTreeSet::new(),
        };
        if let Some(since) = since {
            let stage = lifecycle.stage_on(since, today);
            look.name = stage.name.and_then(|name| name.render(&facts)).unwrap_or(look.name);
            look.visibility = stage.visibility.unwrap_or(look.visibility);
            look.listing = stage.listing.unwrap_or(look.listing);
            look.properties.extend(stage.properties);
        } else if spec.part != Part::Shown {
            look.name = format!("{} (not yet published)", title(index));
            look.visibility = Visibility::Private;
            look.protection = Protection::Unprotected;
        }
        if self.audience == Audience::Project {
            look.visibility = Visibility::Private;
        }
        look
    }

    fn hang(&self, index: usize, number: usize, foreign: Foreign, view: &mut SiteView) {
        let spec = ImageSpec {
            site: 0,
            version: 3,
            part: Part::Shown,
            status: Status::Active,
            usage: UsageSpec::Nobody,
            meddled: Meddled::No,
        };
        let mut image = self.image(index, number, &spec, date(2026, 11, 23));
        image.id = ImageId::parse(format!("foreign-{index}-{number}")).unwrap();
        match foreign {
            Foreign::Impostor(visibility) => {
                image.owner = Some(ProjectId::parse("tenant").unwrap());
                image.attributes.visibility = visibility;
            }
            Foreign::Snapshot => {
                image.attributes.properties.insert("base_image_ref".to_owned(), "some-image".to_owned());
                image.attributes.visibility = Visibility::Private;
            }
            Foreign::PublicNamesake => {
                image.owner = Some(ProjectId::parse("another-admin").unwrap());
                image.attributes.tags.clear();
                image.attributes.visibility = Visibility::Public;
            }
        }
        if image.attributes.visibility == Visibility::Public {
            view.namesakes.insert(image.id.clone(), image);
        } else {
            view.images.insert(image.id.clone(), image);
        }
    }
}

fn meddle(attributes: &mut Attributes, meddled: Meddled, latest_name: String) {
    match meddled {
        Meddled::No | Meddled::Undated => {}
        Meddled::Renamed => attributes.name = "do not delete (Peter)".to_owned(),
        Meddled::RenamedToLatest => attributes.name = latest_name,
        Meddled::Visibility(visibility) => attributes.visibility = visibility,
        Meddled::Property => {
            attributes.properties.insert("hw_disk_bus".to_owned(), "ide".to_owned());
            attributes.properties.insert("ignored_by_us".to_owned(), "yes".to_owned());
            attributes.listing = Listing::Hidden;
        }
        Meddled::Unsealed => attributes.tags.retain(|tag| !tag.starts_with("gallerist:applied=")),
    }
}

/// The number of a version by its name.
pub(crate) fn version_number(name: &str) -> u8 {
    (0..=u8::MAX).find(|number| version_name(*number).as_str() == name).unwrap()
}
