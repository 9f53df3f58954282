//! A run that is killed at requests drawn at random, before the service has seen them and after it has done them.
//!
//! The embedded cloud is tried at every request elsewhere; this is the sample that a real cloud has time for. Whatever
//! the run had done when it died, a tenant finds the public name, and applying until nothing is left to do leads to what
//! the undisturbed rotation led to. `CRASHES=100` draws so many requests; what was drawn is part of every message.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::interruption::unlock;
use super::relay::{Moment, Relay};
use super::{Scene, Service};

const FAMILY: &str = "mortality";
/// The services whose requests are counted.
const SERVICES: [Service; 3] = [Service::Image, Service::Compute, Service::Volume];
/// What Glance writes differently each time.
const ITS_OWN: [&str; 7] = ["id", "self", "file", "created_at", "updated_at", "checksum", "os_hash_value"];

/// The catalogue without what differs from one version to the next.
async fn portrait(scene: &Scene) -> Vec<Value> {
    let mut images = scene.admin.images(&[("tag", &scene.mark()), ("visibility", "all")]).await;
    for image in &mut images {
        let Some(fields) = image.as_object_mut() else { continue };
        fields.retain(|key, _| !ITS_OWN.contains(&key.as_str()));
        let tags = fields["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // A tag is `gallerist:key=value`; which there are counts, and not what they say of this version.
        let mut keys: Vec<&str> = tags.map(|tag| tag.split('=').next().unwrap_or_default()).collect();
        keys.sort_unstable();
        fields["tags"] = keys.into();
    }
    images.sort_by_key(|image| image["name"].to_string());
    images
}

/// Applies until there is nothing to do; what the catalogue is then.
async fn settle(scene: &Scene, story: &str) -> Vec<Value> {
    for _ in 0..4 {
        if scene.apply().await.says("No changes.") {
            return portrait(scene).await;
        }
    }
    panic!("{story}: four runs, and still there is something to do: {:#?}", portrait(scene).await);
}

/// Starts an apply and kills it at the request of that number, counted over all relays; what that request was.
async fn die_at(scene: &Scene, relays: &[Relay], number: usize, moment: Moment) -> String {
    for relay in relays {
        relay.take_requests();
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let mut stops: Vec<_> = relays
        .iter()
        .map(|relay| {
            let seen = Arc::clone(&seen);
            relay.stop_at(moment, move |_, _| seen.fetch_add(1, Ordering::SeqCst) + 1 == number)
        })
        .collect();
    let mut run = scene.start(&["apply", "--auto-approve", "--parallelism", "1"]);
    {
        let arrivals = stops.iter_mut().map(|stop| Box::pin(stop.arrived()));
        let stopped = pin!(futures_util::future::select_all(arrivals));
        futures_util::future::select(stopped, pin!(run.is_over())).await;
    }
    run.kill().await;
    let last = relays.iter().filter_map(|relay| relay.take_requests().pop());
    last.collect::<Vec<_>>().join(" or ")
}

pub(crate) async fn a_rotation_that_dies_at_any_request_is_finished(scene: &Scene) {
    let draws = std::env::var("CRASHES").map_or(6, |text| text.parse().expect("CRASHES is a number"));
    let mut relays = Vec::new();
    for service in SERVICES {
        relays.push(scene.relay(service).await);
    }
    // The oldest version is in use all the time.
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let used = scene.image_of(FAMILY, "1").await["id"].as_str().expect("an image has an id").to_owned();
    scene.other.server(&scene.title(FAMILY), &used).await;
    for version in ["2", "3"] {
        scene.want(&[(FAMILY, version)]);
        scene.apply().await;
    }
    for relay in &relays {
        relay.take_requests();
    }
    // A rotation: a new version, the hand-over, and the deletion of what the last one has replaced.
    scene.want(&[(FAMILY, "4")]);
    scene.gallerist(&["apply", "--auto-approve", "--parallelism", "1"]).await.exits(0);
    let requests: usize = relays.iter().map(|relay| relay.take_requests().len()).sum();
    let undisturbed = settle(scene, "undisturbed").await;
    assert_eq!(undisturbed.len(), 2, "the latest, and what is in use: {undisturbed:#?}");

    let mut version = 4;
    for draw in 0..draws {
        // Something to delete, and something to replace it.
        version += 2;
        scene.want(&[(FAMILY, &(version - 1).to_string())]);
        scene.apply().await;
        scene.want(&[(FAMILY, &version.to_string())]);
        // One from each part of the run, so that a few draws reach all of it.
        let chance = usize::from(uuid::Uuid::new_v4().as_bytes()[0]);
        let number = 1 + (draw * requests + chance * requests / 256) / draws;
        let moment = if draw % 2 == 0 { Moment::Before } else { Moment::After };
        let request = die_at(scene, &relays, number, moment).await;
        let story = format!("killed at request {number} of {requests}, {moment:?}: {request}");
        let public = scene.other.images(&[("name", &scene.latest(FAMILY)), ("visibility", "public")]).await;
        assert!(!public.is_empty(), "{story}: nobody bears the public name");
        if scene.is_locked().await {
            unlock(scene).await;
        }
        assert_eq!(settle(scene, &story).await, undisturbed, "{story}");
        assert!(scene.admin.sees(&used).await.is_some(), "{story}: what is in use is gone");
    }
}
