//! The shape of the house: who may know whom, and what has no place where.
//!
//! Read from the source text, line by line. Comments do not count. Tests count for who knows whom, and for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;

/// The rooms from the bottom to the top, and whom each may use beside itself. Nobody is above `commands`.
const ROOMS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("exit", &[]),
    // The words of closed lists, so that a wrong one is wrong use.
    ("cli", &["model"]),
    ("planner", &["model"]),
    ("apply", &["model"]),
    ("manifest", &["model"]),
    ("transfer", &["model"]),
    ("upstream", &["model", "manifest", "transfer"]),
    ("openstack", &["model", "apply", "transfer", "upstream"]),
    // A recorded cloud.
    ("snapshot", &["model"]),
    // The events and outcomes of an apply, the mistakes of a file, and what has changed of a lock file.
    ("render", &["model", "apply", "manifest", "upstream"]),
    // A cloud knows nothing of a catalogue. It shares the words of an image: visibility and status.
    ("sandbox", &["model"]),
    (
        "commands",
        &[
            "model",
            "exit",
            "cli",
            "planner",
            "apply",
            "manifest",
            "transfer",
            "upstream",
            "openstack",
            "snapshot",
            "render",
            "sandbox",
        ],
    ),
];

/// What a room may use of another one, where that is not everything.
const PARTS: [(&str, &str, &[&str]); 6] = [
    ("sandbox", "model", &["image"]),
    ("render", "apply", &["event", "machine"]),
    ("render", "manifest", &["codes", "diagnostic", "read"]),
    ("render", "upstream", &["relock"]),
    ("upstream", "transfer", &["digest_file", "Witness"]),
    // What a publisher signs beside an image is checked while that is downloaded.
    ("openstack", "upstream", &["seal"]),
];

/// Words that have no place in a room.
const BANNED: [(&str, &[&str]); 4] = [
    ("model", &IMPURE),
    ("planner", &IMPURE),
    ("apply", &["reqwest", "osauth", "std::fs", "std::env", "SystemTime", "Timestamp::now"]),
    ("render", &["reqwest", "osauth", "async ", "tokio"]),
];

const IMPURE: [&str; 13] = [
    "async ",
    ".await",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "SystemTime",
    "Instant",
    "::now()",
    "reqwest",
    "osauth",
    "tokio",
    "serde",
];

/// Crates that belong to one file, or to one folder.
const AT_HOME: [(&str, &[&str]); 9] = [
    ("owo_colors", &["render/style.rs"]),
    ("similar::", &["render/diff.rs"]),
    ("osauth::", &["openstack/"]),
    ("petgraph::acyclic", &["model/plan.rs"]),
    ("axum::", &["sandbox/"]),
    ("clap::", &["cli.rs", "cli/", "main.rs", "commands/completions.rs", "commands/man.rs"]),
    ("indicatif", &["render/progress.rs"]),
    ("std::process::exit", &["commands/apply.rs"]),
    ("pgp::", &["upstream/armor.rs", "upstream/signature.rs", "upstream/clear_signed.rs", "sandbox/exhibition/"]),
];

struct Source {
    /// Below `src`, with slashes.
    path: String,
    /// Without comments.
    lines: Vec<String>,
    length: usize,
    /// Where its unit tests begin.
    tests: usize,
}

impl Source {
    /// The room it belongs to.
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines that are not there for tests alone.
    fn shipped(&self) -> &[String] {
        let for_tests = ["/tests", "_tests.rs", "/testing.rs", "/samples.rs"];
        if for_tests.iter().any(|part| self.path.contains(part)) { &[] } else { &self.lines[..self.tests] }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let folder = root().join(folder);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        let begin_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {";
        Source {
            tests: lines.windows(2).position(begin_tests).unwrap_or(lines.len()),
            path: path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned(),
            length: lines.len(),
            lines: lines.into_iter().map(code).collect(),
        }
    };
    rust_files(&folder).into_iter().map(read).collect()
}

/// Paths of this crate that a line names, as room and what of it: `("apply", "event")`, `("commands", "")`.
fn named(line: &str) -> Vec<(&str, &str)> {
    let word =
        |text: &str| text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    line.match_indices("crate::")
        .map(|(place, prefix)| {
            let rest = &line[place + prefix.len()..];
            let (room, rest) = rest.split_at(word(rest));
            let rest = rest.strip_prefix("::").unwrap_or_default();
            (room, &rest[..word(rest)])
        })
        .collect()
}

#[test]
fn paths_are_found_wherever_they_stand() {
    assert_eq!(named("use crate::model::plan::Plan;"), [("model", "plan")]);
    assert_eq!(named("let a = crate::apply::run(crate::exit::CODE);"), [("apply", "run"), ("exit", "CODE")]);
    assert_eq!(named("use crate::apply::{Meter, Perform};"), [("apply", "")]);
    assert_eq!(named("use super::plan;"), []);
}

#[test]
fn rooms_know_only_those_below_them() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources("src").iter().filter(|source| !["main.rs", "lib.rs"].contains(&source.path.as_str())) {
        let room = source.room();
        let below = rooms.get(room).unwrap_or_else(|| panic!("the room of {} is in no list", source.path));
        seen.insert(room.to_owned());
        for (other, part) in source.lines.iter().flat_map(|line| named(line)) {
            let parts = PARTS.iter().find(|(who, whom, _)| (*who, *whom) == (room, other));
            let allowed =
                other == room || below.contains(&other) && parts.is_none_or(|(_, _, parts)| parts.contains(&part));
            if !allowed {
                wrong.push(format!("{}: crate::{other}::{part}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen.len(), ROOMS.len(), "a room of the list is no longer there: {seen:?}");
}

#[test]
fn the_list_of_rooms_has_no_circle() {
    let mut below: BTreeSet<&str> = BTreeSet::new();
    for (room, uses) in ROOMS {
        assert!(uses.iter().all(|other| below.contains(other)), "{room} stands below something it uses");
        below.insert(room);
    }
}

#[test]
fn what_has_no_place_in_a_room_is_not_there() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let banned = BANNED.iter().filter(|(room, _)| *room == source.room()).flat_map(|(_, words)| words.iter());
        for word in banned {
            let lines = source.shipped().iter().enumerate().filter(|(_, line)| line.contains(word));
            wrong.extend(lines.map(|(number, _)| format!("{}:{}: {word}", source.path, number + 1)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn some_crates_live_in_one_place() {
    let sources = sources("src");
    for (crate_name, homes) in AT_HOME {
        let users: Vec<&str> = sources
            .iter()
            .filter(|source| source.shipped().iter().any(|line| line.contains(crate_name)))
            .map(|source| source.path.as_str())
            .collect();
        let strangers: Vec<_> = users.iter().filter(|path| !homes.iter().any(|home| path.starts_with(home))).collect();
        assert!(strangers.is_empty(), "{crate_name} in {strangers:?}");
        assert!(!users.is_empty(), "{crate_name} is not used at all");
    }
}

#[test]
fn nothing_is_printed_past_the_console() {
    let printed = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "io::stdout()", "io::stderr()"];
    for source in sources("src").iter().filter(|source| source.path != "render/console.rs") {
        let mut lines = source.shipped().iter();
        assert!(!lines.any(|line| printed.iter().any(|word| line.contains(word))), "{} prints", source.path);
    }
}

#[test]
fn every_file_begins_with_what_it_is_for_and_none_is_too_long() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            let text = std::fs::read_to_string(root().join(folder).join(&source.path)).unwrap();
            if folder == "src" && source.length > LONGEST_FILE {
                wrong.push(format!("{folder}/{} has {} lines", source.path, source.length));
            }
            if !text.starts_with("//! ") {
                wrong.push(format!("{folder}/{} does not say what it is for", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_test_file_is_forgotten() {
    for binary in ["it", "openstack"] {
        let folder = root().join("tests").join(binary);
        for path in rust_files(&folder) {
            let (parent, stem) = (path.parent().unwrap(), path.file_stem().unwrap().to_str().unwrap());
            let (door, name) = match stem {
                "main" => continue,
                "mod" => (parent.parent().unwrap(), parent.file_name().unwrap().to_str().unwrap()),
                stem => (parent, stem),
            };
            let door = if door == folder { door.join("main.rs") } else { door.join("mod.rs") };
            let listed = std::fs::read_to_string(&door).unwrap();
            let declared = listed.lines().any(|line| line.ends_with(&format!("mod {name};")));
            assert!(declared, "{} does not list {name}", door.display());
        }
    }
}
