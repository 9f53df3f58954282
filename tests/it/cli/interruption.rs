//! Signals and limits of time: where a run stops, and that it says so.

use std::process::{Command, Stdio};
use std::time::Duration;

use gallerist::sandbox::{Effect, Fault};

use crate::support::stage::{DEBIAN, Ended, ROCKY, Stage};

/// Starts an apply, waits until somebody has asked for `path`, and sends it a signal.
fn interrupted(stage: &Stage, place: (&str, &str), signal: &str) -> Ended {
    interrupted_as(stage, &[], place, signal)
}

/// The same, with further words on its command line.
pub(super) fn interrupted_as(stage: &Stage, words: &[&str], (method, path): (&str, &str), signal: &str) -> Ended {
    let fault = Fault::new(Effect::Delay(Duration::from_hours(1))).method(method).path(path).unwrap();
    stage.world().inject(fault.always());
    let mut command = stage.command(&[&["apply", "--auto-approve", "--parallelism", "1"], words].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ending = path.trim_start_matches('*');
    let arrived = || {
        let world = stage.world();
        world.requests().iter().any(|request| {
            let bare = request.path.split('?').next().unwrap_or_default();
            request.method == method && bare.ends_with(ending)
        })
    };
    while !arrived() {
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ended = child.wait_with_output().unwrap().into();
    stage.world().heal();
    ended
}

#[test]
fn a_signal_while_planning_changes_nothing_and_gives_the_lock_back() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let stage = Stage::with(&[DEBIAN]);
        let ended = interrupted(&stage, ("GET", "/v2/images"), signal).with(code);
        assert!(ended.says("Nothing was changed."), "{ended:?}");
        stage.settle();
    }
}

#[test]
fn a_signal_during_a_download_ends_it_and_says_what_was_done() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let stage = Stage::with(&[DEBIAN, ROCKY]);
        let rocky = format!("*/{}", Stage::mirror_path(ROCKY.0, ROCKY.2));
        let ended = interrupted(&stage, ("GET", &rocky), signal).with(code);
        assert!(ended.says("nterrupted") && ended.says("rocky-9/"), "{ended:?}");
        stage.settle();
        assert_eq!(stage.names(), ["public Debian 12 - Latest", "public Rocky Linux 9 - Latest"]);
    }
}

#[test]
fn a_limit_of_time_gives_the_lock_back_as_well() {
    let stage = Stage::with(&[DEBIAN]);
    let path = format!("*/{}", Stage::mirror_path(DEBIAN.0, DEBIAN.2));
    let fault = |path: &str| Fault::new(Effect::Delay(Duration::from_hours(1))).method("GET").path(path).unwrap();
    // While it plans nothing is changed; while it applies something may be.
    for (path, code) in [("/v2/images", 1), (&path, 5)] {
        stage.world().inject(fault(path).always());
        let ended = stage.run(&["apply", "--auto-approve", "--timeout", "2s"]).with(code);
        assert!(ended.says("--timeout"), "{ended:?}");
        stage.world().heal();
    }
    stage.settle();
}
