//! `adopt` as people run it: a cloud that somebody else has curated becomes the catalogue's, image by image, and nothing
//! that is not proven or said.

use gallerist::model::image::Visibility;
use gallerist::sandbox::{ImageRecord, image};
use serde_json::Value;

use crate::support::stage::{DEBIAN, Ended, NEWER_DEBIAN, REGION, ROCKY, Stage, bytes_of};

/// An image that is there already, of the project `admin` where nobody says otherwise.
fn hang(stage: &Stage, name: &str, bytes: &[u8], change: impl FnOnce(&mut ImageRecord)) -> String {
    let mut world = stage.world();
    let region = world.region(REGION).unwrap();
    let id = region.upload("admin", name, Visibility::Public, "qcow2", bytes).unwrap();
    change(region.image(&id).unwrap());
    id
}

fn set(key: &'static str, value: &'static str) -> impl FnOnce(&mut ImageRecord) {
    move |image| _ = image.properties.insert(key.to_owned(), value.to_owned())
}

/// What `adopt` says of each image: id, and part or reason.
fn adopt(stage: &Stage, words: &[&str]) -> Vec<(String, String)> {
    let ended = stage.run(&[&["adopt", "--format", "json"], words].concat()).with(0);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = |entry: &Value| {
        let address = text(&entry["address"]);
        let part = entry["part"].as_str().map(|part| format!("{address} {part} {}", text(&entry["sureness"])));
        (text(&entry["id"]), part.unwrap_or_else(|| text(&entry["because"]["code"])))
    };
    report["images"].as_array().unwrap().iter().map(said).collect()
}

fn said(pairs: &[(&String, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, what)| ((*id).clone(), (*what).to_owned())).collect()
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

#[test]
fn what_another_tool_left_is_taken_over_and_keeps_its_ids() {
    let stage = Stage::with(&[NEWER_DEBIAN]);
    let newest = hang(&stage, "Debian 12", &bytes_of("debian-12", NEWER_DEBIAN.2), |image| {
        image.tags.insert("managed_by_osism".to_owned());
        image.properties.insert("internal_version".to_owned(), NEWER_DEBIAN.2.to_owned());
    });
    let older = hang(&stage, "Debian 12 (20261013-2601)", &bytes_of("debian-12", DEBIAN.2), |image| {
        image.visibility = Visibility::Community;
    });
    let before = stage.world().region(REGION).unwrap().images().clone();

    // Names and properties are no proof, unless somebody wants to believe them.
    assert_eq!(sorted(adopt(&stage, &[])), sorted(said(&[(&newest, "only_stated"), (&older, "only_stated")])));
    let stated = said(&[
        (&older, "debian-12/20261013-2601 superseded stated"),
        (&newest, "debian-12/20261117-2637 latest stated"),
    ]);
    assert_eq!(adopt(&stage, &["--stated"]), stated);
    // Bytes are, once they were read; of the older version the publisher states nothing any more.
    let claim = format!("debian-12/20261013-2601={older}");
    let proven = said(&[
        (&older, "debian-12/20261013-2601 superseded claimed"),
        (&newest, "debian-12/20261117-2637 latest proven"),
    ]);
    assert_eq!(adopt(&stage, &["--read-bytes", "--as", &claim, "--out", "adopt.json"]), proven);
    assert_eq!(*stage.world().region(REGION).unwrap().images(), before, "so far nothing was written");

    let ended = take_over(&stage).with(0);
    assert!(ended.says("0 to add, 2 to change, 0 to destroy"), "{}", ended.stdout);
    for (id, before) in &before {
        let mut world = stage.world();
        let after = world.region(REGION).unwrap().image(id).unwrap();
        let kept: Vec<_> = before.tags.difference(&after.tags).collect();
        assert!(kept.is_empty(), "tags of others stay: {kept:?}");
        let now = ImageRecord { tags: before.tags.clone(), updated_at: before.updated_at, ..after.clone() };
        assert_eq!(now, *before, "nothing but tags is written");
    }
    assert_eq!(adopt(&stage, &[]), [], "and there is nothing left to adopt");

    // From now on it is an ordinary catalogue: names follow the file, and a new version replaces an adopted one.
    stage.run(&["apply", "--auto-approve"]).with(0);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    assert_eq!(stage.id_of("Debian 12 - Latest"), newest);
    stage.exhibit(&[("debian-12", "Debian 12", "20261201-1")]);
    stage.run(&["apply", "--auto-approve"]).with(0);
    assert_eq!(stage.id_of(&format!("Debian 12 - {today}")), newest, "it keeps its id");
    stage.settle();
}

#[test]
fn bytes_that_glance_states_itself_are_proof_and_other_bytes_are_proof_of_the_contrary() {
    let stage = Stage::new();
    let (right, wrong) = (bytes_of("debian-12", DEBIAN.2), image::qcow2(1 << 30, b"something else"));
    let digest = hex::encode(<sha2::Sha512 as sha2::Digest>::digest(&right));
    stage.write(
        "images.toml",
        &format!(
            "[catalogue]\nname = \"tests\"\n[[image]]\nfamily = \"debian-12\"\nname = \"Debian 12\"\nsource = {{ url = \
             \"https://publisher.example/{0}.qcow2\", version = \"{0}\", sha512 = \"{digest}\" }}\n",
            DEBIAN.2
        ),
    );
    let poisoned = hang(&stage, "Debian 12", &wrong, set("internal_version", DEBIAN.2));
    assert_eq!(adopt(&stage, &["--stated"]), said(&[(&poisoned, "other_bytes")]));
    let claim = format!("debian-12/{}={poisoned}", DEBIAN.2);
    assert_eq!(adopt(&stage, &["--as", &claim]), said(&[(&poisoned, "other_bytes")]), "not even if somebody says so");

    let unnamed = hang(&stage, "cloud image, tuesday", &right, |_| ());
    let all = said(&[(&poisoned, "other_bytes"), (&unnamed, "debian-12/20261013-2601 latest proven")]);
    assert_eq!(sorted(adopt(&stage, &[])), sorted(all));
    let twin = hang(&stage, "cloud image, wednesday", &right, |_| ());
    let rivals = said(&[(&poisoned, "other_bytes"), (&unnamed, "rivals"), (&twin, "rivals")]);
    assert_eq!(sorted(adopt(&stage, &[])), sorted(rivals), "nobody guesses which of the two");
    let claim = format!("debian-12/{}={twin}", DEBIAN.2);
    let one =
        said(&[(&poisoned, "other_bytes"), (&unnamed, "rivals"), (&twin, "debian-12/20261013-2601 latest claimed")]);
    assert_eq!(sorted(adopt(&stage, &["--as", &claim])), sorted(one));
}

#[test]
fn what_fits_several_or_nothing_is_not_adopted() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let file = stage.read("images.toml");
    let described = "properties = { os_distro = \"debian\", os_version = \"12\" }\n";
    stage.write(
        "images.toml",
        &format!(
            "{}{described}",
            file.replace("\n[[image]]\nfamily = \"rocky", &format!("{described}\n[[image]]\nfamily = \"rocky"))
        ),
    );
    let bytes = image::qcow2(1 << 30, b"by hand");
    let nameless = hang(&stage, "cirros", &bytes, |_| ());
    let either = hang(&stage, "mine", &bytes, |image| {
        image.properties.extend(
            [("os_distro", "debian"), ("os_version", "12")].map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
    });
    let undated = hang(&stage, "Debian 12", &bytes, |_| ());
    let torn = hang(&stage, "Debian 12 (20261013-2601)", &bytes, set("internal_version", "20261014-2602"));
    let queued =
        hang(&stage, "Rocky Linux 9", &bytes, |image| image.status = gallerist::model::image::Status::Deactivated);
    let private = hang(&stage, "Rocky Linux 9 - Latest", &bytes, |image| image.visibility = Visibility::Private);
    let expected = said(&[
        (&nameless, "no_family"),
        (&either, "several_families"),
        (&undated, "no_version"),
        (&torn, "several_versions"),
        (&queued, "unusable"),
        (&private, "visibility"),
    ]);
    assert_eq!(sorted(adopt(&stage, &["--stated", "--read-bytes"])), sorted(expected));
    let ended = stage.run(&["adopt"]).with(0);
    assert!(ended.stdout.ends_with("Adopt: 0 of 6 images.\n"), "{}", ended.stdout);
}

#[test]
fn what_is_not_our_projects_is_out_of_reach() {
    let stage = Stage::with(&[DEBIAN]);
    let bytes = bytes_of("debian-12", DEBIAN.2);
    let foreign = {
        let mut world = stage.world();
        let region = world.region(REGION).unwrap();
        region.upload("demo", "Debian 12 - Latest", Visibility::Public, "qcow2", &bytes).unwrap()
    };
    let snapshot = hang(&stage, "Debian 12", &bytes, set("base_image_ref", "x"));
    let marked = hang(&stage, "Debian 12 old", &bytes, |image| {
        image.tags.extend(
            ["gallerist", "gallerist:catalogue=other", "gallerist:family=f", "gallerist:version=1"].map(str::to_owned),
        );
    });
    assert_eq!(
        sorted(adopt(&stage, &["--stated", "--read-bytes"])),
        sorted(said(&[(&snapshot, "derived"), (&marked, "marked")]))
    );
    let claim = |id: &str| format!("debian-12/20261013-2601={id}");
    let ended = stage.run(&["adopt", "--as", &claim(&foreign)]).with(1);
    assert!(ended.says("is never touched"), "{}", ended.stderr);
    for (id, because) in [(&snapshot, "derived"), (&marked, "marked")] {
        assert!(adopt(&stage, &["--as", &claim(id)]).contains(&(id.clone(), because.to_owned())));
    }
    stage.run(&["adopt", "--as", "debian-12=x"]).with(64);
    stage.run(&["adopt", "--as", "debian-12/1"]).with(64);
}

fn plan_id(stage: &Stage) -> String {
    let plan: serde_json::Value = serde_json::from_str(&stage.read("adopt.json")).unwrap();
    plan["gallerist"]["plan_id"].as_str().unwrap().to_owned()
}

/// Applies the saved adoption as it was reviewed.
fn take_over(stage: &Stage) -> Ended {
    stage.run(&["apply", "--auto-approve", "--expect-plan", &plan_id(stage), "adopt.json"])
}

#[test]
fn a_saved_adoption_is_for_the_cloud_it_was_made_of() {
    let stage = Stage::with(&[DEBIAN]);
    let id = hang(&stage, "Debian 12\u{1b}[31m", &bytes_of("debian-12", DEBIAN.2), |_| ());
    let claim = format!("debian-12/20261013-2601={id}");
    let ended = stage.run(&["adopt", "--as", &claim, "--out", "adopt.json"]).with(0);
    assert!(!ended.stdout.contains('\u{1b}'), "what somebody calls an image is harmless");
    stage.run(&["apply", "adopt.json"]).with(7);
    stage.run(&["show", "adopt.json"]).with(0);
    stage.world().region(REGION).unwrap().image(&id).unwrap().name = Some("other".to_owned());
    assert!(stage.run(&["apply", "--auto-approve", "adopt.json"]).with(7).says("--expect-plan"));
    take_over(&stage).with(4);
    assert!(stage.world().region(REGION).unwrap().image(&id).unwrap().tags.is_empty());
    stage.world().region(REGION).unwrap().image(&id).unwrap().name = Some("Debian 12\u{1b}[31m".to_owned());
    // Another image in the file, and it is another plan.
    let other = stage.read("adopt.json").replace("20261013-2601", "20261013-2602");
    stage.write("edited.json", &other);
    stage.run(&["apply", "--auto-approve", "--expect-plan", &plan_id(&stage), "edited.json"]).with(4);
    take_over(&stage).with(0);
    take_over(&stage).with(4);
}

#[test]
fn a_private_family_takes_over_private_images_alone() {
    let stage = Stage::with(&[DEBIAN]);
    let file = stage.read("images.toml");
    stage.write("images.toml", &format!("{file}visibility = \"private\"\n"));
    let bytes = bytes_of("debian-12", DEBIAN.2);
    let private = hang(&stage, "Debian 12 (20261013-2601)", &bytes, |image| image.visibility = Visibility::Private);
    let public = hang(&stage, "Debian 12", &bytes, set("internal_version", DEBIAN.2));
    let expected = said(&[(&private, "debian-12/20261013-2601 latest proven"), (&public, "visibility")]);
    assert_eq!(sorted(adopt(&stage, &["--read-bytes", "--out", "adopt.json"])), sorted(expected));
    take_over(&stage).with(0);
    stage.settle();
    let image = |id: &str| stage.world().region(REGION).unwrap().image(id).unwrap().clone();
    assert_eq!((image(&private).visibility, image(&private).name.as_deref()), (Visibility::Private, Some("Debian 12")));
    assert!(image(&public).tags.is_empty(), "what is public is nobody's business here");
}
