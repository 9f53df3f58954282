//! Tells a plan: from the planner's nouns to the document that every format shows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use petgraph::graph::NodeIndex;

use super::document::{
    Action, Body, Change, Check, CheckAddress, CheckInstance, Config, Detail, Document, FORMAT_VERSION, Guard,
    GuardStatus, Hold, Import, Live, Note, Object, Package, Packages, Problem, ProjectUse, RESOURCE_TYPE,
    ResourceChange, SCHEMA, Site, Summary, Usage,
};
use super::words;
use crate::model::desired::Desired;
use crate::model::image::{Attributes, Listing, Protection};
use crate::model::name::ImageId;
use crate::model::operation::{Activation, Create, MinDisk, Operation};
use crate::model::ours::{Marks, OwnedImage};
use crate::model::packages::{Fate, PackageChanges};
use crate::model::passage::{Method, Passage, Route};
use crate::model::plan::{self, Plan, Step, Verdict};
use crate::model::reason::{Because, Reason};
use crate::model::usage::{self, Answer, User, UserKind};

/// A plan, and what is to be said around it.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its identity, 64 hexadecimal digits.
    pub plan_id: &'a str,
    /// What the catalogue should be.
    pub desired: &'a Desired,
    /// The file that says so, as it was named.
    pub config: &'a str,
    /// Where the plan acts, and as whom.
    pub sites: Vec<Site>,
    /// What it was compared with; [`Live::managed`] is filled in from the plan.
    pub live: Live,
    /// What `--target` named; empty for the whole catalogue.
    pub targets: Vec<String>,
    /// Whether everything was looked at.
    pub coverage: Coverage,
    /// When the plan was made.
    pub now: Timestamp,
}

/// Whether a plan is about the whole catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It is.
    Whole,
    /// Something was left out: by `--target`, or because it could not be read.
    Partial,
}

/// The plan as a document.
pub fn compose(shown: &Shown<'_>) -> Document {
    let plan = shown.plan;
    let mut steps: Vec<_> = plan.steps().collect();
    // One address may stand for two images where an earlier run was interrupted; the id then decides.
    steps.sort_by_key(|(_, step)| (&step.address, &step.site, step.operation.id()));
    let mut before = predecessors(plan);
    let resource_changes: Vec<_> = steps
        .iter()
        .map(|(node, step)| resource_change(plan, *node, step, before.remove(node).unwrap_or_default()))
        .collect();
    let resource_drift: Vec<_> = steps
        .iter()
        .zip(&resource_changes)
        .filter(|((_, step), _)| is_drift(step))
        .map(|(_, change)| drift(change))
        .collect();
    let counts = plan.counts();
    let summary = Summary {
        create: counts.create,
        update: counts.update,
        delete: counts.delete,
        no_op: plan.managed.saturating_sub(steps.iter().filter(|(_, step)| step.operation.id().is_some()).count()),
        drift: resource_drift.len(),
        held: plan.holds.len(),
        transfer_bytes: transfer(plan),
    };
    Document {
        format_version: FORMAT_VERSION.to_owned(),
        gallerist: Body {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan_id: format!("sha256:{}", shown.plan_id),
            catalogue: shown.desired.catalogue.to_string(),
            sites: shown.sites.clone(),
            config: Config { path: shown.config.to_owned(), families: shown.desired.families.len() },
            live: Live { managed: plan.managed, ..shown.live.clone() },
            targets: shown.targets.clone(),
            summary,
            guards: plan.guards.iter().map(guard).collect(),
            holds: plan.holds.iter().map(hold).collect(),
            notes: plan
                .notes
                .iter()
                .map(|note| {
                    let (code, level, detail) = words::note(note);
                    Note { code: code.to_owned(), level, detail }
                })
                .collect(),
            blocked: plan.is_blocked(),
        },
        resource_changes,
        resource_drift,
        checks: plan.guards.iter().map(check).collect(),
        diagnostics: Vec::new(),
        timestamp: shown.now,
        applyable: !plan.is_empty() && !plan.is_blocked(),
        complete: shown.coverage == Coverage::Whole,
        errored: false,
    }
}

/// The addresses that come before each step.
fn predecessors(plan: &Plan) -> BTreeMap<NodeIndex, BTreeSet<String>> {
    let mut predecessors: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (before, after, _) in plan.edges() {
        predecessors.entry(after).or_default().insert(plan.step(before).address.to_string());
    }
    predecessors
}

fn resource_change(plan: &Plan, node: NodeIndex, step: &Step, depends_on: BTreeSet<String>) -> ResourceChange {
    let verb = step.operation.verb();
    let id = step.operation.id();
    let before = step.operation.before().map(|attributes| object(id, attributes));
    let (after, after_unknown) = match &step.operation {
        Operation::Create(create) => created(create, id),
        Operation::Update(update) => (Some(object(id, &update.after)), BTreeMap::new()),
        Operation::Delete(_) => (None, BTreeMap::new()),
        Operation::Adopt(adopt) => (Some(object(id, adopt.after())), BTreeMap::new()),
    };
    ResourceChange {
        address: step.address.to_string(),
        mode: "managed".to_owned(),
        kind: RESOURCE_TYPE.to_owned(),
        name: step.address.family.to_string(),
        index: step.address.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        change: Change {
            actions: [Action::from(verb)],
            before,
            after,
            after_unknown,
            before_sensitive: BTreeMap::new(),
            after_sensitive: BTreeMap::new(),
        },
        action_reason: step
            .reasons
            .first()
            .map(|reason| words::reason_code(verb, reason))
            .unwrap_or_default()
            .to_owned(),
        gallerist: Detail {
            packages: plan.packages.get(&node).map(packages),
            ..detail(step, depends_on.into_iter().collect())
        },
    }
}

fn detail(step: &Step, depends_on: Vec<String>) -> Detail {
    let mut detail = Detail {
        site: step.site.to_string(),
        depends_on,
        reasons: step.reasons.iter().map(words::reason).collect(),
        usage: step.usage.as_ref().map(usage),
        ..Detail::default()
    };
    match &step.operation {
        Operation::Create(create) => {
            let version = &create.version;
            detail.source = Some(version.origin.to_string());
            detail.size = version.size;
            detail.digest = Some(version.published.strongest().to_string());
            detail.trust = Some(version.assurance().to_string());
            detail.import = (!create.passage.is_plain()).then(|| import(create));
            detail.uploaded = create.marks.uploaded;
        }
        Operation::Update(update) => {
            detail.reactivate = update.activation == Activation::Reactivate;
            of_existing(&mut detail, &update.before, Marks::from_tags(&update.after.tags).as_ref());
        }
        Operation::Delete(delete) => of_existing(&mut detail, delete.before(), None),
        Operation::Adopt(adopt) => {
            let marks = adopt.marks();
            detail.size = adopt.before().image().size;
            detail.digest = marks.digest.as_ref().map(ToString::to_string);
            (detail.uploaded, detail.superseded) = (marks.uploaded, marks.superseded);
        }
    }
    detail
}

fn packages(found: &PackageChanges) -> Packages {
    let listed = found.changes.iter().map(|change| {
        let (before, after) = match &change.fate {
            Fate::Changed { before, after } => (Some(before), Some(after)),
            Fate::Added(version) => (None, Some(version)),
            Fate::Removed(version) => (Some(version), None),
        };
        Package { name: change.name.clone(), before: before.cloned(), after: after.cloned() }
    });
    let told = Packages {
        from: found.from.to_string(),
        notable: found.notable().map(|change| change.name.clone()).collect(),
        changes: listed.collect(),
        ..Packages::default()
    };
    let (changed, added, removed) = told.counted();
    Packages { changed, added, removed, ..told }
}

fn import(create: &Create) -> Import {
    let Create { version, passage: Passage { route, stores, converter, disk_format }, .. } = create;
    Import {
        method: route.method().name().to_owned(),
        copied_from: match route {
            Route::Copy(original) => Some(original.site.to_string()),
            Route::Upload | Route::Direct | Route::Web => None,
        },
        stores: stores.clone(),
        disk_format: disk_format.name().to_owned(),
        converted_from: converter.map(|_| version.disk_format.name().to_owned()),
        converted_by: converter.map(|converter| converter.name().to_owned()),
    }
}

fn of_existing(detail: &mut Detail, image: &OwnedImage, new_marks: Option<&Marks>) {
    detail.size = image.image().size;
    detail.digest = image.marks().digest.as_ref().map(ToString::to_string);
    let marks = new_marks.unwrap_or_else(|| image.marks());
    (detail.uploaded, detail.superseded) = (marks.uploaded, marks.superseded);
}

fn object(id: Option<&ImageId>, attributes: &Attributes) -> Object {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = attributes;
    Object {
        id: id.map(ToString::to_string),
        name: name.clone(),
        visibility: visibility.to_string(),
        protected: *protection == Protection::Protected,
        hidden: *listing == Listing::Hidden,
        min_disk: Some(*min_disk),
        min_ram: *min_ram,
        properties: properties.clone(),
        tags: tags.clone(),
    }
}

/// What is known of a new image, and what only the run will know. As in Terraform's plans, `after` holds no guess: a
/// smallest disk that the image itself decides is left out, and so are the marks that depend on the bytes.
fn created(create: &Create, id: Option<&ImageId>) -> (Option<Object>, BTreeMap<String, bool>) {
    let mut after = object(id, &create.shown);
    let mut unknown = BTreeMap::new();
    let mut is_unknown = |field: &str| unknown.insert(field.to_owned(), true);
    if id.is_none() {
        is_unknown("id");
    }
    if create.stored_digests().is_none() {
        is_unknown("tags");
    }
    match create.min_disk {
        MinDisk::Written(_) => {}
        MinDisk::FromImage => {
            after.min_disk = None;
            after.tags.retain(|tag| !tag.starts_with("gallerist:applied="));
            is_unknown("min_disk");
            is_unknown("tags");
        }
    }
    (Some(after), unknown)
}

fn is_drift(step: &Step) -> bool {
    step.reasons.iter().any(|reason| matches!(reason, Reason::ChangedOutside(_)))
}

/// Terraform's view of drift. An image carries only a digest of what was last applied, so what images.toml says stands
/// for it: that is what the plan puts back.
fn drift(change: &ResourceChange) -> ResourceChange {
    let mut drift = change.clone();
    (drift.change.before, drift.change.after) = (change.change.after.clone(), change.change.before.clone());
    drift
}

/// Bytes to fetch: one download serves every site.
fn transfer(plan: &Plan) -> u64 {
    let sources: BTreeMap<String, u64> = plan
        .steps()
        .filter_map(|(_, step)| match &step.operation {
            Operation::Create(create) if create.passage.route.method() != Method::GlanceDownload => {
                Some((create.version.origin.to_string(), create.version.size?))
            }
            Operation::Create(_) | Operation::Update(_) | Operation::Delete(_) | Operation::Adopt(_) => None,
        })
        .collect();
    sources.values().fold(0, |sum, size| sum.saturating_add(*size))
}

fn guard(guard: &plan::Guard) -> Guard {
    Guard {
        id: guard.id.to_owned(),
        status: match guard.verdict {
            Verdict::Pass => GuardStatus::Pass,
            Verdict::Lifted => GuardStatus::Lifted,
            Verdict::Block => GuardStatus::Block,
        },
        detail: guard.detail.clone(),
        lift: guard.lift.clone(),
    }
}

fn check(guard: &plan::Guard) -> Check {
    let (status, problems) = match guard.verdict {
        Verdict::Pass | Verdict::Lifted => ("pass", Vec::new()),
        Verdict::Block => ("fail", vec![Problem { message: guard.detail.clone() }]),
    };
    Check {
        address: CheckAddress {
            kind: "check".to_owned(),
            name: guard.id.to_owned(),
            to_display: format!("check.{}", guard.id),
        },
        status: status.to_owned(),
        instances: vec![CheckInstance { status: status.to_owned(), problems }],
    }
}

fn hold(hold: &plan::Hold) -> Hold {
    Hold {
        address: hold.address.to_string(),
        site: hold.site.to_string(),
        operation: Action::from(hold.verb),
        because: hold.because.code().to_owned(),
        detail: words::because(&hold.because),
        users: match &hold.because {
            Because::InUse(users) => by_project(users),
            Because::UsageUnknown(_)
            | Because::NameTaken { .. }
            | Because::Older { .. }
            | Because::BytesChanged { .. }
            | Because::UpstreamUnknown(_)
            | Because::NoPassage(_)
            | Because::VersionGone(_)
            | Because::BootTestFailed
            | Because::Busy(_)
            | Because::Deactivated
            | Because::NoLatest
            | Because::LastPublic => Vec::new(),
        },
    }
}

fn usage(usage: &usage::Usage) -> Usage {
    let sources: BTreeMap<_, _> = usage
        .answers()
        .map(|(source, answer)| {
            let number = match answer {
                Answer::Nobody => Some(0),
                Answer::Users(_, more) => Some(1 + more.len()),
                Answer::Unknown(_) => None,
            };
            (source.0.to_owned(), number)
        })
        .collect();
    Usage {
        complete: !sources.is_empty() && sources.values().all(Option::is_some),
        sources,
        users: by_project(&usage.users()),
    }
}

fn by_project(users: &[User]) -> Vec<ProjectUse> {
    let mut projects: BTreeMap<Option<String>, ProjectUse> = BTreeMap::new();
    for user in users {
        let project_id = user.project.as_ref().map(ToString::to_string);
        let found =
            projects.entry(project_id.clone()).or_insert_with(|| ProjectUse { project_id, ..ProjectUse::default() });
        let ids = match user.kind {
            UserKind::Server => &mut found.servers,
            UserKind::Volume => &mut found.volumes,
            UserKind::Snapshot => &mut found.snapshots,
            UserKind::Member => &mut found.members,
        };
        ids.push(user.id.clone());
    }
    projects.into_values().collect()
}
