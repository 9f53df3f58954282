//! What is typed, and what is printed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::stage::{DEBIAN, ROCKY, Stage};

const COMMANDS: [&str; 11] =
    ["apply", "completions", "demo", "explain", "man", "plan", "sandbox", "schema", "show", "unlock", "validate"];

#[test]
fn help_and_version_are_answers() {
    let stage = Stage::new();
    for words in [&["--help"][..], &["-h"], &["--version"], &["help"]] {
        let ended = stage.run(words).with(0);
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{words:?}: {ended:?}");
    }
    let help = stage.run(&["--help"]).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("  {command} ")), "`{command}` is not in the help");
        let ended = stage.run(&[command, "--help"]).with(0);
        assert!(ended.stdout.contains("Usage: gallerist"), "{command}: {ended:?}");
    }
    for (code, meaning) in [(0, "done"), (7, "not approved"), (64, "wrong use"), (78, "images.toml")] {
        let line = help.lines().find(|line| line.contains(&format!(" {code}  "))).unwrap();
        assert!(line.contains(meaning), "{line}");
    }
}

#[test]
fn wrong_use_is_64_and_asks_nobody() {
    let stage = Stage::with(&[DEBIAN]);
    let wrong: &[&[&str]] = &[
        &[],
        &["plam"],
        &["plan", "--detailed-exitcod"],
        &["plan", "superfluous"],
        &["plan", "--format", "xml"],
        &["plan", "--report", "plan.json"],
        &["plan", "--report", "json=-"],
        &["plan", "--timeout", "soon"],
        &["plan", "-v", "-q"],
        &["plan", "--target", "a[b"],
        &["plan", "--allow-deletes", "-1"],
        &["apply", "plan.json", "--target", "debian-12"],
        &["apply", "--parallelism", "0"],
        &["show"],
        &["unlock"],
        &["explain"],
    ];
    for words in wrong {
        let before = stage.requests();
        let ended = stage.run(words);
        assert_eq!(ended.code, Some(64), "{words:?}: {ended:?}");
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{words:?}: {ended:?}");
        assert_eq!(stage.requests(), before, "{words:?} asked somebody");
    }
}

#[test]
fn who_types_one_dash_is_told_that_there_are_two() {
    let stage = Stage::with(&[DEBIAN]);
    for (word, meant) in [
        ("-detailed-exitcode", "`--detailed-exitcode`, not `-detailed-exitcode`"),
        ("-target=debian-12", "`--target`, not `-target`"),
        // clap would take these for `-o ut=plan.json`, `-c olor` and `-v -e …`.
        ("-out=plan.json", "`--out`, not `-out`"),
        ("-color=never", "`--color`, not `-color`"),
        ("-verbose", "`--verbose`, not `-verbose`"),
    ] {
        let ended = stage.run(&["plan", word]).with(64);
        assert_eq!(ended.stderr, format!("error: long flags have two dashes: {meant}\n"));
    }
    assert!(stage.run(&["apply", "-auto-approve"]).with(64).says("`--auto-approve`, not `-auto-approve`"));
    assert_eq!(stage.requests(), 0);
    // Short flags, also several in one word, are what they were.
    stage.run(&["validate", "-vv"]).with(0);
    stage.run(&["validate", "-vc", "images.toml"]).with(0);
}

#[test]
fn a_reader_who_goes_away_ends_the_answer_quietly() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    for words in [&["plan"][..], &["plan", "--format", "json"], &["schema", "plan"], &["completions", "bash"]] {
        let mut child = stage.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.as_str()), (Some(0), ""), "{words:?}");
    }
    let mut child = stage.command(&["plan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(!first.is_empty());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let stage = Stage::with(&[DEBIAN]);
    let escapes = |text: &str| text.contains('\u{1b}');
    for format in ["human", "json", "markdown", "html", "gitlab", "github"] {
        let ended = stage.run(&["plan", "--format", format]).with(0);
        assert!(!escapes(&ended.stdout) && !escapes(&ended.stderr), "{format}: {ended:?}");
    }
    assert!(escapes(&stage.run(&["plan", "--color", "always"]).with(0).stdout));
    let forced = stage.command(&["plan"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(escapes(&String::from_utf8(forced.stdout).unwrap()));
    for (words, variable) in [(&["plan"][..], "NO_COLOR"), (&["plan", "--color", "never"], "CLICOLOR_FORCE")] {
        let output = stage.command(words).env("CLICOLOR_FORCE", "1").env(variable, "1").output().unwrap();
        assert!(!escapes(&String::from_utf8(output.stdout).unwrap()), "{words:?} {variable}");
    }
    let plain = stage.run(&["plan"]).stdout;
    let coloured = stage.run(&["plan", "--color", "always"]).stdout;
    assert_eq!(without_escapes(&coloured), plain, "colour carries no meaning of its own");
    stage.write("images.toml", "[catalogue]\nnmae = \"x\"\n");
    assert!(!escapes(&stage.run(&["validate"]).with(78).stderr));
}

/// The text without its colours.
fn without_escapes(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn no_secret_is_printed_however_much_is_said() {
    let stage = Stage::with(&[DEBIAN]);
    let clouds = stage.read("clouds.yaml");
    let secrets: Vec<String> = clouds
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("password: ").or(line.trim().strip_prefix("application_credential_secret: "))
        })
        .map(|secret| secret.trim_matches('"').to_owned())
        .collect();
    assert!(secrets.len() >= 4 && secrets.iter().all(|secret| secret.len() >= 8), "{secrets:?}");
    let mut said = String::new();
    let mut run = |words: &[&str]| {
        let ended = stage.command(words).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").output().unwrap();
        said.push_str(&String::from_utf8_lossy(&ended.stdout));
        said.push_str(&String::from_utf8_lossy(&ended.stderr));
    };
    run(&["-vvv", "plan", "--format", "json", "--out", "plan.json", "--report", "html=plan.html"]);
    run(&["-vvv", "apply", "--auto-approve"]);
    for format in ["human", "json", "markdown", "html", "gitlab", "github"] {
        run(&["-vvv", "plan", "--format", format]);
        run(&["show", "plan.json", "--format", format]);
    }
    for format in ["human", "json", "markdown", "html", "prometheus", "junit", "codequality"] {
        run(&["-vvv", "drift", "--format", format]);
    }
    for words in
        [&["usage"][..], &["upstream"], &["lock"], &["graph"], &["snapshot", "-o", "cloud.json"], &["unlock", "1"]]
    {
        run(&[&["-vvv"], words].concat());
    }
    let mut tokens = stage.world().tokens();
    assert!(!tokens.is_empty());
    stage.world().revoke_tokens();
    run(&["-vvv", "plan"]);
    stage.world().stop_after(2);
    run(&["-vvv", "plan"]);
    stage.world().heal();
    stage.write("clouds.yaml", &clouds.replace("auth_url: \"http", "auth_url: \"htp"));
    run(&["-vvv", "plan"]);
    stage.write("clouds.yaml", &clouds.replace("username: \"admin\"", "username: \"nobody\""));
    run(&["-vvv", "plan"]);
    said.push_str(&stage.read("plan.json"));
    said.push_str(&stage.read("plan.html"));
    said.push_str(&stage.read("cloud.json"));
    assert!(said.contains("Debian 12") && said.contains("error"), "{said}");
    tokens.extend(stage.world().tokens());
    for secret in secrets.iter().chain(&tokens) {
        assert!(!said.contains(secret.as_str()), "a secret was printed");
    }
}
