//! Every mistake is found, at its place, with the others.

use super::{CATALOGUE, completed, found, listed, valid};
use crate::manifest::codes::Code;

#[test]
fn every_code_is_explained_by_an_example_that_yields_it_and_one_that_does_not() {
    for code in Code::ALL {
        let explanation = code.explanation();
        assert!(explanation.len() > 100, "{code} has no explanation");
        let mut examples = explanation.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let Some(wrong) = examples.next() else {
            // Neither is about the text of images.toml.
            assert!(matches!(code, Code::Unreadable | Code::LockMisfit), "{code} has no example");
            continue;
        };
        let mistakes = found(&completed(wrong));
        let codes: Vec<Code> = mistakes.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [*code], "{wrong}\n{}", listed(&mistakes));
        valid(&completed(examples.next().unwrap()));
    }
}

#[test]
fn codes_are_found_by_name() {
    assert_eq!(Code::from_name("e0102"), Some(Code::UnknownKey));
    assert_eq!(Code::from_name("E9999"), None);
}

/// Fragment, then what is found: code, line, column, and the replacement offered.
pub(super) type Case = (&'static str, &'static str, usize, usize, Option<&'static str>);

pub(super) const BROKEN: &[Case] = &[
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
    ("[import]\nstores = [\"a\"]\nstore = \"b\"", "E0111", 3, 9, None),
    ("[import]\nmethod = [\"upload\", \"web\"]", "E0104", 2, 21, None),
    ("[import]\nmethod = [\"upload\", \"upload\"]", "E0111", 2, 21, None),
    ("[import]\nmethod = []", "E0109", 2, 10, None),
    ("[import]\nconvert = \"qemu_img\"", "E0104", 2, 11, Some("\"qemu-img\"")),
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
    (
        "[[image]]\nfamily = \"x\"\nnmae = \"X\"\nsource = { distro = \"rocky\", release = \"9\" }",
        "E0102",
        3,
        1,
        Some("name"),
    ),
    (
        "[[image]]\nfamily = \"x\"\nname = \"X\"\nsource = { distor = \"rocky\", release = \"9\" }",
        "E0102",
        4,
        12,
        Some("distro"),
    ),
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
        let rendered = listed(&mistakes);
        assert_eq!(mistakes.len(), 1, "{fragment}\n{rendered}");
        let mistake = &mistakes[0];
        let start = mistake.start();
        let offered = mistake.suggestion.as_ref().map(|suggestion| suggestion.replacement.as_str());
        assert_eq!(
            (mistake.code.name(), start.line, start.column, offered),
            (*code, *line, *column, *near),
            "{rendered}"
        );
    }
}

/// Sources, and what is found in them: code and column.
pub(super) fn broken_sources() -> Vec<(String, &'static str, usize)> {
    const DIGEST: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    vec![
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
    ]
}

#[test]
fn mistakes_of_sources_are_found_at_their_place() {
    for (source, code, column) in broken_sources() {
        let mistakes = found(&format!("{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = {source}\n"));
        let rendered = listed(&mistakes);
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
