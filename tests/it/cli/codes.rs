//! The exit codes, and what has been done where they are returned.

use gallerist::sandbox::{Effect, Fault, Service};

use crate::support::stage::{DEBIAN, NEWER_DEBIAN, ROCKY, Stage};

const CATALOGUE: &str = "[catalogue]\nname = \"tests\"\n";
const IMAGE: &str = "[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = { distro = \"rocky\", release = \"9\" }\n";

/// Each with one mistake, or more.
const BROKEN: [&str; 22] = [
    "",
    "[catalogue",
    "[catalogue]\n",
    "[catalogue]\nname = 3\n",
    "[catalogue]\nname = \"\"\n",
    "[catalogue]\nname = \"a b\"\n",
    "[catalogue]\nname = \"tests\"\nnmae = \"x\"\n",
    "[catalouge]\nname = \"tests\"\n",
    "{catalogue}[lifecycle.lastest]\nname = \"{name}\"\n",
    "{catalogue}[lifecycle.latest]\nname = \"{name\"\n",
    "{catalogue}[lifecycle.latest]\nvisibility = \"everybody\"\n",
    "{catalogue}[lifecycle.delete]\nwhen = \"sometimes\"\n",
    "{catalogue}[guards]\nmax_deletes = -1\n",
    "{catalogue}[boot_test]\nnetwork = \"none\"\n",
    "{catalogue}[import]\nmethod = \"carrier-pigeon\"\n",
    "{catalogue}{image}{image}",
    "{catalogue}[[image]]\nfamily = \"a\"\n",
    "{catalogue}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = { distro = \"templeos\", release = \"1\" }\n",
    "{catalogue}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = { url = \"https://x.example/a\", version = \"1\" }\n",
    "{catalogue}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = { url = \"https://x.example/a\", version = \"1\", sha256 = \"12\" }\n",
    "{catalogue}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = { file = \"a.qcow2\" }\n",
    "{catalogue}{image}min_disk = \"four\"\n",
];

#[test]
fn a_file_that_is_not_valid_is_78_and_asks_nobody() {
    let stage = Stage::new();
    for broken in BROKEN {
        let text = broken.replace("{catalogue}", CATALOGUE).replace("{image}", IMAGE);
        stage.write("images.toml", &text);
        for words in [&["validate"][..], &["plan"], &["plan", "--detailed-exitcode"], &["apply", "--auto-approve"]] {
            let ended = stage.run(words);
            assert_eq!(ended.code, Some(78), "{words:?} of\n{text}\n{ended:?}");
            assert!(ended.stdout.is_empty() && ended.says("error[E0") && ended.says("images.toml"), "{ended:?}");
        }
    }
    std::fs::remove_file(stage.path("images.toml")).unwrap();
    assert!(stage.run(&["plan"]).with(78).says("images.toml"));
    assert_eq!(stage.requests(), 0);
}

#[test]
fn a_lock_file_that_is_not_valid_is_78_as_well() {
    let stage = Stage::with(&[DEBIAN]);
    stage.write("images.lock.toml", "[[image]]\nfamily = 3\n");
    for words in [&["validate"][..], &["plan"], &["apply", "--auto-approve"]] {
        assert!(stage.run(words).with(78).says("images.lock.toml"));
    }
    assert_eq!(stage.requests(), 0);
}

#[test]
fn an_empty_catalogue_is_refused() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    let before = stage.names();
    stage.exhibit(&[]);
    for words in [&["plan"][..], &["plan", "--detailed-exitcode"], &["apply", "--auto-approve"]] {
        assert!(stage.run(words).with(3).says("Nothing was changed."));
    }
    assert_eq!(stage.names(), before);
}

#[test]
fn two_says_what_the_last_line_says() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let check = |changes: bool| {
        let ended = stage.run(&["plan", "--detailed-exitcode"]).with(if changes { 2 } else { 0 });
        assert_eq!(ended.stdout.contains("No changes."), !changes, "{ended:?}");
        assert_eq!(ended.stdout.contains("Plan: "), changes, "{ended:?}");
        assert_eq!(stage.run(&["plan"]).with(0).stdout, ended.stdout);
    };
    check(true);
    stage.settle();
    check(false);
    stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
    check(true);
    stage.run(&["apply", "--auto-approve"]).with(0);
    check(true);
    stage.run(&["apply", "--auto-approve"]).with(0);
    check(false);
}

#[test]
fn a_cloud_that_cannot_be_entered_is_1() {
    let stage = Stage::with(&[DEBIAN]);
    let clouds = stage.read("clouds.yaml");
    assert!(stage.run(&["plan", "--os-cloud", "nowhere"]).with(1).says("nowhere"));
    stage.write("clouds.yaml", &clouds.replace("username: \"admin\"", "username: \"nobody\""));
    stage.run(&["plan"]).with(1);
    stage.run(&["apply", "--auto-approve"]).with(1);
}

#[test]
fn what_fails_as_a_whole_is_1_and_half_of_it_is_5() {
    let stage = Stage::with(&[DEBIAN]);
    stage.world().withdraw(&Stage::mirror_path(DEBIAN.0, DEBIAN.2));
    let ended = stage.run(&["apply", "--auto-approve"]).with(1);
    assert!(ended.says("debian-12/"), "{ended:?}");
    assert_eq!(stage.names(), Vec::<String>::new());

    stage.exhibit(&[DEBIAN, ROCKY]);
    stage.world().withdraw(&Stage::mirror_path(DEBIAN.0, DEBIAN.2));
    let ended = stage.run(&["apply", "--auto-approve"]).with(5);
    assert!(ended.says("debian-12/") && ended.says("rocky-9/"), "{ended:?}");
    assert_eq!(stage.names(), ["public Rocky Linux 9 - Latest"]);
}

#[test]
fn an_image_changed_between_plan_and_act_is_4() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    stage.exhibit(&[NEWER_DEBIAN]);
    stage.run(&["apply", "--auto-approve"]).with(0);
    let old = stage.names().into_iter().find_map(|name| name.strip_prefix("community ").map(str::to_owned)).unwrap();
    let id = stage.id_of(&old);
    let doomed = id.clone();
    let meddle = Effect::Meanwhile(std::sync::Arc::new(move |world| {
        let image = world.region("RegionOne").unwrap().image(&doomed).unwrap();
        image.name = Some("do not delete".to_owned());
    }));
    let single_read = format!("/v2/images/{id}");
    stage.world().inject(Fault::new(meddle).service(Service::Image).method("GET").path(&single_read).unwrap());
    stage.run(&["apply", "--auto-approve"]).with(4);
    assert!(stage.names().contains(&"community do not delete".to_owned()), "{:?}", stage.names());
}
