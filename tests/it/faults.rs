//! One fault of a kind, and what an operator is told of it.
//!
//! Two families are new, and one request of the first upload or of what surrounds it goes wrong. Either it can be
//! repeated, and nobody notices, or its family fails alone and says why; nothing that tenants could see is ever wrong,
//! and once the cloud is well again the next apply finishes.

use gallerist::model::image::{Status, Visibility};
use gallerist::sandbox::{Effect, Fault, Service};
use jiff::SignedDuration;

use crate::support::stage::{DEBIAN, NEWER_DEBIAN, REGION, ROCKY, Stage};

/// How the run ends: with this code, saying this.
type End = (i32, &'static str);

const NOBODY_NOTICES: End = (0, "2 added");
const BOTH: [&str; 2] = ["public Debian 12 - Latest", "public Rocky Linux 9 - Latest"];

/// The fault happens to the first request of that method and path.
fn first(effect: Effect, method: &str, path: &str) -> Fault {
    Fault::new(effect).service(Service::Image).method(method).path(path).unwrap()
}

fn ends(fault: Fault, (code, text): End) {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let story = format!("{fault:?}");
    stage.world().inject(fault);
    let ended = stage.run(&["apply", "--auto-approve", "--parallelism", "1"]);
    assert_eq!(ended.code, Some(code), "{story}: {ended:?}");
    assert!(ended.says(text), "{story}: it must say `{text}`: {ended:?}");
    {
        let mut world = stage.world();
        world.heal();
        for image in world.region(REGION).unwrap().images().values() {
            let shown = image.visibility != Visibility::Private;
            assert!(!shown || image.status == Status::Active, "{story}: {image:?}");
        }
    }
    match code {
        // Nothing was changed.
        1 => assert_eq!(stage.names(), Vec::<String>::new(), "{story}"),
        // One family failed, and the other did not wait for it.
        5 => assert!(stage.names().iter().any(|name| BOTH.contains(&name.as_str())), "{story}: {:?}", stage.names()),
        _ => {}
    }
    stage.settle();
    assert_eq!(stage.names(), BOTH, "{story}");
}

#[test]
fn what_can_be_repeated_is_repeated() {
    for effect in [Effect::Status(429, Some(0)), Effect::Status(503, Some(0)), Effect::RevokedToken] {
        for (method, path) in [
            ("GET", "/v2/images"),
            ("POST", "/v2/metadefs/namespaces"),
            ("POST", "/v2/images"),
            ("GET", "/v2/images/*"),
            ("PATCH", "/v2/images/*"),
            ("DELETE", "/v2/metadefs/*"),
        ] {
            ends(first(effect.clone(), method, path), NOBODY_NOTICES);
        }
    }
    for effect in [Effect::Status(500, None), Effect::Status(502, None), Effect::ResetBefore, Effect::HalfBody] {
        ends(first(effect.clone(), "GET", "/v2/images"), NOBODY_NOTICES);
        ends(first(effect, "GET", "/v2/images/*"), NOBODY_NOTICES);
    }
}

#[test]
fn a_lost_answer_is_told_from_a_failure() {
    for effect in [Effect::ResetAfter, Effect::StatusAfter(500), Effect::StatusAfter(504)] {
        for (method, path) in [("POST", "/v2/images"), ("PUT", "/v2/images/*/file"), ("PATCH", "/v2/images/*")] {
            ends(first(effect.clone(), method, path), NOBODY_NOTICES);
        }
    }
}

#[test]
fn a_quota_that_is_full_fails_the_family_and_names_itself() {
    ends(first(Effect::Status(413, None), "POST", "/v2/images"), (5, "413"));
    ends(first(Effect::Status(413, None), "PUT", "/v2/images/*/file"), (5, "413"));
}

#[test]
fn a_policy_that_forbids_a_call_half_way_fails_the_family() {
    ends(first(Effect::Status(403, None), "POST", "/v2/images"), (5, "403"));
    ends(first(Effect::Status(403, None), "PUT", "/v2/images/*/file"), (5, "403"));
    ends(first(Effect::Status(403, None), "PATCH", "/v2/images/*"), (5, "403"));
}

#[test]
fn a_conflict_and_a_failing_service_fail_the_family() {
    for (status, named) in [(409, "409"), (500, "500"), (502, "502")] {
        ends(first(Effect::Status(status, None), "POST", "/v2/images"), (5, named));
        ends(first(Effect::Status(status, None), "PUT", "/v2/images/*/file"), (5, named));
    }
}

#[test]
fn a_list_that_cannot_be_read_changes_nothing() {
    for effect in [Effect::Status(500, None), Effect::ResetBefore, Effect::HalfBody] {
        ends(first(effect, "GET", "/v2/images").always(), (1, "GET /v2/images"));
    }
    ends(first(Effect::MalformedJson, "GET", "/v2/images"), (1, "GET /v2/images"));
    ends(first(Effect::Status(403, None), "GET", "/v2/images"), (1, "403"));
}

#[test]
fn a_clock_that_is_wrong_is_noticed_before_anything_is_asked() {
    for hours in [-2, 2, 24 * 400] {
        let stage = Stage::with(&[DEBIAN]);
        stage.world().set_keystone_ahead(SignedDuration::from_hours(hours));
        for words in [&["plan"][..], &["apply", "--auto-approve"]] {
            assert!(stage.run(words).with(1).says("set the clock"));
        }
        assert!(stage.world().requests().iter().all(|request| request.service == Service::Identity));
        stage.world().set_keystone_ahead(SignedDuration::from_mins(hours.signum() * 50));
        stage.settle();
    }
}

#[test]
fn bytes_that_never_arrive_are_waited_for_and_then_sent_again() {
    for (days, stuck) in [(0, false), (3, true)] {
        let stage = Stage::with(&[DEBIAN]);
        stage.settle();
        {
            let mut world = stage.world();
            let created = world.now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap();
            let region = world.region(REGION).unwrap();
            let mut image = region.images().values().next().unwrap().clone();
            image.id = "0f0f0f0f-0000-4000-8000-000000000000".to_owned();
            image.name = Some("Debian 12 (being uploaded)".to_owned());
            image.visibility = Visibility::Private;
            image.status = Status::Saving;
            image.protected = false;
            image.created_at = created;
            image
                .tags
                .retain(|tag| !tag.contains(":version=") && !tag.contains(":applied=") && !tag.contains(":digest="));
            image.tags.insert(format!("gallerist:version={}", NEWER_DEBIAN.2));
            region.insert_image(image);
        }
        stage.exhibit(&[NEWER_DEBIAN]);
        let ended = stage.run(&["apply", "--auto-approve"]).with(0);
        assert_eq!(ended.says("the image is saving"), !stuck, "{days}: {ended:?}");
        let latest = stage.id_of("Debian 12 - Latest");
        let version = format!("gallerist:version={}", NEWER_DEBIAN.2);
        let is_newest = stage.world().region(REGION).unwrap().image(&latest).unwrap().tags.contains(&version);
        assert_eq!(is_newest, stuck, "{days}: {:?}", stage.names());
        stage.settle();
        assert_eq!(
            stage.names().contains(&"private Debian 12 (being uploaded)".to_owned()),
            !stuck,
            "{:?}",
            stage.names()
        );
    }
}
