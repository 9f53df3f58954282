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
fn a_rotation_reads_like_this() {
    insta::assert_snapshot!(usual(&rotation()), @r#"
    Cloud   prod   https://keystone.prod.example:5000/v3   region fra1
    As      image-publisher in project service
    Config  images.toml, 12 families
    Read    35 managed images in 1.2 s

    Actions:
      + create   ~ update in place   - delete

      ~ debian-12/20261110-2300  will be updated in place: somebody changed it since it was last applied
          id           28700b18-d137-a2eb-41d4-4a22c44057c0 (stays)
        ~ hw_disk_bus  "virtio" -> "scsi"
        - note         "by hand"
          (8 unchanged attributes hidden)

      - ubuntu-24.04/20260807  will be DELETED: superseded, due, and nothing uses it
          id       74d7099d-98c3-1e79-80f7-a7825ab9bca6
          name     "Ubuntu 24.04 Noble Numbat - 2026-08-08"
          size     596 MiB
          since    uploaded 2026-08-08, superseded 2026-09-13
          used by  0 servers, 0 volumes

      ~ ubuntu-24.04/20261015  will be updated in place: 20261118 takes over
          id          3cca4075-26fd-dc75-707b-0cee9c534b61 (stays)
        ~ name        "Ubuntu 24.04 Noble Numbat - Latest" -> "Ubuntu 24.04 Noble Numbat - 2026-10-15"
        ~ visibility  public -> community
        ~ protected   true -> false
          (6 unchanged attributes hidden)

      + ubuntu-24.04/20261118  will be created: a new version, it takes over from 20261015
          id          (known after apply)
        + name        "Ubuntu 24.04 Noble Numbat - Latest"
        + source      https://cloud-images.ubuntu.com/noble/20261118/noble-server-cloudimg-amd64.img
        + sha256      9d5ec1a09d5e...   signed by D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81
        + size        596 MiB
        + visibility  public
        + protected   true
        + min_disk    (known after apply)
        + min_ram     512 MiB
        + properties  3 set

    In short:
      + ubuntu-24.04/20261118    create "Ubuntu 24.04 Noble Numbat - Latest", public
      ~ debian-12/20261110-2300  hw_disk_bus and note   (drift)
      ~ ubuntu-24.04/20261015    rename to "Ubuntu 24.04 Noble Numbat - 2026-10-15", make community and unprotect
      - ubuntu-24.04/20260807    DELETE "Ubuntu 24.04 Noble Numbat - 2026-08-08"

    Held:
      - ubuntu-24.04/20260701  delete: in use by at least 1 server and 1 volume in 1 project
          project 7be2: servers c0ffee00-0000; volumes beef0000-0000

    Notes:
      new versions are shown without having been booted: images.toml has no [boot_test]

    Guard   ok      1 of 35 managed images would be deleted; the limit is 10
    Fetch   596 MiB
    Plan    7f3a91c2d0e4

    Plan: 1 to add, 2 to change, 1 to destroy.
    "#);
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
