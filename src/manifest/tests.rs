//! What the whole reader does with whole files.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::codes::{Code, Severity};
use super::contents::{Manifest, Source};
use super::diagnostic::Diagnostic;
use crate::model::desired::{Audience, BootNetwork};
use crate::model::image::{Listing, Protection, Visibility};
use crate::model::lifecycle::DeleteWhen;
use crate::model::name::FamilyName;
use crate::model::version::{Compression, DiskFormat};
use crate::render::diagnostics::{Style, human, json};

const CATALOGUE: &str = "[catalogue]\nname = \"test\"\n";
const IMAGE: &str =
    "[[image]]\nfamily = \"rocky-9\"\nname = \"Rocky Linux 9\"\nsource = { distro = \"rocky\", release = \"9\" }\n";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/ubuntu-cloudimg.asc"), "key").unwrap();
    fs::write(folder.path().join("my-image.qcow2"), "QFI").unwrap();
    folder
}

fn read(text: &str) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    super::read("images.toml", text.to_owned(), folder().path())
}

fn found(text: &str) -> Vec<Diagnostic> {
    read(text).map_or_else(|found| found, |(_, warnings)| warnings)
}

fn valid(text: &str) -> Manifest {
    match read(text) {
        Ok((manifest, warnings)) => {
            assert_eq!(warnings, [], "{}", human(&warnings, Style::Plain));
            manifest
        }
        Err(found) => panic!("{}", human(&found, Style::Plain)),
    }
}

/// A fragment made a whole file: what it leaves out goes behind it, so that lines keep their numbers.
fn completed(fragment: &str) -> String {
    if fragment.starts_with("## A whole file") {
        return fragment.to_owned();
    }
    let mut text = format!("{fragment}\n");
    if !fragment.contains("[catalogue]") {
        text.push_str(CATALOGUE);
    }
    if !fragment.contains("[[image]]") {
        text.push_str(IMAGE);
    }
    text
}

fn family<'a>(manifest: &'a Manifest, name: &str) -> &'a super::FamilySpec {
    &manifest.families[&FamilyName::parse(name).unwrap()]
}

#[test]
fn every_code_is_explained_by_an_example_that_yields_it_and_one_that_does_not() {
    for code in Code::ALL {
        let explanation = code.explanation();
        assert!(explanation.len() > 100, "{code} has no explanation");
        let mut examples = explanation.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let Some(wrong) = examples.next() else {
            assert_eq!(*code, Code::Unreadable, "{code} has no example");
            continue;
        };
        let mistakes = found(&completed(wrong));
        let codes: Vec<Code> = mistakes.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [*code], "{wrong}\n{}", human(&mistakes, Style::Plain));
        valid(&completed(examples.next().unwrap()));
    }
}

#[test]
fn codes_are_found_by_name() {
    assert_eq!(Code::from_name("e0102"), Some(Code::UnknownKey));
    assert_eq!(Code::from_name("E9999"), None);
}

/// Fragment, then what is found: code, line, column, and the replacement offered.
type Case = (&'static str, &'static str, usize, usize, Option<&'static str>);

const BROKEN: &[Case] = &[
    ("[catalouge]\nname = \"x\"\n[catalogue]\nname = \"x\"", "E0102", 1, 2, Some("catalogue")),
    ("[lifecycle.lastest]\nname = \"{name}\"", "E0102", 1, 12, Some("latest")),
    ("[defaults]\narchitecure = \"x86_64\"", "E0102", 2, 1, Some("architecture")),
    ("[guards]\nmax_delets = 3", "E0102", 2, 1, Some("max_deletes")),
    ("[publisher.ubunto]\ntrust = \"https\"", "E0102", 1, 12, Some("ubuntu")),
    ("[boot_test]\nflavor = \"a\"\nzzz = 1", "E0102", 3, 1, None),
    ("[boot_test]\nnetwork = \"none\"", "E0105", 1, 1, None),
    ("[boot_test]\nflavor = 1", "E0103", 2, 10, Some("\"1\"")),
    ("[boot_test]\nflavor = \"\"", "E0108", 2, 10, None),
    ("[boot_test]\nflavor = \"a\"\ntimeout = \"3d\"", "E0107", 3, 11, None),
    ("[boot_test]\nflavor = \"a\"\ntimeout = 10", "E0103", 3, 11, Some("\"10\"")),
    ("[boot_test]\nflavor = \"a\"\nconsole = \"[\"", "E0113", 3, 11, None),
    ("[import]\nmethod = \"web_download\"", "E0104", 2, 10, Some("\"web-download\"")),
    ("[import]\nstores = \"ceph\"", "E0103", 2, 10, Some("[\"ceph\"]")),
    ("[import]\nstores = [\"a\", \"b\", \"a\"]", "E0111", 2, 21, None),
    ("[guards]\nmax_deletes = -1", "E0106", 2, 15, None),
    ("[guards]\nmax_deletes = \"30 %\"", "E0103", 2, 15, Some("30")),
    ("[publisher.ubuntu]\ntrust = \"sign\"", "E0104", 2, 9, Some("\"signed\"")),
    ("[publisher.ubuntu]\nmirror = \"ftp://mirror.example\"", "E0123", 2, 10, None),
    ("[publisher.ubuntu]\nmirror = \"mirror.example\"", "E0123", 2, 10, None),
    ("[publisher.ubuntu]\nmirror = \"https://mirror.example/?a=b\"", "E0123", 2, 10, None),
    ("[publisher.ubuntu]\nkeys = [\"/etc/passwd\"]", "E0125", 2, 9, None),
    ("[publisher.ubuntu]\nkeys = [\"keys\"]", "E0126", 2, 9, None),
    ("[defaults.properties]\nos_version = 24.04", "E0103", 2, 14, Some("\"24.04\"")),
    ("[defaults.properties]\nos_glance_import = \"x\"", "E0115", 2, 1, None),
    ("[defaults.properties]\nbase_image_ref = \"x\"", "E0115", 2, 1, None),
    ("[defaults.properties]\na = [1]", "E0103", 2, 5, None),
    ("[defaults]\nignore_properties = [\"a*b\"]", "E0108", 2, 22, None),
    ("[defaults]\nprotected = \"true\"", "E0103", 2, 13, Some("true")),
    ("[defaults]\nmin_disk = 2147483648", "E0106", 2, 12, None),
    ("[defaults]\narchitecture = \"amd64\"", "E0104", 2, 16, None),
    ("[lifecycle.delete]\nwhen = \"Unused\"", "E0104", 2, 8, Some("\"unused\"")),
    ("[lifecycle.delete]\nafter = \"90 minutes\"", "E0107", 2, 9, None),
    ("[lifecycle.delete]\nafter = \"-3d\"", "E0107", 2, 9, None),
    ("[lifecycle.delete]\nafter = \"soon\"", "E0107", 2, 9, None),
    ("[lifecycle.superseded]\nvisibility = \"community\"", "E0103", 1, 1, None),
    ("[lifecycle.latest]\nname = \"{name} - {upladed}\"", "E0112", 2, 19, Some("uploaded")),
    ("[lifecycle.latest]\nname = \"{name\"", "E0112", 2, 9, None),
    ("[lifecycle.latest]\nname = \"{name} 🚀\"", "E0114", 7, 8, None),
    ("[catalogue]\nname = \"\"", "E0108", 2, 8, None),
    ("[catalogue]\nname = \"x\"\nclouds = [{ cloud = \"a\", regions = [] }]", "E0109", 3, 36, None),
    ("[catalogue]\nname = \"x\"\nclouds = [{ cloud = \"a\" }, { cloud = \"a\" }]", "E0111", 3, 38, None),
    ("moved = [{ from = \"rocky-9\", to = \"rocky-9\" }]", "E0132", 1, 19, None),
    ("image = []", "W0150", 1, 1, None),
    ("[image]\nfamily = \"x\"", "E0103", 1, 1, None),
    ("a = \"x\n", "E0101", 1, 5, None),
];

#[test]
fn every_mistake_is_found_at_its_place() {
    for (fragment, code, line, column, near) in BROKEN {
        let text = match *code {
            // These say something about images, so no image is added.
            _ if fragment.contains("image]") || fragment.starts_with("image") => format!("{fragment}\n{CATALOGUE}"),
            _ => completed(fragment),
        };
        let mistakes = found(&text);
        let rendered = human(&mistakes, Style::Plain);
        assert_eq!(mistakes.len(), 1, "{fragment}\n{rendered}");
        let mistake = &mistakes[0];
        let start = mistake.start();
        let offered = mistake.suggestion.as_ref().map(|suggestion| suggestion.replacement.as_str());
        assert_eq!(
            (mistake.code.name(), start.line, start.column, offered),
            (*code, *line, *column, *near),
            "{rendered}"
        );
        assert!(rendered.contains(&format!("images.toml:{line}:{column}")), "{rendered}");
    }
}

#[test]
fn mistakes_of_sources_are_found_at_their_place() {
    const DIGEST: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    for (source, code, column) in [
        ("{}".to_owned(), "E0124", 10),
        ("{ distro = \"ubunut\", release = \"24.04\" }".to_owned(), "E0104", 21),
        ("{ distro = \"ubuntu\" }".to_owned(), "E0124", 10),
        ("{ distro = \"ubuntu\", release = 24.04 }".to_owned(), "E0103", 41),
        ("{ distro = \"ubuntu\", release = \"../x\" }".to_owned(), "E0108", 41),
        ("{ distro = \"archlinux\", release = \"2026\" }".to_owned(), "E0124", 34),
        ("{ distro = \"debian\", release = \"12\", url = \"https://x.example/y\" }".to_owned(), "E0124", 47),
        (format!("{{ url = \"https://x.example/y\", sha256 = \"{DIGEST}\" }}"), "E0105", 10),
        (
            format!("{{ url = \"https://x.example/y?X-Amz-Signature=1\", version = \"1\", sha256 = \"{DIGEST}\" }}"),
            "E0123",
            18,
        ),
        ("{ url = \"https://x.example/y\", version = \"1\", sha256 = \"abc\" }".to_owned(), "E0122", 65),
        ("{ url = \"https://x.example/y\", version = \"1\" }".to_owned(), "E0120", 18),
        (
            format!("{{ url = \"https://x.example/y\", version = \"1\", sha256 = \"{DIGEST}\", sha1 = \"x\" }}"),
            "E0121",
            133,
        ),
        (
            format!(
                "{{ url = \"https://x.example/y\", version = \"1\", sha256 = \"{DIGEST}\", compression = \"gzip\" }}"
            ),
            "E0104",
            147,
        ),
        (
            format!("{{ url = \"https://x.example/y\", version = \"1\", sha256 = \"{DIGEST}\", built = \"May\" }}"),
            "E0107",
            141,
        ),
        ("{ file = \"/etc/shadow\", version = \"1\" }".to_owned(), "E0125", 19),
        ("{ file = \"keys\", version = \"1\" }".to_owned(), "E0126", 19),
        ("{ file = \"my-image.qcow2\" }".to_owned(), "E0105", 10),
        ("{ file = \"my-image.qcow2\", version = \"1\", sha256 = \"x\" }".to_owned(), "E0124", 52),
    ] {
        let mistakes = found(&format!("{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = {source}\n"));
        let rendered = human(&mistakes, Style::Plain);
        let places: Vec<_> = mistakes
            .iter()
            .map(|mistake| (mistake.code.name(), mistake.start().line, mistake.start().column))
            .collect();
        assert_eq!(places, [(code, 6, column)], "{rendered}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_in_order() {
    let text = "
[catalogue]
name = \"my catalogue\"
[lifecycle.latest]
name = \"{nam}\"
visibility = \"publik\"
[lifecycle.delete]
after = \"1h\"
[defaults]
min_ram = \"1 GB\"
[[image]]
family = \"a\"
name = \"A\"
pin = \"1\"
skip = [\"1\"]
source = { distro = \"ubuntu\" }
[[image]]
family = \"a\"
visiblity = \"public\"
name = \"A\"
source = { url = \"http://x.example/y\", version = \"1\" }
[[image]]
family = \"b\"
source = { file = \"../b\", version = \"1\" }
[image.properties]
id = 3
[extra]
";
    let places: Vec<_> = found(text).iter().map(|mistake| (mistake.start().line, mistake.code.name())).collect();
    assert_eq!(
        places,
        [
            (3, "E0108"),
            (5, "E0112"),
            (6, "E0104"),
            (8, "E0107"),
            (10, "E0103"),
            (14, "E0133"),
            (16, "E0124"),
            (18, "E0111"),
            (19, "E0102"),
            (21, "E0120"),
            (22, "E0105"),
            (24, "E0125"),
            (26, "E0115"),
            (27, "E0102"),
        ]
    );
}

#[test]
fn broken_syntax_hides_neither_other_syntax_errors_nor_misspelt_keys() {
    let mistakes = found("[catalogue\nname = \"x\"\n[defaults]\nmin_rma = 3\narchitecture = \"x\n");
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.start().line, mistake.code.name())).collect();
    assert_eq!(places.first(), Some(&(1, "E0101")), "{places:?}");
    assert!(places.contains(&(4, "E0102")) && places.contains(&(5, "E0101")), "{places:?}");
    assert!(!places.iter().any(|(_, code)| *code == "E0105"), "{places:?}");
}

#[test]
fn the_shipped_files_are_valid() {
    let (manifest, warnings) = super::load(&repository().join("images.toml")).unwrap();
    assert_eq!((manifest.families.len(), warnings.len()), (9, 0));
    let mut examples = 0;
    for entry in fs::read_dir(repository().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let (manifest, warnings) =
                super::load(&path).unwrap_or_else(|found| panic!("{}", human(&found, Style::Plain)));
            assert!(!manifest.families.is_empty());
            // The private image itself is the reader's.
            assert!(warnings.iter().all(|warning| warning.code == Code::FileNotThere), "{}", path.display());
            examples += 1;
        }
    }
    assert_eq!(examples, 7);
}

#[test]
fn what_the_file_leaves_out_is_filled_in() {
    let manifest = valid(&format!("{CATALOGUE}{IMAGE}"));
    let rocky = family(&manifest, "rocky-9");
    assert_eq!(rocky.lifecycle, manifest.retirement);
    assert_eq!(rocky.lifecycle.latest.name.source(), "{name} - Latest");
    assert_eq!(rocky.lifecycle.latest.visibility, Visibility::Public);
    assert_eq!(rocky.lifecycle.latest.protection, Protection::Protected);
    let stage = &rocky.lifecycle.superseded[0];
    assert_eq!(stage.name.as_ref().map(crate::model::template::Template::source), Some("{name} - {uploaded}"));
    assert_eq!((stage.visibility, stage.protection), (Some(Visibility::Community), None));
    assert_eq!((rocky.lifecycle.deletion.when, rocky.lifecycle.deletion.keep), (DeleteWhen::Unused, 0));
    assert_eq!((rocky.audience, rocky.min_disk, rocky.min_ram), (Audience::Everybody, None, 0));
    assert!(manifest.boot_test.is_none() && manifest.clouds.is_empty());
}

#[test]
fn an_image_overrides_its_defaults_and_its_catalogue() {
    let manifest = valid(&format!(
        "{CATALOGUE}[lifecycle.latest]\nname = \"{{name}}_latest\"\n[lifecycle.delete]\nkeep = 5\n[defaults]\nmin_ram = 64\n\
         [defaults.properties]\na = 1\nb = true\n{IMAGE}min_ram = 128\nprotected = false\nhidden = true\n\
         [image.properties]\nb = \"no\"\n[image.lifecycle.delete]\nwhen = \"never\"\n\
         [[image]]\nfamily = \"mine\"\nname = \"mine\"\nvisibility = \"private\"\nsource = {{ file = \"my-image.qcow2\", version = \"1\" }}\n\
         [boot_test]\nflavor = \"f\"\nnetwork = \"lan\"\ntimeout = \"90s\"\n"
    ));
    let rocky = family(&manifest, "rocky-9");
    assert_eq!(rocky.min_ram, 128);
    let properties: Vec<_> = rocky.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(properties, [("a", "1"), ("b", "no")]);
    assert_eq!(rocky.lifecycle.latest.name.source(), "{name}_latest");
    assert_eq!(rocky.lifecycle.latest.protection, Protection::Unprotected);
    assert_eq!(rocky.lifecycle.latest.listing, Listing::Hidden);
    assert_eq!((rocky.lifecycle.deletion.when, rocky.lifecycle.deletion.keep), (DeleteWhen::Never, 5));
    let mine = family(&manifest, "mine");
    assert_eq!((mine.audience, mine.lifecycle.latest.visibility), (Audience::Project, Visibility::Private));
    assert_eq!(mine.lifecycle.latest.name.source(), "{name}");
    assert!(mine.lifecycle.superseded.iter().all(|stage| stage.visibility.is_none()));
    assert_eq!(mine.lifecycle.deletion.keep, 5);
    let Source::File { disk_format, compression, .. } = &mine.source else { panic!("{:?}", mine.source) };
    assert_eq!((*disk_format, *compression), (DiskFormat::Qcow2, Compression::None));
    let boot_test = manifest.boot_test.as_ref().unwrap();
    assert_eq!((&boot_test.network, boot_test.timeout), (&BootNetwork::Network("lan".to_owned()), 90));
    assert_eq!(manifest.retirement.latest.protection, Protection::Protected);
}

#[test]
fn formats_are_told_by_file_names() {
    let digest = "ab".repeat(32);
    for (name, format, compression) in [
        ("a.qcow2", DiskFormat::Qcow2, Compression::None),
        ("a.img", DiskFormat::Qcow2, Compression::None),
        ("a.raw.xz", DiskFormat::Raw, Compression::Xz),
        ("a.VMDK", DiskFormat::Vmdk, Compression::None),
        ("a.iso?x=1", DiskFormat::Iso, Compression::None),
        ("latest", DiskFormat::Qcow2, Compression::None),
    ] {
        let manifest = valid(&format!(
            "{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\n\
             source = {{ url = \"https://x.example/{name}\", version = \"1\", sha256 = \"{digest}\", built = 2026-10-15 }}\n"
        ));
        let Source::Url { disk_format, compression: found, built, .. } = &family(&manifest, "a").source else {
            panic!()
        };
        assert_eq!((*disk_format, *found, built.is_some()), (format, compression, true), "{name}");
    }
}

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
        let found =
            super::read("images.toml", text, folder.path()).map_or_else(|found| found, |(_, warnings)| warnings);
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
        let found = super::load(&path(name)).unwrap_err();
        assert_eq!(found[0].code, Code::Unreadable);
        assert!(human(&found, Style::Plain).contains(reason), "{name}: {}", found[0].detail);
    }
}

/// Whatever the text, the reader and both renderings come to an end, and a refusal has a reason.
fn survives(text: &str) {
    let name = "images.toml";
    let found = match super::read(name, text.to_owned(), repository()) {
        Ok((_, warnings)) => warnings,
        Err(found) => {
            assert!(
                found.iter().any(|mistake| mistake.severity() == Severity::Error),
                "refused without reason: {text}"
            );
            found
        }
    };
    human(&found, Style::Coloured);
    for diagnostic in &found {
        json(diagnostic);
    }
    drop(super::lock::read("images.lock.toml", text.to_owned()));
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
        (0..100_000).map(|number| format!("key{number} = 1\n")).collect(),
        "=\n".repeat(100_000),
        format!("[[image]]\nskip = [{}]", "\"1\",".repeat(100_000)),
    ] {
        survives(&text);
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_mutation_of_a_valid_file_is_survived(
        place in 0_usize..6000,
        length in 0_usize..40,
        insert in "[\\[\\]{}=\"'a-z0-9.\\n\\r #🚀\u{e9}\\\\]{0,12}",
    ) {
        let mut text = include_str!("../../images.toml").to_owned();
        let start = text.floor_char_boundary(place);
        let end = text.ceil_char_boundary(start + length);
        text.replace_range(start..end, &insert);
        survives(&text);
    }
}
