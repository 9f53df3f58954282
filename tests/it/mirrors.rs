//! Mirrors that fail in every way while an image is downloaded: nothing of it is ever published, nothing is left behind,
//! the message says what happened, everybody else is served, and the next run heals.

use std::time::Duration;

use gallerist::apply::machine::Outcome;
use gallerist::sandbox::exhibition::{Edition, Exhibit, Exhibition};
use gallerist::sandbox::{Behaviour, Effect, Fault, Service};
use gallerist::transfer::Limits;

use super::support::gallery::Gallery;

/// Bounds that are reached soon: silence ends after a quarter of a second, and no image may have more than 1 MiB.
fn hasty() -> Limits {
    Limits {
        bytes: 1 << 20,
        stall: Duration::from_millis(250),
        retries: 3,
        backoff: Duration::from_millis(1),
        ..Limits::default()
    }
}

/// A family whose publisher states the image's size, one whose publisher does not, and one whose image is compressed.
const FAMILIES: [&str; 3] = ["ubuntu-24.04", "debian-12", "fedora-coreos-stable"];

fn exhibit(family: &str) -> Exhibit {
    Exhibition::newest(Edition::First).into_iter().find(|exhibit| exhibit.family == family).unwrap()
}

/// What the apply says of the family whose mirror is bad, once it has done everything that must be true in any case.
async fn refusal(family: &str, harm: &dyn Fn(&Gallery, &Exhibit)) -> String {
    let gallery = Gallery::open().await;
    let exhibit = exhibit(family);
    harm(&gallery, &exhibit);
    let outcomes = gallery.apply(hasty()).await;
    let address = format!("{}/{}", exhibit.family, exhibit.version);
    let Some(Outcome::Failed(failure)) = outcomes.get(&address) else {
        panic!("{address} should have failed: {outcomes:?}");
    };
    gallery.shows_only(Edition::First, |other| other.family != family);

    gallery.world().behave(&exhibit.image, Behaviour::Serve);
    gallery.publish(Edition::First);
    gallery.apply(hasty()).await;
    gallery.shows_only(Edition::First, |_| true);
    failure.message.clone()
}

fn behaves(behaviour: Behaviour) -> impl Fn(&Gallery, &Exhibit) {
    move |gallery, exhibit| gallery.world().behave(&exhibit.image, behaviour.clone())
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in `{message}`");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_is_taken_up_again() {
    for family in FAMILIES {
        let gallery = Gallery::open().await;
        let image = exhibit(family).image;
        let half = Fault::new(Effect::HalfBody).service(Service::Mirror).path(&format!("/mirror/{image}")).unwrap();
        gallery.world().inject(half.times(2));
        let outcomes = gallery.apply(hasty()).await;
        assert!(outcomes.values().all(|outcome| matches!(outcome, Outcome::Done(_))), "{outcomes:?}");
        gallery.shows_only(Edition::First, |_| true);
        let world = gallery.world();
        let asked = world.requests().iter().filter(|request| request.path == format!("/mirror/{image}"));
        let answers: Vec<_> = asked.map(|request| request.status).collect();
        assert_eq!(answers, [Some(200), Some(206), Some(206)], "{family}");
    }
}

#[tokio::test]
async fn a_mirror_that_cuts_every_connection_is_given_up() {
    for family in FAMILIES {
        let message = refusal(family, &behaves(Behaviour::CutAfter(100))).await;
        says(&message, &["broke off after 400 bytes"]);
    }
}

#[tokio::test]
async fn a_mirror_that_falls_silent_is_given_up() {
    for family in FAMILIES {
        let message = refusal(family, &behaves(Behaviour::StallAfter(100))).await;
        says(&message, &["broke off after 400 bytes: nothing came for 0.25 s"]);
    }
}

#[tokio::test]
async fn other_bytes_are_refused() {
    for family in FAMILIES {
        let message = refusal(family, &|gallery, exhibit| {
            gallery.alter(&exhibit.image, |image| {
                let middle = image.len() / 2;
                image[middle] ^= 1;
            });
        })
        .await;
        // A compressed image may break before its digest is known.
        assert!(message.contains("not the published ones") || message.contains("cannot be decompressed"), "{message}");
    }
}

#[tokio::test]
async fn too_few_bytes_are_refused() {
    let published = exhibit("ubuntu-24.04").stored.len();
    for (family, part) in [
        ("ubuntu-24.04", format!("has {} bytes where {published} were published", published - 20).as_str()),
        ("debian-12", "not the published ones"),
        ("fedora-coreos-stable", "cannot be decompressed as `xz`"),
    ] {
        let message = refusal(family, &|gallery, exhibit| {
            gallery.alter(&exhibit.image, |image| image.truncate(image.len() - 20));
        })
        .await;
        says(&message, &[part]);
    }
}

#[tokio::test]
async fn endless_bytes_are_refused() {
    let published = exhibit("ubuntu-24.04").stored.len();
    for (family, part) in [
        ("ubuntu-24.04", format!("has more bytes than the {published} that were published").as_str()),
        ("debian-12", "more than the 1048576 bytes that are allowed"),
        ("fedora-coreos-stable", "more than the 1048576 bytes that are allowed"),
    ] {
        says(&refusal(family, &behaves(Behaviour::Endless)).await, &[part]);
    }
}

#[tokio::test]
async fn a_mirror_that_says_no_is_believed() {
    for (status, retry_after, part) in [
        (404, None, "answered 404: the file is not there"),
        (429, Some(3600), "answered 429: it is asked too often"),
        (503, None, "answered 503: the mirror has a failure of its own"),
    ] {
        says(&refusal("ubuntu-24.04", &behaves(Behaviour::Status(status, retry_after))).await, &[part]);
    }
}

#[tokio::test]
async fn a_login_page_is_no_image() {
    for family in FAMILIES {
        says(&refusal(family, &behaves(Behaviour::LoginPage)).await, &["an HTML page instead of an image"]);
    }
}
