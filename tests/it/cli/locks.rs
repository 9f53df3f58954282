//! One apply at a time.

use std::process::Stdio;
use std::time::Duration;

use gallerist::sandbox::{Effect, Fault};

use crate::support::stage::{DEBIAN, Stage};

/// Somebody whose apply died right after it had got the lock.
pub(super) fn dead_run(stage: &Stage) {
    let mut child =
        stage.command(&["apply", "--auto-approve"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut world = stage.world();
    world.inject(Fault::new(Effect::Delay(Duration::from_hours(1))).method("GET").path("/v2/images").unwrap());
    drop(world);
    let locked = || {
        let world = stage.world();
        world.requests().iter().any(|request| request.method == "GET" && request.path.starts_with("/v2/images?"))
    };
    while !locked() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stage.world().heal();
}

#[test]
fn a_held_lock_is_6_and_unlock_frees_it() {
    let stage = Stage::with(&[DEBIAN]);
    dead_run(&stage);
    let refused = stage.run(&["apply", "--auto-approve"]).with(6);
    assert!(refused.says("Nothing was changed."), "{refused:?}");
    let id = refused.word_after("id ");
    assert!(refused.says(&format!("gallerist unlock {id}")), "{refused:?}");
    assert!(refused.word_after("who ") == "admin", "{refused:?}");
    assert_eq!(stage.names(), Vec::<String>::new());
    // Who only looks needs no lock.
    stage.run(&["plan"]).with(0);
    stage.run(&["unlock", "another-id"]).with(1);
    stage.run(&["apply", "--auto-approve"]).with(6);
    assert!(stage.run(&["unlock", &id]).with(0).stdout.contains("unlocked"));
    stage.run(&["unlock", &id]).with(1);
    stage.settle();
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
}

#[test]
fn who_waits_gets_the_lock_once_it_is_free() {
    let stage = Stage::with(&[DEBIAN]);
    dead_run(&stage);
    let id = stage.run(&["apply", "--auto-approve"]).with(6).word_after("id ");
    let before = stage.requests();
    let mut command = stage.command(&["apply", "--auto-approve", "--lock-timeout", "10m"]);
    let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let refused = || {
        let world = stage.world();
        world.requests()[before..].iter().any(|request| request.method == "POST" && request.status == Some(409))
    };
    while !refused() {
        std::thread::yield_now();
    }
    stage.run(&["unlock", &id]).with(0);
    assert_eq!(waiting.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
}

#[test]
fn every_end_of_an_apply_gives_the_lock_back() {
    let stage = Stage::with(&[DEBIAN]);
    stage.run(&["apply", "--auto-approve", "--expect-plan", &"0".repeat(64)]).with(4);
    stage.world().withdraw(&Stage::mirror_path(DEBIAN.0, DEBIAN.2));
    stage.run(&["apply", "--auto-approve"]).with(1);
    stage.exhibit(&[]);
    stage.run(&["apply", "--auto-approve"]).with(3);
    stage.exhibit(&[DEBIAN]);
    stage.settle();
    stage.run(&["apply", "--auto-approve"]).with(0);
}
