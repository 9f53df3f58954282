//! The conformance suite on the real cloud.

use crate::conformance::usage::who_cannot_be_asked_keeps_everything;
use crate::conformance::{Estate, Scene, conformance};
use crate::support::{Cloud, clouds, openstack};

/// The real cloud as a place for scenarios, for as long as what is held is held.
pub(crate) fn estate(hold: impl std::any::Any + Send + Sync) -> Estate {
    Estate {
        clouds: clouds(),
        admin: "lab-admin",
        member: "lab-user",
        other: "lab-other",
        client: Some(openstack),
        crowd: 200,
        hold: Box::new(hold),
    }
}

async fn open() -> Estate {
    estate(Cloud::shared().await)
}

conformance!(open);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cinder_that_does_not_answer_keeps_everything() {
    let cloud = Cloud::alone().await;
    let stop = || cloud.without("cinder");
    Scene::play(estate(()), "cinder", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nova_that_does_not_answer_keeps_everything() {
    let cloud = Cloud::alone().await;
    let stop = || cloud.without("nova");
    Scene::play(estate(()), "nova", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_is_down_keeps_everything() {
    let cloud = Cloud::alone().await;
    let stop = || cloud.without_second_cell();
    Scene::play(estate(()), "cell", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}
