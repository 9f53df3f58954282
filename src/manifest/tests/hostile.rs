//! Files that lead out, cannot be read, or were made to break the reader.

use crate::manifest::accept::tests::GOOD as ACCEPT;
use std::fs;

use proptest::prelude::*;

use super::{CATALOGUE, folder, repository};
use crate::manifest::codes::{Code, Severity};
use crate::model::testing::{bounded, harm};

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    let folder = folder();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("out.qcow2")).unwrap();
    std::os::unix::fs::symlink("my-image.qcow2", folder.path().join("in.qcow2")).unwrap();
    for (file, mistakes) in [("out.qcow2", vec![Code::OutsideFolder]), ("in.qcow2", vec![])] {
        let text = format!(
            "{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = {{ file = \"{file}\", version = \"1\" }}\n"
        );
        let found = crate::manifest::read("images.toml", text, folder.path())
            .map_or_else(|found| found, |(_, warnings)| warnings);
        assert_eq!(found.iter().map(|mistake| mistake.code).collect::<Vec<_>>(), mistakes, "{file}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("bom"), b"\xef\xbb\xbfa = 1").unwrap();
    fs::write(path("latin"), b"a = 1\nb = \"\xe9\"").unwrap();
    fs::write(path("large"), vec![b'#'; 11 << 20]).unwrap();
    for (name, reason) in [
        ("missing", "no such file"),
        ("keys", "folder"),
        ("bom", "byte order mark"),
        ("latin", "line 2"),
        ("large", "larger than 4 MiB"),
    ] {
        let found = crate::manifest::load(&path(name)).unwrap_err();
        assert_eq!(found[0].code, Code::Unreadable);
        assert!(found[0].detail.contains(reason), "{name}: {}", found[0].detail);
    }
}

const LOCK: &str = "\
[[version]]
family = \"fedora-coreos-stable\"
architecture = \"x86_64\"
version = \"44.20260707.3.1\"
url = \"https://publisher.example/44.qcow2.xz\"
sha256 = \"abababababababababababababababababababababababababababababababab\"
stored_sha256 = \"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"
size = 1000
compression = \"xz\"
disk_format = \"qcow2\"
built = 2026-07-07
trust = \"https\"
signature = { fingerprint = \"ABABABABABABABAB\", signature = \"-----BEGIN PGP SIGNATURE-----\", key = \"\" }
packages = { url = \"https://publisher.example/44.manifest\", dialect = \"ubuntu-manifest\" }
";

#[test]
fn what_is_mutated_is_right_before() {
    assert!(crate::manifest::lock::read("images.lock.toml", LOCK.to_owned()).is_ok());
    assert!(crate::manifest::accept::read("accepted.toml", ACCEPT.to_owned()).is_ok());
}

/// Whatever the text, the reader comes to an end, a refusal has a reason, and every place is within the text.
fn survives(text: &str) {
    let found = match crate::manifest::read("images.toml", text.to_owned(), repository()) {
        Ok((_, warnings)) => warnings,
        Err(found) => {
            assert!(
                found.iter().any(|mistake| mistake.severity() == Severity::Error),
                "refused without reason: {text}"
            );
            found
        }
    };
    for diagnostic in &found {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{:?} is no place in {text}", diagnostic.span);
    }
    drop(crate::manifest::lock::read("images.lock.toml", text.to_owned()));
    drop(crate::manifest::accept::read("accepted.toml", text.to_owned()));
}

#[test]
fn deep_and_odd_files_are_survived() {
    for text in [
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        "\r\n[[image]]\r\nfamily = 3\r\n".to_owned(),
        "a = \"\u{202e}\u{1b}[31m\"".to_owned(),
        "\u{0}".to_owned(),
        "[image]\n[[image]]".to_owned(),
        (0..20_000).map(|number| format!("key{number} = 1")).collect::<Vec<_>>().join("\n"),
        "=\n".repeat(20_000),
        format!("[[image]]\nskip = [{}]", "\"1\",".repeat(20_000)),
    ] {
        survives(&text);
    }
}

#[test]
fn any_text_is_survived() {
    bounded(|| proptest!(|(text in "\\PC{0,200}")| survives(&text)));
}

#[test]
fn any_mutation_of_a_valid_file_is_survived() {
    bounded(|| {
        let files = [include_str!("../../../images.toml"), LOCK, ACCEPT];
        proptest!(|(
            file in prop::sample::select(files.to_vec()),
            place in 0_usize..6000,
            length in 0_usize..40,
            insert in "[\\[\\]{}=\"'a-z0-9.\\n\\r #🚀\u{e9}\\\\]{0,12}",
            harm in harm(),
        )| {
            survives(&harm.done_to_text(file));
            let mut text = file.to_owned();
            let start = text.floor_char_boundary(place % text.len());
            let end = text.ceil_char_boundary(start + length);
            text.replace_range(start..end, &insert);
            survives(&text);
        });
    });
}
