//! The conformance suite on the embedded cloud.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use gallerist::sandbox::{Cell, Effect, Fault, Options, RegionOptions, Sandbox, Service, Services, Settings};

use crate::conformance::imports::glance_converts_what_it_imports;
use crate::conformance::usage::who_cannot_be_asked_keeps_everything;
use crate::conformance::{Estate, Scene, conformance};

async fn cloud() -> (Arc<Sandbox>, Estate) {
    let region = |name: &str, services| RegionOptions { name: name.to_owned(), services };
    let regions = vec![region("RegionOne", Services::All), region("RegionTwo", Services::ImageOnly)];
    let sandbox = Sandbox::start(Options { regions, ..Options::default() }).await.expect("there are free ports");
    let sandbox = Arc::new(sandbox);
    settings(&sandbox, "RegionOne", |glance| glance.stores = vec!["fast".to_owned(), "cheap".to_owned()]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let clouds = folder.path().join("clouds.yaml");
    std::fs::write(&clouds, sandbox.clouds_yaml()).expect("the folder is ours");
    let estate = Estate {
        clouds,
        admin: "sandbox-admin",
        member: "sandbox-demo",
        other: "sandbox-other",
        client: None,
        qemu_img: play_qemu_img,
        crowd: 2_000,
        hold: Box::new((folder, Arc::clone(&sandbox))),
    };
    (sandbox, estate)
}

/// A script that makes that disk, if it is asked as `qemu-img` is.
fn play_qemu_img(program: &Path, disk: &Path) {
    let asked = "[ \"$1 $2 $3 $4 $5 $6\" = 'convert -f qcow2 -O raw --' ] && [ -s \"$7\" ]";
    let script = format!("#!/bin/sh\n{asked} && exec /bin/cp '{}' \"$8\"\n", disk.display());
    std::fs::write(program, script).expect("the folder is ours");
    std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).expect("the folder is ours");
}

/// Changes how the Glance of a region takes bytes in.
fn settings(sandbox: &Sandbox, region: &str, change: impl FnOnce(&mut Settings)) {
    change(sandbox.world().region(region).expect("the estate has it").glance_settings());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_not_offered_holds_the_region_alone() {
    let (sandbox, estate) = cloud().await;
    settings(&sandbox, "RegionTwo", |glance| glance.import_methods = vec!["glance-direct".to_owned()]);
    let scenario = async |scene: &Scene| {
        let web = "[import]\nmethod = \"web-download\"";
        scene.configure(web);
        scene.want_on(scene.estate().admin, &["RegionOne", "RegionTwo"], &[("method", "1")]);
        let (held, plan) = scene.holds().await;
        let held: Vec<_> = held.iter().map(|(address, _, because)| (address.as_str(), because.as_str())).collect();
        assert_eq!(held, [("method/1@RegionTwo", "no_passage")], "{plan}");
        plan.answers("not offered there; it offers `upload`, `glance-direct`");
        // A record of the cloud knows it as well.
        scene.gallerist(&["snapshot", "-o", "cloud.json"]).await.exits(0);
        scene.gallerist(&["plan", "--snapshot", "cloud.json"]).await.answers("it offers `upload`, `glance-direct`");
        scene.apply().await;
        assert_eq!(scene.images_of(&scene.admin, "method", "1").await.len(), 1);
        assert_eq!(scene.images_of(&scene.admin_two, "method", "1").await.len(), 0);
    };
    Scene::play(estate, "method", scenario).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_fails_hurts_its_own_region_alone() {
    let (sandbox, estate) = cloud().await;
    let scenario = async |scene: &Scene| {
        let copy = "[import]\nmethod = [\"glance-download\", \"upload\"]";
        scene.configure(copy);
        scene.want_on(scene.estate().admin, &["RegionOne", "RegionTwo"], &[("copy", "1")]);
        // Glance reads the other region with the same rights, and finds nothing there: the task says little, the image less.
        let import = Fault::new(Effect::Meanwhile(Arc::new(|world| {
            let images = world.region("RegionOne").expect("the estate has it");
            let id = images.images().keys().next().expect("it has just been uploaded").clone();
            images.delete_image(&id);
        })));
        let import = import.service(Service::Image).method("POST").path("/v2/images/*/import").expect("a glob");
        sandbox.world().inject(import);
        let run = scene.gallerist(&["apply", "--auto-approve"]).await;
        assert!(run.to_string().contains("`glance-download` failed: Glance's task"), "{run}");
        assert_eq!(scene.images_of(&scene.admin_two, "copy", "1").await.len(), 0, "{run}");
        scene.apply().await;
        for session in [&scene.admin, &scene.admin_two] {
            assert_eq!(scene.images_of(session, "copy", "1").await.len(), 1);
        }
        scene.settled().await;
    };
    Scene::play(estate, "copy", scenario).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_that_fails_publishes_nothing() {
    let estate = Estate { qemu_img: break_qemu_img, ..open().await };
    let scenario = async |scene: &Scene| {
        scene.configure("[defaults]\ndisk_format = \"raw\"");
        scene.want_on(scene.estate().admin, &["RegionOne"], &[("broken", "1")]);
        scene.install_qemu_img("broken", "1");
        let run = scene.gallerist(&["apply", "--auto-approve"]).await;
        assert!(run.to_string().contains("`qemu-img` ended with exit status: 3: the disk is full"), "{run}");
        assert_eq!(scene.images_of(&scene.admin, "broken", "1").await.len(), 0, "{run}");
        assert_eq!(scene.left_in_scratch(), 0);
    };
    Scene::play(estate, "broken", scenario).await;
}

fn break_qemu_img(program: &Path, _disk: &Path) {
    std::fs::write(program, "#!/bin/sh\necho the disk is full >&2\nexit 3\n").expect("the folder is ours");
    std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).expect("the folder is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn glance_can_convert() {
    let (sandbox, estate) = cloud().await;
    let set = |conversion: Option<&str>| {
        settings(&sandbox, "RegionTwo", |glance| glance.conversion = conversion.map(str::to_owned));
    };
    let begin = || {
        set(Some("raw"));
        Back(|| set(None))
    };
    Scene::play(estate, "convert", async |scene| glance_converts_what_it_imports(scene, begin).await).await;
}
