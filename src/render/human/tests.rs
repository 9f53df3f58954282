//! What plans look like on a terminal.

use super::*;
use crate::model::name::SiteName;
use crate::model::passage::{Converter, Original, Passage, Route};
use crate::model::version::DiskFormat;
use crate::render::Styles;
use crate::render::escape::tests::hostile;
use crate::render::testing::{blocked, empty, hostile_document, imported, rotation};

fn usual(document: &Document) -> String {
    render(document, Manner::default())
}

#[test]
fn nothing_to_do_is_one_line() {
    insta::assert_snapshot!(usual(&empty()), @r#"
    No changes. All 35 managed images on fra1 match images.toml.
    "#);
}

#[test]
fn nothing_to_do_still_tells_what_is_held() {
    let mut document = empty();
    document.gallerist.holds = rotation().gallerist.holds;
    document.gallerist.summary.held = document.gallerist.holds.len();
    insta::assert_snapshot!(usual(&document), @r#"
    Held:
      - ubuntu-24.04/20260701  delete: in use by at least 1 server and 1 volume in 1 project
          project 7be2: servers c0ffee00-0000; volumes beef0000-0000

    No changes. Of 35 managed images on fra1, 1 operation is held.
    "#);
}

#[test]
fn the_last_line_is_the_count_whatever_else_is_said() {
    for verbosity in [Verbosity::Brief, Verbosity::Usual, Verbosity::Full] {
        let manner = Manner { verbosity, ..Manner::default() };
        let last = |document: &Document| render(document, manner).lines().last().unwrap().to_owned();
        assert_eq!(last(&rotation()), "Plan: 1 to add, 2 to change, 1 to destroy.");
        assert_eq!(last(&blocked()), "Plan: 0 to add, 0 to change, 9 to destroy.");
        assert!(last(&empty()).starts_with("No changes."));
    }
}

#[test]
fn a_refused_plan_is_shown_whole() {
    let text = usual(&blocked());
    assert_eq!(text.matches("will be DELETED").count(), 9);
    assert!(text.contains("REFUSED 9 of 35 managed images would be deleted"), "{text}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = render(&rotation(), Manner { styles: Styles::default().colorize(), ..Manner::default() });
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(coloured, plain);
    assert_eq!(plain, usual(&rotation()));
}

#[test]
fn everything_is_told_to_those_who_ask_for_it() {
    let text = render(&rotation(), Manner { verbosity: Verbosity::Full, ..Manner::default() });
    assert!(!text.contains("hidden)"), "{text}");
    assert!(text.contains("gallerist:superseded=2026-11-23"), "{text}");
    assert!(text.contains("is to be deleted on"), "{text}");
}

#[test]
fn no_name_can_mislead_a_reader() {
    for (name, verbosity) in hostile().iter().flat_map(|name| [(name, Verbosity::Usual), (name, Verbosity::Full)]) {
        let shown = |name: &str| render(&hostile_document(name), Manner { verbosity, ..Manner::default() });
        let text = shown(name);
        assert_eq!(text.lines().last(), Some("Plan: 1 to add, 1 to change, 1 to destroy."), "{name:?}");
        assert_eq!(text.lines().count(), shown("tame").lines().count(), "{name:?}");
        assert!(!text.contains(['\u{1b}', '\r', '\u{202e}', '\u{200b}']), "{name:?}");
        assert!(!text.contains("##["), "{name:?}");
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{name:?}");
    }
}

#[test]
fn the_way_of_the_bytes_is_told_where_it_is_no_plain_upload() {
    let site = SiteName::parse("fra1").unwrap();
    let original = Original { site, region: "fra1".to_owned(), image: None };
    let passage = |route, stores: &[&str], converter| Passage {
        route,
        stores: stores.iter().map(|store| (*store).to_owned()).collect(),
        converter,
        disk_format: DiskFormat::Raw,
    };
    for (passage, told) in [
        (passage(Route::Web, &[], None), "+ import      web-download\n"),
        (passage(Route::Upload, &["ceph"], None), "+ import      upload into ceph\n"),
        (
            passage(Route::Copy(Box::new(original)), &["ceph", "tape"], None),
            "+ import      glance-download from fra1 into ceph and tape\n",
        ),
        (
            passage(Route::Upload, &[], Some(Converter::QemuImg)),
            "+ disk_format  raw, converted from qcow2 with qemu-img\n",
        ),
        (passage(Route::Direct, &[], Some(Converter::Glance)), "+ disk_format  raw, converted from qcow2 by Glance\n"),
    ] {
        let text = usual(&imported(passage));
        assert!(text.contains(told), "`{told}` is not in\n{text}");
    }
    assert!(!usual(&rotation()).contains("+ import"));
}
