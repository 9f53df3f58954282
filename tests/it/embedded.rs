//! The conformance suite on the embedded cloud.

use std::sync::Arc;

use gallerist::sandbox::{Cell, Effect, Fault, Options, RegionOptions, Sandbox, Service, Services};

use crate::conformance::usage::who_cannot_be_asked_keeps_everything;
use crate::conformance::{Estate, Scene, conformance};

async fn cloud() -> (Arc<Sandbox>, Estate) {
    let region = |name: &str, services| RegionOptions { name: name.to_owned(), services };
    let regions = vec![region("RegionOne", Services::All), region("RegionTwo", Services::ImageOnly)];
    let sandbox = Sandbox::start(Options { regions, ..Options::default() }).await.expect("there are free ports");
    let sandbox = Arc::new(sandbox);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let clouds = folder.path().join("clouds.yaml");
    std::fs::write(&clouds, sandbox.clouds_yaml()).expect("the folder is ours");
    let estate = Estate {
        clouds,
        admin: "sandbox-admin",
        member: "sandbox-demo",
        other: "sandbox-other",
        client: None,
        crowd: 2_000,
        hold: Box::new((folder, Arc::clone(&sandbox))),
    };
    (sandbox, estate)
}

async fn open() -> Estate {
    cloud().await.1
}

conformance!(open);

/// Does something when it goes out of scope.
struct Back<F: Fn()>(F);

impl<F: Fn()> Drop for Back<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cinder_that_does_not_answer_keeps_everything() {
    let (sandbox, estate) = cloud().await;
    let stop = || {
        sandbox.world().inject(Fault::new(Effect::ResetBefore).service(Service::BlockStorage).always());
        Back(|| sandbox.world().heal())
    };
    Scene::play(estate, "cinder", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nova_that_does_not_answer_keeps_everything() {
    let (sandbox, estate) = cloud().await;
    let stop = || {
        sandbox.world().inject(Fault::new(Effect::ResetBefore).service(Service::Compute).always());
        Back(|| sandbox.world().heal())
    };
    Scene::play(estate, "nova", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_is_down_keeps_everything() {
    let (sandbox, estate) = cloud().await;
    let set = |cell| sandbox.world().region("RegionOne").expect("the estate has it").set_cell(cell);
    let stop = || {
        set(Cell::Down);
        Back(|| set(Cell::Up))
    };
    Scene::play(estate, "cell", async |scene| who_cannot_be_asked_keeps_everything(scene, stop).await).await;
}
