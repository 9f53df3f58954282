//! What does not boot is not shown, and what boots is.

use super::{Scene, Service};

const FAMILY: &str = "trial";

/// The boot test must see this on the console.
fn expecting(scene: &Scene, console: &str) {
    scene.configure(&format!(
        "[boot_test]\nflavor = \"m1.nano\"\nnetwork = \"none\"\ntimeout = \"4s\"\nconsole = \"{console}\"\n"
    ));
}

pub(crate) async fn what_does_not_boot_is_not_shown(scene: &Scene) {
    expecting(scene, ".");
    scene.want(&[(FAMILY, "1")]);
    scene.apply().await;
    let first = scene.image_of(FAMILY, "1").await;
    assert_eq!((&first["name"], &first["visibility"]), (&scene.latest(FAMILY).into(), &"public".into()));

    let nova = scene.relay(Service::Compute).await;
    let boots = || nova.take_requests().iter().filter(|request| request.ends_with("POST /v2.1/servers")).count();
    expecting(scene, "what no server prints");
    scene.want(&[(FAMILY, "2")]);
    scene.gallerist(&["apply", "--auto-approve"]).await.exits(5).answers("boot test");
    assert_eq!(boots(), 1);
    let second = scene.image_of(FAMILY, "2").await;
    assert_eq!(second["visibility"], "private");
    assert!(
        second["tags"].as_array().is_some_and(|tags| tags.contains(&"gallerist:boot-test=failed".into())),
        "{second}"
    );
    assert_eq!(scene.other.sees(second["id"].as_str().expect("an image has an id")).await, None);
    let servers = scene.admin.get(Service::Compute, "/servers?name=gallerist-boot-test-").await;
    let of_second = format!("gallerist-boot-test-{}", second["id"].as_str().unwrap_or_default());
    let left = servers["servers"].as_array().into_iter().flatten().any(|server| server["name"] == of_second.as_str());
    assert!(!left, "its server is removed: {servers}");

    // The same bytes are not tried again, and the plan says why there is nothing to do.
    let (holds, plan) = scene.holds().await;
    assert!(holds.iter().any(|(_, _, because)| because == "boot_test_failed"), "{plan}");
    scene.apply().await;
    assert_eq!(boots(), 0);
    let still = scene.image_of(FAMILY, "1").await;
    assert_eq!((&still["id"], &still["name"]), (&first["id"], &first["name"]));

    // The next version is.
    expecting(scene, ".");
    scene.want(&[(FAMILY, "3")]);
    scene.apply().await;
    scene.apply().await;
    let third = scene.image_of(FAMILY, "3").await;
    assert_eq!((&third["name"], &third["visibility"]), (&first["name"], &first["visibility"]));
    for gone in ["1", "2"] {
        assert_eq!(scene.images_of(&scene.admin, FAMILY, gone).await, Vec::<serde_json::Value>::new(), "{gone}");
    }
    scene.settled().await;
}
