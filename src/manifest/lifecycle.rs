//! `[lifecycle]`: layers of settings, and the life they add up to.
//!
//! The problem: the same keys stand in the catalogue's lifecycle, in its defaults and in an image, each saying only a
//! part. The idea: every such table is read into a [`Layer`] of optional settings, and a lifecycle is a built-in base
//! with layers put over it. A private family starts from a base of its own and ignores what the catalogue says of
//! public images: nobody who writes `visibility = "private"` wants the catalogue's `community` to follow from it.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::{Date, date};

use super::codes::Code;
use super::reader::{Context, Table, Value};
use crate::model::desired::Audience;
use crate::model::image::{Listing, Protection, Visibility};
use crate::model::lifecycle::{Age, DeleteWhen, DeletionPolicy, LatestStage, Lifecycle, SnapshotUse, SupersededStage};
use crate::model::template::{Template, Variable};

const fn when_word(when: DeleteWhen) -> &'static str {
    match when {
        DeleteWhen::Unused => "unused",
        DeleteWhen::Never => "never",
    }
}

/// What one table says of an image's looks.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    pub(super) name: Option<Template>,
    pub(super) visibility: Option<Visibility>,
    visibility_place: Option<Range<usize>>,
    pub(super) protection: Option<Protection>,
    pub(super) listing: Option<Listing>,
    pub(super) properties: BTreeMap<String, String>,
}

impl Looks {
    /// Reads `visibility`, `protected` and `hidden`.
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let visibility = table.take("visibility");
        Self {
            visibility: visibility.and_then(|value| value.word(Visibility::ALL, Visibility::name)),
            visibility_place: visibility.map(|value| value.span()),
            protection: table.take("protected").and_then(|value| value.flag()).map(Protection::from_flag),
            listing: table.take("hidden").and_then(|value| value.flag()).map(Listing::from_flag),
            ..Self::default()
        }
    }

    /// Reads `name` and `properties` too.
    fn read_stage(table: &mut Table<'_>) -> Self {
        Self {
            name: table.take("name").and_then(|value| value.template()),
            properties: table.take("properties").and_then(|value| value.properties()).unwrap_or_default(),
            ..Self::read(table)
        }
    }

    fn apply_to(&self, stage: &mut LatestStage) {
        if let Some(name) = &self.name {
            stage.name = name.clone();
        }
        stage.visibility = self.visibility.unwrap_or(stage.visibility);
        stage.protection = self.protection.unwrap_or(stage.protection);
        stage.listing = self.listing.unwrap_or(stage.listing);
        stage.properties.extend(self.properties.clone());
    }

    fn to_stage(&self, after: Age) -> SupersededStage {
        SupersededStage {
            after,
            name: self.name.clone(),
            visibility: self.visibility,
            protection: self.protection,
            listing: self.listing,
            properties: self.properties.clone(),
        }
    }
}

/// What one `lifecycle` table says.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub(super) latest: Looks,
    superseded: Option<Vec<(Age, Looks)>>,
    deletion: DeletionLayer,
}

#[derive(Debug, Clone, Default)]
struct DeletionLayer {
    when: Option<DeleteWhen>,
    after: Option<Age>,
    keep: Option<usize>,
    snapshots: Option<SnapshotUse>,
}

impl Layer {
    /// Reads a `lifecycle` table.
    pub(super) fn read(value: Value<'_>) -> Option<Self> {
        let mut table = value.table("a lifecycle")?;
        let latest = table.take("latest").and_then(|value| value.table("`latest`")).map(|mut table| {
            let looks = Looks::read_stage(&mut table);
            table.finish();
            looks
        });
        let superseded = table.take("superseded").and_then(read_stages);
        let deletion = table.take("delete").and_then(DeletionLayer::read);
        table.finish();
        Some(Self { latest: latest.unwrap_or_default(), superseded, deletion: deletion.unwrap_or_default() })
    }

    fn apply_to(&self, lifecycle: &mut Lifecycle) {
        self.latest.apply_to(&mut lifecycle.latest);
        if let Some(stages) = &self.superseded {
            lifecycle.superseded = stages.iter().map(|(after, looks)| looks.to_stage(*after)).collect();
        }
        self.deletion.apply_to(&mut lifecycle.deletion);
    }

    /// The first visibility in it that shows an image to others, and where it stands.
    fn shown_to_others(&self) -> Option<(Visibility, Range<usize>)> {
        let stages = self.superseded.iter().flatten().map(|(_, looks)| looks);
        std::iter::once(&self.latest)
            .chain(stages)
            .filter_map(|looks| looks.visibility.zip(looks.visibility_place.clone()))
            .find(|(visibility, _)| *visibility != Visibility::Private)
    }
}

impl DeletionLayer {
    fn read(value: Value<'_>) -> Option<Self> {
        let mut table = value.table("`delete`")?;
        let layer = Self {
            when: table.take("when").and_then(|value| value.word(&[DeleteWhen::Unused, DeleteWhen::Never], when_word)),
            after: table.take("after").and_then(|value| value.age()),
            keep: table
                .take("keep")
                .and_then(|value| value.whole("a whole number of versions", 0..=100_000))
                .and_then(|number| usize::try_from(number).ok()),
            snapshots: table
                .take("count_snapshots")
                .and_then(|value| value.flag())
                .map(|counted| if counted { SnapshotUse::Counted } else { SnapshotUse::Ignored }),
        };
        table.finish();
        Some(layer)
    }

    fn apply_to(&self, policy: &mut DeletionPolicy) {
        policy.when = self.when.unwrap_or(policy.when);
        policy.after = self.after.unwrap_or(policy.after);
        policy.keep = self.keep.unwrap_or(policy.keep);
        policy.snapshots = self.snapshots.unwrap_or(policy.snapshots);
    }
}

/// Any day will do to compare ages; this one is no leap day.
const SOME_DAY: Date = date(2026, 1, 1);

fn read_stages(value: Value<'_>) -> Option<Vec<(Age, Looks)>> {
    let mut stages: Vec<(Age, Looks)> = Vec::new();
    for element in value.list()? {
        let Some(mut table) = element.table("a superseded stage") else { continue };
        let after_value = table.take("after");
        let after = after_value.and_then(|value| value.age()).unwrap_or_else(Age::zero);
        if let Some((before, _)) = stages.last()
            && after.due(SOME_DAY) <= before.due(SOME_DAY)
        {
            let span = after_value.map_or_else(|| table.span(), |value| value.span());
            table.context.report(
                table
                    .context
                    .diagnostic(Code::StageOrder, span, "the stage is not later than the one before it")
                    .label(format!("`after` is {after} here and {before} before"))
                    .help("order the stages by `after`; the last one reached counts"),
            );
        }
        let looks = Looks::read_stage(&mut table);
        table.finish();
        stages.push((after, looks));
    }
    Some(stages)
}

/// Whom a family is for, and the life that the layers add up to for it: built in, the catalogue's, the defaults',
/// the image's.
pub(super) fn combine(catalogue: &Layer, defaults: &Looks, image: &Looks, own: &Layer) -> (Audience, Lifecycle) {
    let wanted = [image.visibility, own.latest.visibility, defaults.visibility, catalogue.latest.visibility];
    let audience = match wanted.into_iter().flatten().next() {
        Some(Visibility::Private) => Audience::Project,
        Some(Visibility::Public | Visibility::Community | Visibility::Shared) | None => Audience::Everybody,
    };
    let mut lifecycle = built_in(audience);
    if audience == Audience::Everybody || catalogue.latest.visibility == Some(Visibility::Private) {
        catalogue.apply_to(&mut lifecycle);
    } else {
        catalogue.deletion.apply_to(&mut lifecycle.deletion);
    }
    defaults.apply_to(&mut lifecycle.latest);
    own.apply_to(&mut lifecycle);
    image.apply_to(&mut lifecycle.latest);
    if audience == Audience::Project {
        // Said outright, so that a version somebody else has widened becomes private again.
        for stage in &mut lifecycle.superseded {
            stage.visibility = Some(Visibility::Private);
        }
    }
    (audience, lifecycle)
}

/// The life of a family whose file says nothing of it.
fn built_in(audience: Audience) -> Lifecycle {
    let (latest, visibility, stage) = match audience {
        Audience::Everybody => ("{name} - Latest", Visibility::Public, Visibility::Community),
        Audience::Project => ("{name}", Visibility::Private, Visibility::Private),
    };
    let template = |text| Template::parse(text).expect("the built-in templates are right");
    Lifecycle {
        latest: LatestStage {
            name: template(latest),
            visibility,
            protection: Protection::Protected,
            listing: Listing::Listed,
            properties: BTreeMap::new(),
        },
        superseded: vec![SupersededStage {
            after: Age::zero(),
            name: Some(template("{name} - {uploaded}")),
            visibility: Some(stage),
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

/// Reports what a layer makes of a lifecycle: a private image shown to others, or a superseded version that stays under
/// the public name. `place` is where the layer stands.
pub(super) fn check(audience: Audience, lifecycle: &Lifecycle, layer: &Layer, place: Range<usize>, context: &Context) {
    if audience == Audience::Project {
        if let Some((visibility, place)) = layer.shown_to_others() {
            context.report(
                context
                    .diagnostic(Code::Widened, place, format!("a private image would become {visibility}"))
                    .label("a private family is private in every stage")
                    .help("leave `visibility` out of its stages"),
            );
        }
        return;
    }
    let first = lifecycle.stage_on(SOME_DAY, SOME_DAY);
    let distinct = [Variable::Version, Variable::Uploaded, Variable::Built];
    let same_name = first.name.as_ref().is_none_or(|name| *name == lifecycle.latest.name)
        && !distinct.iter().any(|variable| lifecycle.latest.name.uses(*variable));
    let shown = first.visibility.unwrap_or(lifecycle.latest.visibility) == Visibility::Public
        && first.listing.unwrap_or(lifecycle.latest.listing) == Listing::Listed;
    if same_name && shown {
        context.report(
            context
                .diagnostic(Code::NameKept, place, "a superseded version would stay public under the latest's name")
                .label("two public images with one name")
                .note("whoever boots by name would get an error or either one")
                .help("give the first superseded stage another `name` or `visibility`, or `hidden = true`"),
        );
    }
}
