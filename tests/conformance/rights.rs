//! Somebody who may not do what the file asks for.

use super::{Scene, scene::ONE};

const FAMILY: &str = "rights";

pub(crate) async fn who_may_not_publish_shows_nothing(scene: &Scene) {
    scene.want_on(scene.estate().member, &[ONE], &[(FAMILY, "1")]);
    // The image is uploaded, and then nobody lets it be seen. However often that is tried, there is one.
    for _ in 0..2 {
        scene.gallerist(&["apply", "--auto-approve"]).await.exits(5).answers("403");
    }
    let found = scene.images_of(&scene.member, FAMILY, "1").await;
    let [image] = found.as_slice() else { panic!("one image: {found:#?}") };
    assert_eq!(image["visibility"], "private");
    assert_eq!(scene.other.sees(image["id"].as_str().expect("an image has an id")).await, None);
    assert_eq!(scene.other.images(&[("name", &scene.latest(FAMILY))]).await.len(), 0);
}
