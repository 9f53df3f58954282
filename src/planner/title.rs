//! What a family that has left the file is called.
//!
//! The problem: nobody says its title any more, and yet the name of a version may have to change once more. The idea:
//! the title still stands in the name, in the place a template gave it. Which template made the name is not on record,
//! and a template that is the bare title fits every name; so the shortest title that any of them finds is the title,
//! for it is the one with nothing around it left. What this does not solve: names that no template made.

use crate::model::lifecycle::Lifecycle;
use crate::model::template::{Facts, Template, Variable};

/// No name on a cloud was made with a higher rank than this.
const HIGHEST_RANK: usize = 100;

/// The title in a name that one of the lifecycle's templates made, perhaps with the version behind it.
pub(super) fn found_in(name: &str, lifecycle: &Lifecycle, facts: &Facts) -> Option<String> {
    let plain = name.strip_suffix(&format!(" ({})", facts.version)).unwrap_or(name);
    std::iter::once(&lifecycle.latest.name)
        .chain(lifecycle.superseded.iter().filter_map(|stage| stage.name.as_ref()))
        .flat_map(|template| titles(template, plain, facts))
        .min_by_key(|title| title.chars().count())
}

/// The rank that went into a name may have changed since.
fn titles(template: &Template, name: &str, facts: &Facts) -> Vec<String> {
    let ranks = if template.uses(Variable::Rank) { 1..=HIGHEST_RANK } else { facts.rank..=facts.rank };
    ranks.filter_map(|rank| template.title_in(name, &Facts { rank, ..facts.clone() })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::{Listing, Protection, Visibility};
    use crate::model::lifecycle::{Age, DeleteWhen, DeletionPolicy, LatestStage, SnapshotUse, SupersededStage};
    use crate::model::name::{FamilyName, VersionName};
    use crate::model::template::Moment;
    use std::collections::BTreeMap;

    fn lifecycle(latest: &str, superseded: &str) -> Lifecycle {
        Lifecycle {
            latest: LatestStage {
                name: Template::parse(latest).unwrap(),
                visibility: Visibility::Public,
                protection: Protection::Unprotected,
                listing: Listing::Listed,
                properties: BTreeMap::new(),
            },
            superseded: vec![SupersededStage {
                after: Age::zero(),
                name: Some(Template::parse(superseded).unwrap()),
                visibility: None,
                protection: None,
                listing: None,
                properties: BTreeMap::new(),
            }],
            deletion: DeletionPolicy {
                when: DeleteWhen::Never,
                after: Age::zero(),
                keep: 0,
                snapshots: SnapshotUse::Ignored,
            },
        }
    }

    #[test]
    fn a_title_is_found_under_whatever_was_put_around_it() {
        let facts = Facts {
            name: None,
            family: FamilyName::parse("debian-12").unwrap(),
            version: VersionName::parse("20261015").unwrap(),
            uploaded: Moment::Recorded(jiff::civil::date(2026, 10, 15)),
            superseded: Moment::Recorded(jiff::civil::date(2026, 11, 2)),
            built: Moment::Unknown,
            rank: 2,
        };
        for (latest, superseded, name) in [
            ("{name} - Latest", "{name} - {uploaded}", "Debian 12 - Latest"),
            ("{name} - Latest", "{name} - {uploaded}", "Debian 12 - 2026-10-15 (20261015)"),
            ("{name}", "{name}-{superseded}", "Debian 12-2026-11-02"),
            ("{name}_latest", "{name}_prev{n}", "Debian 12_prev1"),
            ("{name}_latest", "{name}_prev{n}", "Debian 12_prev12"),
        ] {
            assert_eq!(found_in(name, &lifecycle(latest, superseded), &facts).as_deref(), Some("Debian 12"), "{name}");
        }
        assert_eq!(found_in("by hand", &lifecycle("{name} - Latest", "{name} - {uploaded}"), &facts), None);
    }
}
