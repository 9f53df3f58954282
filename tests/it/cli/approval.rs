//! Who is asked, what, and what counts as a yes.

use std::io::{Read, Write};

use crate::support::stage::{DEBIAN, Ended, NEWER_DEBIAN, REGION, Stage};

/// Runs a command on a terminal of its own, answers the first question it asks, and reads to the end.
fn on_a_terminal(stage: &Stage, words: &[&str], question: &str, answer: &str) -> Ended {
    let (mut terminal, line) = pty_process::blocking::open().unwrap();
    let mut command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_gallerist"));
    command = command.args(words).current_dir(stage.path("")).env_clear().envs(stage.surroundings());
    let mut child = command.spawn(line).unwrap();
    let (mut said, mut block) = (String::new(), [0; 4096]);
    let mut answered = false;
    // At the end of the last process on it, a terminal of Linux reports an error instead of an end.
    while let Ok(length @ 1..) = terminal.read(&mut block) {
        said.push_str(&String::from_utf8_lossy(&block[..length]));
        if !answered && said.contains(question) {
            terminal.write_all(answer.as_bytes()).unwrap();
            answered = true;
        }
    }
    assert!(answered || question.is_empty(), "never asked `{question}`:\n{said}");
    Ended { code: child.wait().unwrap().code(), stdout: said, stderr: String::new() }
}

#[test]
fn without_a_terminal_there_is_nobody_to_ask() {
    let stage = Stage::with(&[DEBIAN]);
    let ended = stage.run(&["apply"]).with(7);
    assert!(ended.says("nobody to ask") && ended.says("--auto-approve"), "{ended:?}");
    stage.run(&["apply", "--no-input"]).with(7);
    let forbidden = on_a_terminal(&stage, &["apply", "--no-input"], "", "");
    forbidden.with(7);
    assert_eq!(stage.requests(), 0, "it asked the cloud before it knew whether anybody could approve");
}

#[test]
fn yes_applies_and_nothing_else_does() {
    let stage = Stage::with(&[DEBIAN]);
    for answer in ["no\n", "\n", "y\n", "YES\n", "yes please\n", "\u{4}"] {
        let ended = on_a_terminal(&stage, &["apply"], "Only `yes` is accepted: ", answer).with(7);
        assert!(ended.says("Nothing was changed."), "{answer:?}: {ended:?}");
        assert_eq!(stage.names(), Vec::<String>::new(), "{answer:?}");
    }
    on_a_terminal(&stage, &["apply"], "Only `yes` is accepted: ", "yes\n").with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
}

#[test]
fn a_deletion_wants_the_name_of_its_site() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    stage.exhibit(&[NEWER_DEBIAN]);
    stage.run(&["apply", "--auto-approve"]).with(0);
    let (before, question) = (stage.names(), format!("Type `{REGION}` to go on: "));
    assert_eq!(before.len(), 2);
    for answer in ["yes\n", "regionone\n", "\n"] {
        let ended = on_a_terminal(&stage, &["apply"], &question, answer).with(7);
        assert!(ended.says("cannot be brought back") && ended.says("debian-12/20261013-2601"), "{ended:?}");
        assert_eq!(stage.names(), before, "{answer:?}");
    }
    on_a_terminal(&stage, &["apply"], &question, &format!("{REGION}\n")).with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
}

#[test]
fn who_interrupts_the_question_leaves_nothing_behind() {
    let stage = Stage::with(&[DEBIAN]);
    let ended = on_a_terminal(&stage, &["apply"], "Only `yes` is accepted: ", "\u{3}").with(130);
    assert!(ended.says("Nothing was changed."), "{ended:?}");
    assert_eq!(stage.names(), Vec::<String>::new());
    stage.settle();
}
