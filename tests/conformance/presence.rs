//! The public name through many rotations, as a tenant who boots by name would look for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Scene;

const FAMILY: &str = "presence";
const ROTATIONS: usize = 20;

pub(crate) async fn the_public_name_is_never_missing(scene: &Scene) {
    let latest = scene.latest(FAMILY);
    scene.want(&[(FAMILY, "0")]);
    scene.apply().await;

    let over = AtomicBool::new(false);
    let rotate = async {
        for version in 1..=ROTATIONS {
            scene.want(&[(FAMILY, &version.to_string())]);
            scene.apply().await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let poll = async {
        let (mut looks, mut missing) = (0, 0);
        while !over.load(Ordering::Relaxed) {
            let found = scene.other.images(&[("name", &latest), ("visibility", "public")]).await;
            looks += 1;
            missing += usize::from(found.is_empty());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (looks, missing)
    };
    let ((), (looks, missing)) = tokio::join!(rotate, poll);
    assert_eq!(missing, 0, "of {looks} looks");
    assert!(looks > ROTATIONS, "{looks} looks cannot have seen {ROTATIONS} rotations");
    let found = scene.other.images(&[("name", &latest), ("visibility", "public")]).await;
    assert_eq!(found.len(), 1, "one image bears the name in the end: {found:#?}");
}
