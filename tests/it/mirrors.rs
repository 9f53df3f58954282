//! Mirrors that fail in every way, with images and with the lists that vouch for them: nothing is published that is not
//! whole and right, nothing is left behind, the message says what happened, a failure that passes is got over, everybody
//! else is served, and the next run heals.

use std::time::Duration;

use gallerist::sandbox::exhibition::{Edition, Exhibit, Exhibition};
use gallerist::sandbox::{Behaviour, Effect, Fault, Service};
use gallerist::transfer::Limits;
use gallerist::upstream::fetch::Patience;

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

/// The same for what is read of publishers.
fn impatient() -> Patience {
    Patience {
        bytes: 1 << 20,
        read: Duration::from_millis(250),
        retries: 3,
        pause: Duration::from_millis(1),
        ..Patience::default()
    }
}

/// What the apply says of the family whose mirror is bad, once it has done everything that must be true in any case.
async fn refusal(family: &str, harm: &dyn Fn(&Gallery, &Exhibit)) -> String {
    let gallery = Gallery::open().await;
    let exhibit = exhibit(family);
    harm(&gallery, &exhibit);
    let troubles = gallery.apply(hasty(), impatient()).await;
    assert_eq!(troubles.keys().collect::<Vec<_>>(), [family], "{troubles:?}");
    gallery.shows_only(Edition::First, |other| other.family != family);

    for path in [&exhibit.image, &exhibit.list] {
        gallery.world().behave(path, Behaviour::Serve);
    }
    gallery.publish(Edition::First);
    let troubles_since = gallery.apply(hasty(), impatient()).await;
    assert!(troubles_since.is_empty(), "{troubles_since:?}");
    gallery.shows_only(Edition::First, |_| true);
    troubles[family].clone()
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

/// How the mirror has answered for this path.
fn answers(gallery: &Gallery, path: &str) -> Vec<Option<u16>> {
    let path = format!("/mirror/{path}");
    gallery.world().requests().iter().filter(|request| request.path == path).map(|request| request.status).collect()
}

/// Whatever befalls the mirror for this path twice is got over.
async fn is_got_over(path: &str, effect: Effect) -> Vec<Option<u16>> {
    let gallery = Gallery::open().await;
    let fault = Fault::new(effect).service(Service::Mirror).path(&format!("/mirror/{path}")).unwrap();
    gallery.world().inject(fault.times(2));
    let troubles = gallery.apply(hasty(), impatient()).await;
    assert!(troubles.is_empty(), "{troubles:?}");
    gallery.shows_only(Edition::First, |_| true);
    answers(&gallery, path)
}

#[tokio::test]
async fn a_connection_that_is_cut_is_taken_up_again() {
    for family in FAMILIES {
        let answers = is_got_over(&exhibit(family).image, Effect::HalfBody).await;
        assert_eq!(answers, [Some(200), Some(206), Some(206)], "{family}");
    }
}

#[tokio::test]
async fn a_mirror_that_is_busy_is_asked_again() {
    for busy in [429, 500, 502, 503] {
        for path in [exhibit("debian-12").image, exhibit("rocky-9").list] {
            let answers = is_got_over(&path, Effect::Status(busy, Some(0))).await;
            assert_eq!(answers, [Some(busy), Some(busy), Some(200)], "{path}");
        }
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_is_read_again() {
    for effect in [Effect::HalfBody, Effect::ResetBefore] {
        assert_eq!(is_got_over(&exhibit("rocky-9").list, effect).await.len(), 3);
    }
}

/// Of the publishers' small files, too, nothing but the whole and right one is taken.
#[tokio::test]
async fn a_list_that_cannot_be_had_holds_its_family() {
    for (behaviour, part) in [
        (Behaviour::CutAfter(10), "cannot be read"),
        (Behaviour::StallAfter(10), "did not answer in time"),
        (Behaviour::Endless, "is larger than the 1048576 bytes that are read of it"),
        (Behaviour::Status(403, None), "answered 403"),
        (Behaviour::Status(404, None), "there is no "),
        (Behaviour::Status(429, None), "answered 429"),
        (Behaviour::Status(503, None), "answered 503"),
        (Behaviour::LoginPage, "answered with a web page instead of data"),
    ] {
        for family in ["rocky-9", "fedora-coreos-stable", "debian-12"] {
            let harm = |gallery: &Gallery, exhibit: &Exhibit| gallery.world().behave(&exhibit.list, behaviour.clone());
            says(&refusal(family, &harm).await, &[part]);
        }
    }
}

#[tokio::test]
async fn too_little_of_a_list_holds_its_family() {
    for family in ["rocky-9", "fedora-coreos-stable", "debian-12"] {
        let harm = |gallery: &Gallery, exhibit: &Exhibit| gallery.alter(&exhibit.list, |list| list.truncate(40));
        let message = refusal(family, &harm).await;
        assert!(message.contains("there is no ") || message.contains("cannot be understood"), "{message}");
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
        for family in FAMILIES {
            says(&refusal(family, &behaves(Behaviour::Status(status, retry_after))).await, &[part]);
        }
    }
}

#[tokio::test]
async fn a_login_page_is_no_image() {
    for family in FAMILIES {
        says(&refusal(family, &behaves(Behaviour::LoginPage)).await, &["an HTML page instead of an image"]);
    }
}
