//! `[[image]]` and `[defaults]`: families.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::codes::Code;
use super::contents::{FamilySpec, Source};
use super::lifecycle::{self, Layer, Looks};
use super::reader::{Table, Value, shown};
use super::source;
use crate::model::desired::Audience;
use crate::model::lifecycle::Lifecycle;
use crate::model::name::{FamilyName, ImageName, VersionName};
use crate::model::source::Architecture;
use crate::model::template::{Facts, Moment};
use crate::model::version::DiskFormat;

/// Glance keeps both minimums in a signed 32-bit column.
const LARGEST_MINIMUM: u64 = i32::MAX as u64;

/// What Glance can be asked to hold: the two formats that its stores serve without conversion.
const STORED_FORMATS: [DiskFormat; 2] = [DiskFormat::Qcow2, DiskFormat::Raw];

/// What `[defaults]` and `[[image]]` may both say.
#[derive(Debug, Clone, Default)]
pub(super) struct Common {
    pub(super) looks: Looks,
    architecture: Option<Architecture>,
    min_disk: Option<u64>,
    min_ram: Option<u64>,
    properties: BTreeMap<String, String>,
    ignored_properties: Option<Vec<String>>,
    disk_format: Option<DiskFormat>,
}

impl Common {
    /// Reads `[defaults]`.
    pub(super) fn read_defaults(value: Value<'_>) -> Option<Self> {
        let mut table = value.table("the defaults")?;
        let common = Self::read(&mut table);
        table.finish();
        Some(common)
    }

    fn read(table: &mut Table<'_>) -> Self {
        Self {
            looks: Looks::read(table),
            architecture: table
                .take("architecture")
                .and_then(|value| value.word(Architecture::ALL, Architecture::name)),
            min_disk: table
                .take("min_disk")
                .and_then(|value| value.whole("a whole number of GiB", 0..=LARGEST_MINIMUM)),
            min_ram: table.take("min_ram").and_then(|value| value.whole("a whole number of MiB", 0..=LARGEST_MINIMUM)),
            properties: table.take("properties").and_then(|value| value.properties()).unwrap_or_default(),
            ignored_properties: table
                .take("ignore_properties")
                .and_then(|value| value.distinct(|pattern| pattern.property_pattern())),
            disk_format: table.take("disk_format").and_then(|value| value.word(&STORED_FORMATS, DiskFormat::name)),
        }
    }

    fn over(self, defaults: &Self) -> Self {
        let mut properties = defaults.properties.clone();
        properties.extend(self.properties);
        Self {
            looks: self.looks,
            architecture: self.architecture.or(defaults.architecture),
            min_disk: self.min_disk.or(defaults.min_disk),
            min_ram: self.min_ram.or(defaults.min_ram),
            properties,
            ignored_properties: self.ignored_properties.or_else(|| defaults.ignored_properties.clone()),
            disk_format: self.disk_format.or(defaults.disk_format),
        }
    }
}

/// A family and the places in the file that later checks speak of.
pub(super) struct Read {
    pub(super) family: Option<(FamilyName, Range<usize>)>,
    pub(super) latest: Option<LatestName>,
    pub(super) spec: Option<FamilySpec>,
}

/// The name that tenants see, where everything it is made of could be read.
pub(super) struct LatestName {
    pub(super) name: String,
    pub(super) audience: Audience,
    pub(super) span: Range<usize>,
}

/// Reads one `[[image]]`.
pub(super) fn read(value: Value<'_>, catalogue: &Layer, defaults: &Common) -> Option<Read> {
    let mut table = value.table("an image")?;
    let context = table.context;
    let span = table.span();
    let family_value = table.need("family");
    let family = family_value.and_then(|value| value.name(FamilyName::parse));
    let title_value = table.need("name");
    let title = title_value.and_then(|value| value.title());
    let source_value = table.need("source");
    let own_value = table.take("lifecycle");
    let own = own_value.and_then(Layer::read).unwrap_or_default();
    let common = Common::read(&mut table).over(defaults);
    let pin_value = table.take("pin");
    let pin = pin_value.and_then(|value| value.name(VersionName::parse));
    let skip_value = table.take("skip");
    let skip = skip_value.and_then(|value| value.distinct(|version| version.name(VersionName::parse)));
    let skip = BTreeSet::from_iter(skip.unwrap_or_default());
    table.finish();
    let source = source_value.and_then(source::read);
    check_skipped(&skip, skip_value, pin.as_ref().zip(pin_value), source.as_ref());

    let (audience, lifecycle) = lifecycle::combine(catalogue, &defaults.looks, &common.looks, &own);
    // What the catalogue's own lifecycle gets wrong is reported there, once.
    if let Some(place) = own_value.map(|value| value.span()).or_else(|| common.looks.visibility.map(|_| span.clone())) {
        lifecycle::check(audience, &lifecycle, &own, place, context);
    }
    let latest = match (&title, &family, title_value) {
        (Some(title), Some(family), Some(place)) => {
            let name = check_names(&lifecycle, &example(title, family), place);
            Some(LatestName { name, audience, span: place.span() })
        }
        _ => None,
    };
    let spec = match (&family, title, source) {
        (Some(name), Some(title), Some(source)) => Some(FamilySpec {
            name: name.clone(),
            title,
            source,
            architecture: common.architecture.unwrap_or(Architecture::X86_64),
            audience,
            pin,
            skip,
            lifecycle,
            min_disk: common.min_disk,
            min_ram: common.min_ram.unwrap_or(0),
            properties: common.properties,
            ignored_properties: common.ignored_properties.unwrap_or_default(),
            disk_format: common.disk_format,
            span,
        }),
        _ => None,
    };
    Some(Read { family: family.zip(family_value.map(|value| value.span())), latest, spec })
}

/// A version that must never be shown can be neither pinned nor the only one of its source.
fn check_skipped(
    skip: &BTreeSet<VersionName>,
    skip_value: Option<Value<'_>>,
    pin: Option<(&VersionName, Value<'_>)>,
    source: Option<&Source>,
) {
    let Some(skip_value) = skip_value else { return };
    if let Some((version, place)) = pin.filter(|(version, _)| skip.contains(version)) {
        place.context.report(
            place
                .diagnostic(Code::PinnedAndSkipped, format!("`{version}` is both pinned and skipped"))
                .label("must be the latest")
                .related(skip_value.span(), "must never be shown"),
        );
    }
    if let Some(Source::Url { version, .. } | Source::File { version, .. }) = source
        && skip.contains(version)
    {
        skip_value.context.report(
            skip_value
                .diagnostic(Code::PinnedAndSkipped, format!("`{version}` is skipped, and the source has no other"))
                .label("must never be shown"),
        );
    }
}

/// Reports a template that makes a name which Glance refuses; yields the name of the latest.
fn check_names(lifecycle: &Lifecycle, facts: &Facts, place: Value<'_>) -> String {
    let stages = lifecycle.superseded.iter().filter_map(|stage| stage.name.as_ref());
    for template in std::iter::once(&lifecycle.latest.name).chain(stages) {
        if let Err(refusal) = ImageName::parse(template.render(facts).unwrap_or_default()) {
            place.context.report(
                place
                    .diagnostic(
                        Code::ImageName,
                        format!("the name made of `{}` cannot be used", shown(template.source())),
                    )
                    .label(refusal.rule),
            );
            break;
        }
    }
    lifecycle.latest.name.render(facts).unwrap_or_default()
}

/// Facts to try a template with: every family gets the same ones, apart from its own names.
fn example(title: &str, family: &FamilyName) -> Facts {
    let day = Moment::Recorded(jiff::civil::date(2026, 10, 15));
    Facts {
        name: Some(title.to_owned()),
        family: family.clone(),
        version: VersionName::parse("20261015").expect("digits are a version"),
        uploaded: day,
        superseded: day,
        built: day,
        rank: 1,
    }
}
