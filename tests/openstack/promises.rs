//! The conformance suite on the real cloud.

use std::path::Path;

use crate::conformance::imports::glance_converts_what_it_imports;
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
        qemu_img: link_qemu_img,
        crowd: 200,
        hold: Box::new(hold),
    }
}

/// The program itself, which `tests/openstack/up` sees to.
fn link_qemu_img(program: &Path, _disk: &Path) {
    let path = std::env::var_os("PATH").expect("a shell sets it");
    let found = std::env::split_paths(&path).map(|folder| folder.join("qemu-img")).find(|file| file.is_file());
    std::os::unix::fs::symlink(found.expect("`up` installs qemu-utils"), program).expect("the folder is ours");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn glance_can_convert() {
    let cloud = Cloud::alone().await;
    let begin = || cloud.with_conversion_in_region_two();
    Scene::play(estate(()), "convert", async |scene| glance_converts_what_it_imports(scene, begin).await).await;
}
