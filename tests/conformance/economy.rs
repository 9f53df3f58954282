//! What a look at the catalogue costs the services.

use futures_util::StreamExt as _;
use serde_json::json;

use super::{Scene, Service};

const FAMILIES: usize = 20;
/// At most so many requests after authentication.
const BUDGET: usize = 5;

pub(crate) async fn a_plan_without_changes_makes_five_requests_however_many_images_there_are(scene: &Scene) {
    let families: Vec<String> = (1..=FAMILIES).map(|number| format!("economy-{number}")).collect();
    let families: Vec<(&str, &str)> = families.iter().map(|family| (family.as_str(), "1")).collect();
    scene.want(&families);
    scene.apply().await;

    let mut relays = Vec::new();
    for service in [Service::Image, Service::Compute, Service::Volume] {
        relays.push(scene.relay(service).await);
    }
    let requests = async || {
        scene.settled().await;
        let mut requests: Vec<_> = relays.iter().flat_map(super::relay::Relay::take_requests).collect();
        requests.sort_unstable();
        requests
    };
    let alone = requests().await;
    assert!((1..=BUDGET).contains(&alone.len()), "{alone:#?}");
    let crowd = (0..scene.estate().crowd)
        .map(|_| scene.admin.record(json!({"name": scene.latest("foreign"), "visibility": "public"})));
    futures_util::stream::iter(crowd).buffer_unordered(8).for_each(|_| std::future::ready(())).await;
    assert_eq!(requests().await, alone, "foreign images cost nothing");
}
