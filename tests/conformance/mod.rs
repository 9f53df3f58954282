//! What gallerist promises an operator, played on a cloud: the same scenarios on the embedded one and on a real one.
//!
//! A scenario runs the real binary and looks at the cloud with other eyes: plain HTTP sessions of several users, and the
//! `openstack` client where there is one. It knows no cloud; an [`Estate`] says where one is and who may enter, and
//! `tests/it` and `tests/openstack` each bring theirs. Where both suites pass, the embedded cloud behaves like the real
//! one as far as gallerist can tell. This room refuses to know gallerist's library: what it asserts is what an operator sees.
//!
//! A [`Scene`] is the stage of one scenario: a catalogue, a mirror and names of its own, so that scenarios run side by side
//! in one cloud. It clears away what it made, also after a panic. A [`Relay`] stands before a service where a scenario has
//! to count requests or do something between two of them.
//!
//! To add a scenario: an `async fn(&Scene)` in a file here, and its line in [`conformance`].

pub(crate) mod adoption;
pub(crate) mod drift;
pub(crate) mod economy;
mod estate;
pub(crate) mod foreign;
pub(crate) mod imports;
pub(crate) mod interruption;
pub(crate) mod mortality;
pub(crate) mod presence;
pub(crate) mod private;
pub(crate) mod regions;
mod relay;
pub(crate) mod rights;
pub(crate) mod rotation;
mod run;
mod scene;
mod session;
pub(crate) mod snapshot;
pub(crate) mod trial;
pub(crate) mod usage;

pub(crate) use estate::Estate;
pub(crate) use run::Run;
pub(crate) use scene::Scene;
pub(crate) use session::{Service, Session};

/// Makes a test of every scenario, on the estate that an `async fn() -> Estate` opens.
macro_rules! conformance {
    ($open:path) => {
        crate::conformance::conformance!($open;
            rotation::a_new_version_takes_the_name_and_the_old_one_goes_when_nobody_uses_it,
            presence::the_public_name_is_never_missing,
            foreign::what_tenants_own_is_left_alone_and_blocks_nothing,
            foreign::a_foreign_public_image_of_that_name_holds_its_family_alone,
            private::a_member_keeps_an_image_of_its_own,
            rights::who_may_not_publish_shows_nothing,
            regions::two_regions_are_one_plan_and_one_download,
            imports::a_region_copies_what_another_one_has,
            imports::an_image_is_kept_in_the_store_that_is_asked_for,
            imports::glance_fetches_what_it_can_and_is_sent_the_rest,
            imports::a_failed_import_says_what_glance_says_and_leaves_nothing,
            imports::an_import_that_is_left_half_way_is_begun_anew,
            imports::a_qcow2_becomes_a_raw_disk_on_the_way,
            economy::a_plan_without_changes_makes_five_requests_however_many_images_there_are,
            interruption::two_applies_at_once_have_one_winner,
            interruption::an_apply_killed_during_an_upload_leaves_nothing_behind,
            interruption::an_apply_killed_between_the_halves_of_a_hand_over_is_finished,
            interruption::a_boot_test_that_was_killed_is_cleared_away,
            mortality::a_rotation_that_dies_at_any_request_is_finished,
            trial::what_does_not_boot_is_not_shown,
            usage::who_boots_from_a_condemned_version_keeps_it,
            adoption::what_was_made_by_hand_is_taken_over_and_keeps_its_id,
            drift::each_difference_alone_is_told_in_its_class,
            drift::an_old_version_that_was_deleted_while_in_use_is_missed,
            drift::all_differences_at_once_are_told_each_in_its_class,
            snapshot::a_plan_from_a_snapshot_is_the_plan_of_its_cloud,
            snapshot::a_twin_has_the_plan_of_its_cloud_and_can_be_applied,
        );
    };
    ($open:path; $($theme:ident::$scenario:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $scenario() {
            let estate = $open().await;
            crate::conformance::Scene::play(estate, stringify!($theme), crate::conformance::$theme::$scenario).await;
        })+
    };
}
pub(crate) use conformance;
