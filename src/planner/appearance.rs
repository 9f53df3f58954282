//! What an image should look like in its part.
//!
//! The problem: "manage every attribute" and "leave what is not ours" are both demanded, of different parts of an
//! image's life. The idea: the *latest* version is made to look exactly as images.toml says, save properties that
//! services write or the file ignores; a *superseded* version keeps what it had, save what its stage names. What this
//! does not solve: properties that somebody changed on a superseded version; nothing on record says what they were, so
//! `drift` reports them and nobody repairs them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::desired::{Audience, Family};
use crate::model::image::{Attributes, Visibility};
use crate::model::lifecycle::SupersededStage;
use crate::model::operation::{is_service_property, sealed, whole_gib, without_run_date};
use crate::model::ours::{Marks, SUPERSEDED, UPLOADED, is_mark};
use crate::model::template::Facts;

/// Attributes twice: as they will be, and as they enter the plan's id.
pub(super) struct Look {
    pub(super) after: Attributes,
    pub(super) stable: Attributes,
}

/// A name twice: as it will be, and as it enters the plan's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) stable: String,
}

/// The name that a superseded version gets from its stage, if that says anything.
pub(super) fn stage_name(stage: &SupersededStage, facts: &Facts) -> Option<Name> {
    let template = stage.name.as_ref()?;
    Some(Name { text: template.render(facts)?, stable: template.render(&facts.without_run_dates())? })
}

/// The latest version. `found` is the image as it is, if there is one, with the size of the disk inside.
pub(super) fn latest(family: &Family, marks: &Marks, facts: &Facts, found: Option<(&Attributes, Option<u64>)>) -> Look {
    let stage = &family.lifecycle.latest;
    let mut properties = family.properties.clone();
    properties.extend(stage.properties.clone());
    let mut tags = BTreeSet::new();
    let mut min_disk = family.min_disk.unwrap_or_default();
    if let Some((found, virtual_size)) = found {
        properties.extend(
            found
                .properties
                .iter()
                .filter(|(name, _)| is_service_property(name) || is_ignored(name, &family.ignored_properties))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        tags.extend(found.tags.iter().filter(|tag| !is_mark(tag)).cloned());
        min_disk = family.min_disk.or(virtual_size.map(whole_gib)).unwrap_or(found.min_disk);
    }
    let with_name = |name: String| Attributes {
        name,
        visibility: match family.audience {
            Audience::Everybody => stage.visibility,
            Audience::Project => Visibility::Private,
        },
        protection: stage.protection,
        listing: stage.listing,
        min_disk,
        min_ram: family.min_ram,
        properties: properties.clone(),
        tags: tags.clone(),
    };
    // The title of a family in the file is always known.
    let name = |facts: &Facts| stage.name.render(facts).unwrap_or_else(|| family.title.clone());
    look(with_name(name(facts)), with_name(name(&facts.without_run_dates())), marks, facts)
}

/// A superseded version: what its stage names over what it has. It is never made wider than `widest`.
///
/// What a project has for itself alone it may still share: with whom is its own business, and the deletion waits for it.
pub(super) fn superseded(
    found: &Attributes,
    stage: &SupersededStage,
    name: Option<Name>,
    widest: Visibility,
    marks: &Marks,
    facts: &Facts,
) -> Look {
    let mut properties: BTreeMap<_, _> = found.properties.clone();
    properties.extend(stage.properties.clone());
    let visibility = if (widest, found.visibility) == (Visibility::Private, Visibility::Shared) {
        Visibility::Shared
    } else {
        stage.visibility.unwrap_or(found.visibility).min(widest)
    };
    let with_name = |name: Option<String>| Attributes {
        name: name.unwrap_or_else(|| found.name.clone()),
        visibility,
        protection: stage.protection.unwrap_or(found.protection),
        listing: stage.listing.unwrap_or(found.listing),
        min_disk: found.min_disk,
        min_ram: found.min_ram,
        properties: properties.clone(),
        tags: found.tags.clone(),
    };
    let (text, stable) = name.map(|name| (name.text, name.stable)).unzip();
    look(with_name(text), with_name(stable), marks, facts)
}

fn look(after: Attributes, stable: Attributes, marks: &Marks, facts: &Facts) -> Look {
    let after = sealed(after, marks);
    let mut stable = sealed(stable, marks);
    without_run_date(&mut stable.tags, UPLOADED, facts.uploaded);
    without_run_date(&mut stable.tags, SUPERSEDED, facts.superseded);
    Look { after, stable }
}

/// The names of the attributes in which two looks differ; marks left out.
pub(super) fn differences(before: &Attributes, after: &Attributes) -> Vec<String> {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = before;
    let mut differing: Vec<String> = [
        ("name", name != &after.name),
        ("visibility", visibility != &after.visibility),
        ("protected", protection != &after.protection),
        ("os_hidden", listing != &after.listing),
        ("min_disk", min_disk != &after.min_disk),
        ("min_ram", min_ram != &after.min_ram),
        ("tags", !tags.iter().filter(|tag| !is_mark(tag)).eq(after.tags.iter().filter(|tag| !is_mark(tag)))),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(name, _)| name.to_owned())
    .collect();
    let keys: BTreeSet<_> = properties.keys().chain(after.properties.keys()).collect();
    differing.extend(keys.into_iter().filter(|key| properties.get(*key) != after.properties.get(*key)).cloned());
    differing
}

/// The widest a superseded version may become. One that was for its project alone stays so whatever any stage says,
/// and a family that left the file is never shown to more people than before.
pub(super) fn widest(family: Option<&Family>, marks: &Marks, found: &Attributes) -> Visibility {
    match (family.map(|family| family.audience), marks.audience) {
        (Some(Audience::Project), _) | (_, Audience::Project) => Visibility::Private,
        (Some(Audience::Everybody), Audience::Everybody) => Visibility::Public,
        (None, Audience::Everybody) => found.visibility,
    }
}

pub(super) fn is_ignored(name: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    })
}
