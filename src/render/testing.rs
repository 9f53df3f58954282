//! Plans made by hand, for the tests of this room.

mod pieces;

pub(super) use pieces::{change, object};

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};

use super::document::{Document, Import, Level, Live, LiveSource, Note as Remark, ProjectUse, Site};
use super::{Coverage, Shown, compose};
use crate::model::desired::{Audience, Desired, Limits};
use crate::model::digest::Digest;
use crate::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use crate::model::lifecycle::{Age, DeleteWhen, DeletionPolicy, LatestStage, Lifecycle, SnapshotUse};
use crate::model::name::{Address, CatalogueName, FamilyName, ImageId, ProjectId, SiteName, VersionName};
use crate::model::operation::{Activation, Create, Delete, MinDisk, Operation, Record, Update, Verb, sealed, staged};
use crate::model::ours::{BootVerdict, Condemned, Marks, OwnedImage};
use crate::model::packages::{PackageChanges, Packages as Inside};
use crate::model::passage::{Passage, Preferences};
use crate::model::plan::{Guard, Hold, Plan, Step, Verdict};
use crate::model::reason::{Because, Edge, Note, Reason};
use crate::model::template::Template;
use crate::model::usage::{Answer, Sighting, Source, Usage, User, UserKind};
use crate::model::version::{Compression, DiskFormat, Origin, Trust, Version};

const PROJECT: &str = "9f0c5e3d7a1b4c2e8d6f0a1b2c3d4e5f";

fn catalogue() -> CatalogueName {
    CatalogueName::parse("wiit-public").unwrap()
}

fn site() -> SiteName {
    SiteName::parse("fra1").unwrap()
}

fn address(family: &str, version: &str) -> Address {
    Address {
        family: FamilyName::parse(family).unwrap(),
        version: Some(VersionName::parse(version).unwrap()),
        site: None,
    }
}

fn digest() -> Digest {
    format!("sha256:{}", "9d5ec1a0".repeat(8)).parse().unwrap()
}

fn marks(address: &Address, uploaded: Date, superseded: Option<Date>) -> Marks {
    Marks {
        catalogue: catalogue(),
        family: address.family.clone(),
        version: address.version.clone().unwrap(),
        uploaded: Some(uploaded),
        superseded,
        digest: Some(digest()),
        source: None,
        applied: None,
        built: None,
        audience: Audience::Everybody,
        condemned: Condemned::No,
        boot: BootVerdict::NotFailed,
    }
}

fn attributes(name: &str, visibility: Visibility) -> Attributes {
    Attributes {
        name: name.to_owned(),
        visibility,
        protection: Protection::Protected,
        listing: Listing::Listed,
        min_disk: 4,
        min_ram: 512,
        properties: [("hw_disk_bus", "scsi"), ("os_distro", "ubuntu"), ("architecture", "x86_64")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        tags: BTreeSet::new(),
    }
}

fn owned(id: &str, attributes: Attributes, marks: &Marks) -> OwnedImage {
    let project = ProjectId::parse(PROJECT).unwrap();
    let image = Image {
        id: ImageId::parse(id).unwrap(),
        owner: Some(project.clone()),
        status: Status::Active,
        attributes: sealed(attributes, marks),
        created_at: None,
        size: Some(625_373_184),
        virtual_size: Some(4 << 30),
        hash: None,
        disk_format: Some("qcow2".to_owned()),
    };
    OwnedImage::recognise(&image, &catalogue(), &project).unwrap()
}

fn step(address: Address, operation: Operation, reason: Reason) -> Step {
    Step { address, site: site(), operation, reasons: vec![reason], usage: None }
}

fn creation(name: &str, origin: &str) -> Step {
    let address = address("ubuntu-24.04", "20261118");
    let marks = marks(&address, date(2026, 11, 23), None);
    let shown = sealed(Attributes { min_disk: 0, ..attributes(name, Visibility::Public) }, &marks);
    let create = Create {
        family: address.family.clone(),
        version: Version {
            name: address.version.clone().unwrap(),
            origin: Origin::Url(origin.to_owned()),
            published: digest().into(),
            stored: None,
            size: Some(625_373_184),
            compression: Compression::None,
            disk_format: DiskFormat::Qcow2,
            built: None,
            trust: Trust::Signed { fingerprint: "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81".to_owned() },
            signature: None,
            packages: None,
        },
        record: Record::New,
        staged: staged(&shown, name, &marks),
        stable: shown.clone(),
        shown,
        marks,
        min_disk: MinDisk::FromImage,
        passage: Passage::plain(DiskFormat::Qcow2),
    };
    let from = Some(VersionName::parse("20261015").unwrap());
    step(address, Operation::Create(Box::new(create)), Reason::NewVersion { from })
}

fn supersession(before: &str, after: &str) -> Step {
    let address = address("ubuntu-24.04", "20261015");
    let old = marks(&address, date(2026, 10, 15), None);
    let new = marks(&address, date(2026, 10, 15), Some(date(2026, 11, 23)));
    let before = owned("3cca4075-26fd-dc75-707b-0cee9c534b61", attributes(before, Visibility::Public), &old);
    let after =
        sealed(Attributes { protection: Protection::Unprotected, ..attributes(after, Visibility::Community) }, &new);
    let update = Update { before, stable: after.clone(), after, activation: Activation::Unchanged };
    let by = VersionName::parse("20261118").unwrap();
    step(address, Operation::Update(Box::new(update)), Reason::Superseded { by })
}

fn repair() -> Step {
    let address = address("debian-12", "20261110-2300");
    let marks = marks(&address, date(2026, 11, 12), None);
    let mut found = attributes("Debian 12 Bookworm - Latest", Visibility::Public);
    let after = sealed(found.clone(), &marks);
    found.properties.insert("hw_disk_bus".to_owned(), "virtio".to_owned());
    found.properties.insert("note".to_owned(), "by hand".to_owned());
    let before = owned("28700b18-d137-a2eb-41d4-4a22c44057c0", found, &marks);
    let update = Update { before, stable: after.clone(), after, activation: Activation::Unchanged };
    let reason = Reason::ChangedOutside(vec!["hw_disk_bus".to_owned(), "note".to_owned()]);
    step(address, Operation::Update(Box::new(update)), reason)
}

fn deletion(family: &str, name: &str) -> Step {
    let address = address(family, "20260807");
    let marks = marks(&address, date(2026, 8, 8), Some(date(2026, 9, 13)));
    let image = owned("74d7099d-98c3-1e79-80f7-a7825ab9bca6", attributes(name, Visibility::Community), &marks);
    let usage = Usage::new([(Source("servers"), Answer::Nobody), (Source("volumes"), Answer::Nobody)]);
    let Sighting::Unused(evidence) = usage.sighting(image.id()) else { unreachable!("nobody uses it") };
    let delete = Delete::new(image, evidence, Audience::Everybody, SnapshotUse::Ignored).unwrap();
    Step { usage: Some(usage), ..step(address, Operation::Delete(Box::new(delete)), Reason::Unused) }
}

fn in_use() -> Hold {
    let user = |kind, id: &str| User { kind, id: id.to_owned(), project: ProjectId::parse("7be2").ok() };
    let users = vec![user(UserKind::Server, "c0ffee00-0000"), user(UserKind::Volume, "beef0000-0000")];
    Hold {
        address: address("ubuntu-24.04", "20260701"),
        site: site(),
        verb: Verb::Delete,
        because: Because::InUse(users),
    }
}

fn guard(deletions: usize, limit: usize) -> Guard {
    let blocks = deletions > limit;
    Guard {
        id: "max-deletes",
        verdict: if blocks { Verdict::Block } else { Verdict::Pass },
        detail: format!("{deletions} of 35 managed images would be deleted; the limit is {limit}"),
        lift: blocks.then(|| format!("--allow-deletes {deletions}")),
    }
}

fn tell(plan: &Plan) -> Document {
    let retirement = Lifecycle {
        latest: LatestStage {
            name: Template::parse("{name} - Latest").unwrap(),
            visibility: Visibility::Public,
            protection: Protection::Protected,
            listing: Listing::Listed,
            properties: BTreeMap::new(),
        },
        superseded: Vec::new(),
        deletion: DeletionPolicy {
            when: DeleteWhen::Unused,
            after: Age::zero(),
            keep: 0,
            snapshots: SnapshotUse::Ignored,
        },
    };
    let desired = Desired {
        catalogue: catalogue(),
        sites: [site()].into(),
        families: BTreeMap::new(),
        moved: BTreeMap::new(),
        retirement,
        limits: Limits { deletions: None },
        boot_test: None,
        import: Preferences::default(),
    };
    let now = "2026-11-23T03:34:07Z".parse().unwrap();
    let mut document = compose(&Shown {
        plan,
        plan_id: &"7f3a91c2d0e4".repeat(6)[..64],
        desired: &desired,
        config: "images.toml",
        sites: vec![Site {
            name: "fra1".to_owned(),
            cloud: Some("prod".to_owned()),
            region: Some("fra1".to_owned()),
            auth_url: Some("https://keystone.prod.example:5000/v3".to_owned()),
            project_id: Some(PROJECT.to_owned()),
            project: Some("service".to_owned()),
            user: Some("image-publisher".to_owned()),
        }],
        live: Live { source: LiveSource::Api, read_at: now, milliseconds: 1_234, managed: 0 },
        targets: Vec::new(),
        coverage: Coverage::Whole,
        now,
    });
    document.gallerist.config.families = 12;
    document
}

/// What a new version changes of the packages inside: one of this name, and three more.
fn inside(name: &str, version: &str) -> PackageChanges {
    let of = |packages: &[(&str, &str)]| -> Inside {
        packages.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
    };
    let before =
        of(&[("adduser", "3.136"), (name, "6.8.0-87.88"), ("libssl3t64:amd64", "3.0.13"), ("openssl", "3.0.13")]);
    let after = of(&[("adduser", version), (name, "6.8.0-88.89"), ("openssl", "3.0.14"), ("zstd", "1.5.5")]);
    PackageChanges::between(VersionName::parse("20261015").unwrap(), &before, &after)
}

/// One version replaced, one deleted, one repaired, one held.
pub(super) fn rotation() -> Document {
    let mut plan = Plan::default();
    let name = "Ubuntu 24.04 Noble Numbat - Latest";
    let origin = "https://cloud-images.ubuntu.com/noble/20261118/noble-server-cloudimg-amd64.img";
    let latest = plan.add(creation(name, origin));
    let replaced = plan.add(supersession(name, "Ubuntu 24.04 Noble Numbat - 2026-10-15"));
    let ended = plan.add(deletion("ubuntu-24.04", "Ubuntu 24.04 Noble Numbat - 2026-08-08"));
    plan.add(repair());
    plan.order(latest, replaced, Edge::HandOver).unwrap();
    plan.order(latest, ended, Edge::LatestBeforeDeletion).unwrap();
    plan.order(replaced, ended, Edge::LatestBeforeDeletion).unwrap();
    plan.packages.insert(latest, inside("linux-image-virtual", "3.137ubuntu1"));
    plan.holds.push(in_use());
    plan.notes.push(Note::NoBootTest);
    plan.notes.push(Note::DeletionDue { address: address("debian-12", "20261001-1"), on: date(2026, 12, 24) });
    plan.guards.push(guard(1, 10));
    plan.managed = 35;
    tell(&plan)
}

/// A version whose bytes come by this passage.
pub(super) fn imported(passage: Passage) -> Document {
    let mut plan = Plan::default();
    let mut step = creation("Debian 12 - Latest", "https://cloud.debian.example/debian-12.qcow2");
    if let Operation::Create(create) = &mut step.operation {
        create.passage = passage;
    }
    plan.add(step);
    tell(&plan)
}

/// Nothing to do.
pub(super) fn empty() -> Document {
    let mut plan = Plan::default();
    plan.guards.push(guard(0, 10));
    plan.managed = 35;
    tell(&plan)
}

/// Nine deletions where three are allowed.
pub(super) fn blocked() -> Document {
    let mut plan = Plan::default();
    for family in 1..=9 {
        plan.add(deletion(&format!("rocky-{family}"), &format!("Rocky {family}")));
    }
    plan.guards.push(guard(9, 3));
    plan.managed = 35;
    tell(&plan)
}

/// A plan in which this text stands wherever others may write.
pub(super) fn hostile_document(text: &str) -> Document {
    let mut plan = Plan::default();
    let created = plan.add(creation(text, text));
    plan.packages.insert(created, inside(text, text));
    plan.add(supersession(text, &format!("{text} once more")));
    plan.add(deletion("debian-12", text));
    plan.holds.push(Hold { because: Because::UpstreamUnknown(text.to_owned()), ..in_use() });
    plan.managed = 3;
    let mut document = tell(&plan);
    let text = || text.to_owned();
    let site = &mut document.gallerist.sites[0];
    *site = Site {
        name: text(),
        cloud: Some(text()),
        region: Some(text()),
        auth_url: Some(text()),
        project_id: Some(text()),
        project: Some(text()),
        user: Some(text()),
    };
    document.gallerist.config.path = text();
    document.gallerist.targets = vec![text()];
    // A saved plan may come from a stranger: nothing in it can be believed to have the form it should.
    for change in &mut document.resource_changes {
        change.address.push_str(&text());
        change.gallerist.reasons.push(text());
        change.gallerist.trust = Some(text());
        change.gallerist.import = Some(Import {
            method: text(),
            copied_from: Some(text()),
            stores: vec![text()],
            disk_format: text(),
            converted_from: Some(text()),
            converted_by: Some(text()),
        });
        change.gallerist.digest = Some(format!("{}:{}", text(), text()));
        if let Some(packages) = &mut change.gallerist.packages {
            packages.from = text();
            packages.notable.push(text());
        }
        for object in [&mut change.change.before, &mut change.change.after].into_iter().flatten() {
            object.visibility = text();
            object.id = Some(text());
            object.properties.insert(text(), text());
            object.tags.insert(text());
        }
    }
    for detail in [None, Some(text())] {
        document.gallerist.notes.push(Remark {
            code: text(),
            level: Level::Warning,
            detail: detail.unwrap_or_else(|| format!(" {}", text())),
        });
    }
    document.gallerist.holds[0].users =
        vec![ProjectUse { project_id: Some(text()), servers: vec![text()], ..Default::default() }];
    document
}
