//! The top of images.toml, and what its parts must not contradict each other in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::codes::Code;
use super::contents::{CloudEntry, Manifest};
use super::image::{self, Common};
use super::lifecycle::{self, Layer, Looks};
use super::reader::{Context, Table, Value, shown};
use super::settings;
use crate::model::desired::{Audience, Limits};
use crate::model::image::Visibility;
use crate::model::name::{CatalogueName, FamilyName};

/// Reads the whole file. What is wrong was reported to the context; then the answer means nothing.
pub(super) fn read(mut table: Table<'_>) -> Option<Manifest> {
    let context = table.context;
    let identity = table.need("catalogue").and_then(read_identity);
    let lifecycle_value = table.take("lifecycle");
    let catalogue = lifecycle_value.and_then(Layer::read).unwrap_or_default();
    let defaults_value = table.take("defaults");
    let defaults = defaults_value.and_then(Common::read_defaults).unwrap_or_default();
    let boot_test = table.take("boot_test").and_then(settings::read_boot_test);
    let import = table.take("import").and_then(settings::read_import);
    let limits = table.take("guards").and_then(settings::read_guards);
    let publishers = table.take("publisher").and_then(settings::read_publishers).unwrap_or_default();
    let moved_value = table.take("moved");
    let image_value = table.take("image");
    let listed = image_value.and_then(|value| value.list());

    let (audience, retirement) = lifecycle::combine(&catalogue, &defaults.looks, &Looks::default(), &Layer::default());
    if let Some(place) = lifecycle_value.or(defaults_value) {
        // A private default sets the catalogue's stages aside, so they are not to blame either.
        let applied =
            if catalogue.latest.visibility == Some(Visibility::Private) { &catalogue } else { &Layer::default() };
        lifecycle::check(audience, &retirement, applied, place.span(), context);
    }
    let images: Vec<image::Read> =
        listed.iter().flatten().filter_map(|value| image::read(*value, &catalogue, &defaults)).collect();
    check_families(&images, context);
    let moved = moved_value.and_then(|value| read_moved(value, &images)).unwrap_or_default();
    if image_value.is_none() || listed.is_some_and(|listed| listed.is_empty()) {
        context.report(
            context
                .diagnostic(Code::NoImages, table.span(), "the file names no images")
                .note("planning refuses it: an empty catalogue would mean that every managed image is retired")
                .help("add an `[[image]]`"),
        );
    }
    table.finish();

    let (catalogue, clouds) = identity?;
    Some(Manifest {
        file: context.file.clone(),
        catalogue: catalogue?,
        clouds,
        families: images.into_iter().filter_map(|read| read.spec).map(|spec| (spec.name.clone(), spec)).collect(),
        publishers,
        boot_test,
        import: import.unwrap_or_default(),
        limits: limits.unwrap_or(Limits { deletions: None }),
        moved,
        retirement,
    })
}

fn read_identity(value: Value<'_>) -> Option<(Option<CatalogueName>, Vec<CloudEntry>)> {
    let mut table = value.table("the catalogue")?;
    let name = table.need("name").and_then(|value| value.name(CatalogueName::parse));
    let clouds = table.take("clouds").and_then(read_clouds).unwrap_or_default();
    table.finish();
    Some((name, clouds))
}

fn read_clouds(value: Value<'_>) -> Option<Vec<CloudEntry>> {
    let elements = value.list()?;
    refuse_empty(value, &elements, "leave it out to use the one cloud of `--os-cloud` or the environment");
    let mut clouds = Vec::new();
    let mut seen = BTreeMap::new();
    for element in elements {
        let Some(mut table) = element.table("a cloud") else { continue };
        let cloud_value = table.need("cloud");
        let cloud = cloud_value.and_then(|value| value.site_word());
        let regions = table.take("regions").and_then(|value| {
            refuse_empty(value, &value.list()?, "leave it out to use the region that clouds.yaml names");
            value.distinct(|region| region.site_word())
        });
        table.finish();
        let (Some(cloud), Some(place)) = (cloud, cloud_value) else { continue };
        if let Some(first) = seen.insert(cloud.clone(), place.span()) {
            place.context.report(
                place
                    .diagnostic(Code::Twice, format!("the cloud `{cloud}` stands twice in `clouds`"))
                    .label("again here")
                    .related(first, "first here")
                    .help("write its regions into one entry"),
            );
        }
        clouds.push(CloudEntry { cloud, regions: regions.unwrap_or_default() });
    }
    Some(clouds)
}

fn refuse_empty(value: Value<'_>, elements: &[Value<'_>], help: &str) {
    if elements.is_empty() {
        value.context.report(
            value
                .diagnostic(Code::EmptyList, format!("`{}` is empty", value.key()))
                .label("nothing to work on")
                .help(help),
        );
    }
}

/// No family twice, and no public name twice.
fn check_families(images: &[image::Read], context: &Context) {
    let mut families: BTreeMap<&FamilyName, &Range<usize>> = BTreeMap::new();
    let mut names: BTreeMap<(&str, bool), (&FamilyName, &Range<usize>)> = BTreeMap::new();
    for read in images {
        let Some((family, span)) = &read.family else { continue };
        if let Some(first) = families.get(family) {
            context.report(
                context
                    .diagnostic(Code::Twice, span.clone(), format!("two images have the family `{family}`"))
                    .label("used again here")
                    .related((*first).clone(), "first used here"),
            );
            continue;
        }
        families.insert(family, span);
        let Some(latest) = &read.latest else { continue };
        let key = (latest.name.as_str(), latest.audience == Audience::Everybody);
        if let Some((first, first_span)) = names.get(&key) {
            let detail = format!("two images have the name \"{}\"", shown(&latest.name));
            context.report(
                context
                    .diagnostic(Code::SameName, latest.span.clone(), detail)
                    .label(format!("used again here by `{family}`"))
                    .related((*first_span).clone(), format!("first used here by `{first}`"))
                    .note("Glance would accept both, and whoever boots by name would get an error or either one"),
            );
        } else {
            names.insert(key, (family, &latest.span));
        }
    }
}

fn read_moved(value: Value<'_>, images: &[image::Read]) -> Option<BTreeMap<FamilyName, FamilyName>> {
    let families: BTreeSet<&FamilyName> =
        images.iter().filter_map(|read| read.family.as_ref()).map(|(family, _)| family).collect();
    let mut moved = BTreeMap::new();
    for element in value.list()? {
        let Some(mut table) = element.table("a move") else { continue };
        let (from_value, to_value) = (table.need("from"), table.need("to"));
        table.finish();
        let (Some(from_value), Some(to_value)) = (from_value, to_value) else { continue };
        let (Some(from), Some(to)) = (from_value.name(FamilyName::parse), to_value.name(FamilyName::parse)) else {
            continue;
        };
        let refuse = |place: Value<'_>, detail: String, label: &str| {
            place.context.report(place.diagnostic(Code::Moved, detail).label(label));
        };
        if families.contains(&from) {
            refuse(from_value, format!("`{from}` is still a family of this file"), "has not moved");
        } else if moved.contains_key(&from) {
            refuse(from_value, format!("`{from}` moves twice"), "moved before");
        }
        if !families.contains(&to) {
            refuse(to_value, format!("`{to}` is no family of this file"), "nothing to move to");
        }
        moved.insert(from, to);
    }
    Some(moved)
}
