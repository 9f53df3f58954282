//! Several regions under one file.

use std::collections::BTreeSet;

use super::Scene;
use super::scene::{ONE, TWO};

const FAMILY: &str = "regions";

/// Name, visibility and date of upload of a version, as each region has them.
async fn appearances(scene: &Scene, version: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for session in [&scene.admin, &scene.admin_two] {
        let images = scene.images_of(session, FAMILY, version).await;
        let [image] = images.as_slice() else { panic!("one image of version {version}: {images:#?}") };
        let tags = image["tags"].as_array().into_iter().flatten().filter_map(|tag| tag.as_str());
        let uploaded = tags.filter_map(|tag| tag.strip_prefix("gallerist:uploaded=")).collect();
        let text = |key: &str| image[key].as_str().unwrap_or_default().to_owned();
        found.push((text("name"), text("visibility"), uploaded));
    }
    found
}

pub(crate) async fn two_regions_are_one_plan_and_one_download(scene: &Scene) {
    scene.want_on(scene.estate().admin, &[ONE, TWO], &[(FAMILY, "1")]);
    let plan = scene.gallerist(&["plan", "--format", "json"]).await;
    let document = plan.json();
    let changes = document["resource_changes"].as_array().expect("a plan has changes");
    let sites: BTreeSet<_> = changes.iter().filter_map(|change| change["gallerist"]["site"].as_str()).collect();
    assert_eq!((changes.len(), sites.len()), (2, 2), "one plan, two regions\n{plan}");
    scene.apply().await;
    assert_eq!(scene.downloads(FAMILY, "1"), 1);
    let first = appearances(scene, "1").await;
    assert_eq!(first[0], first[1]);
    assert_eq!((first[0].0.as_str(), first[0].1.as_str()), (scene.latest(FAMILY).as_str(), "public"));
    scene.settled().await;

    // A region that joins late takes the date at which the version was first uploaded anywhere; see the simulation.
    scene.want_on(scene.estate().admin, &[ONE, TWO], &[(FAMILY, "2")]);
    scene.apply().await;
    assert_eq!(scene.downloads(FAMILY, "2"), 1);
    let old = appearances(scene, "1").await;
    assert_eq!(old[0], old[1]);
    let dated = format!("{} - {}", scene.title(FAMILY), first[0].2);
    assert_eq!((old[0].0.as_str(), old[0].1.as_str()), (dated.as_str(), "community"));

    // The second region has no Nova that could say that nobody uses it.
    scene.apply().await;
    assert_eq!(scene.images_of(&scene.admin, FAMILY, "1").await.len(), 0);
    assert_eq!(scene.images_of(&scene.admin_two, FAMILY, "1").await.len(), 1);
    let (holds, plan) = scene.holds().await;
    let held: Vec<_> = holds.iter().map(|(_, operation, because)| (operation.as_str(), because.as_str())).collect();
    assert_eq!(held, [("delete", "usage_unknown")], "{plan}");
    assert!(holds[0].0.contains(TWO), "{plan}");
    scene.settled().await;
}
