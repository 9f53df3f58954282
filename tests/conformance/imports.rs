//! How bytes come to a site: by which method, into which store, from where, and in which format.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::scene::{ONE, TWO};
use super::{Scene, Service, Session};

const FAMILY: &str = "imports";

/// What a plan says of the way to a region; null where it is a plain upload, or where nothing is created there.
async fn way(scene: &Scene, region: &str) -> Value {
    let plan = scene.gallerist(&["plan", "--format", "json"]).await;
    plan.exits(0);
    let document = plan.json();
    let changes = document["resource_changes"].as_array().cloned().unwrap_or_default();
    let created = |change: &Value| change["change"]["actions"] == json!(["create"]);
    let there = changes.into_iter().find(|change| change["gallerist"]["site"] == region && created(change));
    there.map_or(Value::Null, |change| change["gallerist"]["import"].clone())
}

/// The only image of a version in a region, which everybody sees there.
async fn shown(scene: &Scene, session: &Session, version: &str) -> Value {
    let images = scene.images_of(session, FAMILY, version).await;
    let [image] = images.as_slice() else { panic!("one image of version {version}: {images:#?}") };
    assert_eq!((&image["status"], &image["visibility"]), (&json!("active"), &json!("public")), "{image:#}");
    image.clone()
}

fn tag<'a>(image: &'a Value, key: &str) -> Option<&'a str> {
    let mut tags = image["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let prefix = format!("gallerist:{key}=");
    tags.find_map(|tag| tag.strip_prefix(prefix.as_str()))
}

/// The image holds these bytes, in this format, and says so.
#[track_caller]
fn holds(image: &Value, bytes: &[u8], disk_format: &str) {
    let digest = hex::encode(Sha512::digest(bytes));
    assert_eq!(image["os_hash_value"], digest.as_str(), "{image:#}");
    assert_eq!(image["disk_format"], disk_format, "{image:#}");
    assert_eq!(image["min_disk"], 1, "{image:#}");
    assert_eq!(tag(image, "digest"), Some(format!("sha512:{digest}").as_str()), "{image:#}");
}

pub(crate) async fn a_region_copies_what_another_one_has(scene: &Scene) {
    let tables = "[import]\nmethod = [\"glance-download\", \"upload\"]";
    let admin = scene.estate().admin;
    scene.configure(tables);
    scene.want_on(admin, &[ONE, TWO], &[(FAMILY, "1")]);
    let (first, second) = (way(scene, ONE).await, way(scene, TWO).await);
    assert_eq!(first, Value::Null, "the first region has nobody to copy from");
    assert_eq!((&second["method"], &second["copied_from"]), (&json!("glance-download"), &json!(ONE)), "{second:#}");
    let part = scene.gallerist(&["plan", "--target", &format!("*@{TWO}")]).await;
    part.answers("Plan: 2 to add");
    scene.apply().await;
    for session in [&scene.admin, &scene.admin_two] {
        holds(&shown(scene, session, "1").await, &scene.bytes(FAMILY, "1"), "qcow2");
    }
    assert_eq!(scene.downloads(FAMILY, "1"), 1);
    scene.settled().await;

    // A region that comes later needs no publisher at all.
    scene.configure(tables);
    scene.want_on(admin, &[ONE], &[(FAMILY, "2")]);
    scene.apply().await;
    scene.configure(tables);
    scene.want_on(admin, &[ONE, TWO], &[(FAMILY, "2")]);
    scene.fail(FAMILY, "2", true);
    scene.apply().await;
    assert_eq!(scene.downloads(FAMILY, "2"), 1);
    holds(&shown(scene, &scene.admin_two, "2").await, &scene.bytes(FAMILY, "2"), "qcow2");
    // What Glance takes along with the bytes is not kept where images.toml does not say it.
    let properties = |image: Value| image.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
    let (one, two) = (shown(scene, &scene.admin, "2").await, shown(scene, &scene.admin_two, "2").await);
    let own = |keys: Option<Vec<String>>| -> Vec<String> {
        keys.unwrap_or_default().into_iter().filter(|key| !key.starts_with("os_glance_")).collect()
    };
    assert_eq!(own(properties(one)), own(properties(two)));
}

pub(crate) async fn an_image_is_kept_in_the_store_that_is_asked_for(scene: &Scene) {
    let admin = scene.estate().admin;
    scene.configure("[import]\nstore = \"cheap\"");
    scene.want_on(admin, &[ONE], &[(FAMILY, "1")]);
    assert_eq!(way(scene, ONE).await["stores"], json!(["cheap"]));
    scene.apply().await;
    assert_eq!(shown(scene, &scene.admin, "1").await["stores"], "cheap");
    scene.settled().await;

    let several = "[import]\nmethod = [\"upload\", \"glance-direct\"]\nstores = [\"fast\", \"cheap\"]";
    scene.configure(several);
    scene.want_on(admin, &[ONE], &[(FAMILY, "2")]);
    let way = way(scene, ONE).await;
    assert_eq!(way["method"], "glance-direct", "an upload reaches one store: {way:#}");
    scene.apply().await;
    let image = shown(scene, &scene.admin, "2").await;
    assert_eq!(image["stores"], "fast,cheap");
    holds(&image, &scene.bytes(FAMILY, "2"), "qcow2");

    scene.configure("[import]\nstore = \"gold\"");
    scene.want_on(admin, &[ONE], &[(FAMILY, "3")]);
    let (held, plan) = scene.holds().await;
    let held: Vec<_> = held.iter().map(|(_, operation, because)| (operation.as_str(), because.as_str())).collect();
    assert_eq!(held, [("create", "no_passage")], "{plan}");
    plan.answers("has no store `gold`; it has `fast`, `cheap`");
    assert_eq!(shown(scene, &scene.admin, "2").await["name"], scene.latest(FAMILY), "the present latest stays");
}

pub(crate) async fn glance_fetches_what_it_can_and_is_sent_the_rest(scene: &Scene) {
    let admin = scene.estate().admin;
    scene.configure("[import]\nmethod = \"web-download\"");
    scene.want_on(admin, &[ONE], &[(FAMILY, "1")]);
    let plan = scene.gallerist(&["plan"]).await;
    plan.answers("web-download");
    scene.apply().await;
    holds(&shown(scene, &scene.admin, "1").await, &scene.bytes(FAMILY, "1"), "qcow2");
    // Glance once, and gallerist once, to know what Glance must have got.
    assert_eq!(scene.downloads(FAMILY, "1"), 2);
    scene.settled().await;

    scene.write("mine.qcow2", &scene.bytes(FAMILY, "2"));
    let file = |methods: &str| {
        let image = format!(
            "family = \"{FAMILY}\"\nname = \"{}\"\nsource = {{ file = \"mine.qcow2\", version = \"2\" }}",
            scene.title(FAMILY)
        );
        scene.configure(&format!("[import]\nmethod = {methods}\n"));
        let text = format!("{}[[image]]\n{image}\n", scene.head(admin, &[ONE]));
        scene.write("images.toml", text.as_bytes());
    };
    file("\"web-download\"");
    let (held, plan) = scene.holds().await;
    assert_eq!(held.iter().map(|(_, _, because)| because.as_str()).collect::<Vec<_>>(), ["no_passage"], "{plan}");
    plan.answers("Glance cannot fetch a file of this machine");
    file("[\"web-download\", \"glance-direct\"]");
    assert_eq!(way(scene, ONE).await["method"], "glance-direct");
    scene.apply().await;
    holds(&shown(scene, &scene.admin, "2").await, &scene.bytes(FAMILY, "2"), "qcow2");
}

pub(crate) async fn a_failed_import_says_what_glance_says_and_leaves_nothing(scene: &Scene) {
    scene.configure("[import]\nmethod = \"web-download\"");
    scene.want_on(scene.estate().admin, &[ONE], &[(FAMILY, "1")]);
    // Glance asks once; gallerist asks again, and gets what Glance did not.
    scene.fail(FAMILY, "1", true);
    let running = scene.start(&["apply", "--auto-approve"]);
    let failed = |image: &Value| image["os_glance_failed_import"].as_str().is_some_and(|stores| !stores.is_empty());
    while !scene.images_of(&scene.admin, FAMILY, "1").await.iter().any(failed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.fail(FAMILY, "1", false);
    let run = running.ended().await;
    assert!(run.to_string().contains("`web-download` into fast failed: Glance's task"), "{run}");
    assert!(run.to_string().contains("says `Task failed due to Internal Error`"), "{run}");
    assert_eq!(scene.images_of(&scene.admin, FAMILY, "1").await.len(), 0, "{run}");
    scene.apply().await;
    shown(scene, &scene.admin, "1").await;
}

/// Lets whoever was killed be forgotten.
async fn unlock(scene: &Scene) {
    let id = scene.gallerist(&["apply", "--auto-approve"]).await.exits(6).told("id");
    scene.gallerist(&["unlock", &id]).await.exits(0);
}

pub(crate) async fn an_import_that_is_left_half_way_is_begun_anew(scene: &Scene) {
    let admin = scene.estate().admin;
    // Glance fetches from a publisher that has fallen silent, and nobody waits for it any more.
    scene.configure("[import]\nmethod = \"web-download\"");
    scene.want_on(admin, &[ONE], &[(FAMILY, "1")]);
    scene.stall(FAMILY, "1", true);
    let run = scene.start(&["apply", "--auto-approve"]);
    let begun = |image: &Value| image["os_glance_import_task"].is_string();
    while !scene.images_of(&scene.admin, FAMILY, "1").await.iter().any(begun) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.kill().await;
    scene.stall(FAMILY, "1", false);
    unlock(scene).await;
    scene.apply().await;
    holds(&shown(scene, &scene.admin, "1").await, &scene.bytes(FAMILY, "1"), "qcow2");
    scene.settled().await;

    // The bytes are staged, and nobody asks for their import.
    scene.configure("[import]\nmethod = \"glance-direct\"");
    scene.want_on(admin, &[ONE], &[(FAMILY, "2")]);
    let glance = scene.relay(Service::Image).await;
    let mut importing = glance.stop(Method::POST, |path| path.ends_with("/import"));
    let run = scene.start(&["apply", "--auto-approve"]);
    importing.arrived().await;
    run.kill().await;
    drop(importing);
    unlock(scene).await;
    scene.apply().await;
    holds(&shown(scene, &scene.admin, "2").await, &scene.bytes(FAMILY, "2"), "qcow2");
}

pub(crate) async fn a_qcow2_becomes_a_raw_disk_on_the_way(scene: &Scene) {
    let admin = scene.estate().admin;
    let tables = "[defaults]\ndisk_format = \"raw\"";
    scene.configure(tables);
    scene.want_on(admin, &[ONE, TWO], &[(FAMILY, "1")]);
    let (held, plan) = scene.holds().await;
    assert_eq!(held.iter().map(|(_, _, because)| because.as_str()).collect::<Vec<_>>(), ["no_passage"; 2], "{plan}");
    plan.answers("`qemu-img` is not on PATH");

    scene.install_qemu_img(FAMILY, "1");
    let plan = scene.gallerist(&["plan"]).await;
    plan.answers("raw, converted from qcow2 with qemu-img");
    let way = way(scene, ONE).await;
    assert_eq!((&way["disk_format"], &way["converted_by"]), (&json!("raw"), &json!("qemu-img")), "{way:#}");
    scene.apply().await;
    assert_eq!(scene.downloads(FAMILY, "1"), 1);
    assert_eq!(scene.left_in_scratch(), 0);
    let disk = scene.disk(FAMILY, "1");
    for session in [&scene.admin, &scene.admin_two] {
        let image = shown(scene, session, "1").await;
        holds(&image, &disk, "raw");
        let published = hex::encode(sha2::Sha256::digest(scene.bytes(FAMILY, "1")));
        assert_eq!(tag(&image, "source"), Some(format!("sha256:{published}").as_str()), "the chain of proof");
    }
    scene.settled().await;
    // Also once it is asked for as it was published: the bytes of a version are never replaced.
    scene.configure("");
    scene.want_on(admin, &[ONE, TWO], &[(FAMILY, "1")]);
    scene.settled().await;
}

/// `begin` lets the Glance of the second region convert what it imports, for as long as what it returns is there.
pub(crate) async fn glance_converts_what_it_imports<Hold>(scene: &Scene, begin: impl Fn() -> Hold) {
    let admin = scene.estate().admin;
    let tables =
        |method: &str| format!("[import]\nmethod = {method}\nconvert = \"glance\"\n[defaults]\ndisk_format = \"raw\"");
    scene.configure(&tables("\"upload\""));
    scene.want_on(admin, &[TWO], &[(FAMILY, "1")]);
    let (held, plan) = scene.holds().await;
    assert_eq!(held.len(), 1, "{plan}");
    plan.answers("Glance does not convert what is uploaded");

    scene.configure(&tables("\"glance-direct\""));
    scene.want_on(admin, &[TWO], &[(FAMILY, "1")]);
    let run = scene.gallerist(&["apply", "--auto-approve"]).await;
    assert!(run.to_string().contains("has not made raw of it"), "{run}");
    assert_eq!(scene.images_of(&scene.admin_two, FAMILY, "1").await.len(), 0, "{run}");

    let _converting = begin();
    scene.gallerist(&["plan"]).await.answers("raw, converted from qcow2 by Glance");
    scene.apply().await;
    let image = shown(scene, &scene.admin_two, "1").await;
    holds(&image, &scene.disk(FAMILY, "1"), "raw");
    scene.settled().await;
}
