//! Random worlds, families, images, and what tenants may hang beside them.

use gallerist::model::desired::Audience;
use gallerist::model::image::{Status, Visibility};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use super::policies::Policy;
use super::world::{FamilySpec, Foreign, ImageSpec, Meddled, Part, Standing, UsageSpec, WantedSpec, WorldSpec};

/// Whole worlds, drawn at random.
pub(crate) fn worlds() -> impl Strategy<Value = WorldSpec> {
    (vec(families(), 1..=3), 1..=2_usize, policies(), weighted(0.3, 0..=3_usize))
        .prop_map(|(families, sites, retirement, max_deletes)| WorldSpec { families, sites, retirement, max_deletes })
}

fn policies() -> impl Strategy<Value = Policy> {
    select(&Policy::ALL[..])
}

fn families() -> impl Strategy<Value = FamilySpec> {
    let standing = prop_oneof![6 => Just(Standing::Listed), 3 => Just(Standing::Retired), 1 => Just(Standing::Moved)];
    let audience = prop_oneof![4 => Just(Audience::Everybody), 1 => Just(Audience::Project)];
    let wanted = prop_oneof![
        6 => (0..6_u8).prop_map(WantedSpec::Newest),
        1 => (0..4_u8).prop_map(WantedSpec::Republished),
        2 => (0..5_u8).prop_map(WantedSpec::Pinned),
        1 => (0..5_u8).prop_map(WantedSpec::OnlyOnCloud),
        1 => Just(WantedSpec::Unknown),
    ];
    let foreign = vec((0..2_usize, foreign()), 0..=2);
    (policies(), audience, standing, wanted, weighted(0.2, 0..5_u8), vec(images(), 0..=6), foreign).prop_map(
        |(policy, audience, standing, wanted, skip, images, foreign)| FamilySpec {
            policy,
            audience,
            standing,
            wanted,
            skip,
            images,
            foreign,
        },
    )
}

fn images() -> impl Strategy<Value = ImageSpec> {
    let days = || prop_oneof![0..3_u16, 50..70_u16, 360..370_u16];
    let part = prop_oneof![
        2 => Just(Part::Staged),
        1 => Just(Part::BootFailed),
        4 => Just(Part::Shown),
        6 => days().prop_map(Part::Superseded),
        1 => days().prop_map(Part::Condemned),
    ];
    let status = prop_oneof![8 => Just(Status::Active), 4 => select(Status::ALL)];
    let usage = prop_oneof![
        1 => Just(UsageSpec::Unasked),
        5 => Just(UsageSpec::Nobody),
        2 => Just(UsageSpec::Servers),
        1 => Just(UsageSpec::Unknown),
        1 => Just(UsageSpec::UsedAndUnknown),
    ];
    let meddled = prop_oneof![
        6 => Just(Meddled::No),
        1 => Just(Meddled::Renamed),
        1 => Just(Meddled::RenamedToLatest),
        2 => select(Visibility::ALL).prop_map(Meddled::Visibility),
        1 => Just(Meddled::Property),
        1 => Just(Meddled::Unsealed),
        1 => Just(Meddled::Undated),
    ];
    (0..2_usize, 0..5_u8, part, status, usage, meddled).prop_map(|(site, version, part, status, usage, meddled)| {
        ImageSpec { site, version, part, status, usage, meddled }
    })
}

/// What a tenant may do: everything but to make an image public.
pub(crate) fn tenant_images() -> impl Strategy<Value = Foreign> {
    let visibility = select(&[Visibility::Private, Visibility::Shared, Visibility::Community][..]);
    prop_oneof![visibility.prop_map(Foreign::Impostor), Just(Foreign::Snapshot)]
}

fn foreign() -> impl Strategy<Value = Foreign> {
    prop_oneof![5 => tenant_images(), 1 => Just(Foreign::PublicNamesake), 1 => Just(Foreign::Impostor(Visibility::Public))]
}
