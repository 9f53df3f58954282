//! What plans look like in a comment.

use super::*;
use crate::render::escape::tests::hostile;
use crate::render::testing::{blocked, empty, hostile_document, rotation};

#[test]
fn a_rotation_reads_like_this() {
    insta::assert_snapshot!(render(&rotation()), @r#"
    <!-- gallerist:plan catalogue=wiit-public sites=fra1 v=1 -->
    ### Image plan for `fra1`: 1 to add, 2 to change, **1 to destroy**

    > [!CAUTION]
    > **1 image is deleted for good:** `ubuntu-24.04/20260807`.

    | | Image | What | Why |
    |:-:|---|---|---|
    | ➖ | `ubuntu-24.04/20260807` | **DELETE "Ubuntu 24.04 Noble Numbat - 2026-08-08"** | superseded, due, and nothing uses it |
    | ➕ | `ubuntu-24.04/20261118` | create "Ubuntu 24.04 Noble Numbat - Latest", public | a new version, it takes over from 20261015 |
    | 🟡 | `debian-12/20261110-2300` | hw\_disk\_bus and note | **drift**: somebody changed it since it was last applied |
    | 🟡 | `ubuntu-24.04/20261015` | rename to "Ubuntu 24.04 Noble Numbat - 2026-10-15", make community and unprotect | 20261118 takes over |

    **Guards:** 1 of 35 managed images would be deleted; the limit is 10 ✅

    **Held**

    - delete `ubuntu-24.04/20260701`: in use by at least 1 server and 1 volume in 1 project

    **Notes**

    - new versions are shown without having been booted: images.toml has no \[boot\_test\]

    <details><summary>What changes (4 images)</summary>

    ```diff
    # ubuntu-24.04/20260807 will be DELETED
    - name           "Ubuntu 24.04 Noble Numbat - 2026-08-08"
    - visibility     community
    - protected      true
    - os_hidden      false
    - min_disk       4 GiB
    - min_ram        512 MiB
    - architecture   "x86_64"
    - hw_disk_bus    "scsi"
    - os_distro      "ubuntu"
    - tag            "gallerist"
    - tag            "gallerist:catalogue=wiit-public"
    - tag            "gallerist:digest=sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0"
    - tag            "gallerist:family=ubuntu-24.04"
    - tag            "gallerist:superseded=2026-09-13"
    - tag            "gallerist:uploaded=2026-08-08"
    - tag            "gallerist:version=20260807"

    # ubuntu-24.04/20261118 will be created
    + name           "Ubuntu 24.04 Noble Numbat - Latest"
    + visibility     public
    + protected      true
    + os_hidden      false
    + min_disk       (known after apply)
    + min_ram        512 MiB
    + architecture   "x86_64"
    + hw_disk_bus    "scsi"
    + os_distro      "ubuntu"
    + tag            "gallerist"
    + tag            "gallerist:catalogue=wiit-public"
    + tag            "gallerist:digest=sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0"
    + tag            "gallerist:family=ubuntu-24.04"
    + tag            "gallerist:uploaded=2026-11-23"
    + tag            "gallerist:version=20261118"

    # debian-12/20261110-2300 will be updated in place
      architecture   "x86_64"
    - hw_disk_bus    "virtio"
    - note           "by hand"
    + hw_disk_bus    "scsi"
      os_distro      "ubuntu"

    # ubuntu-24.04/20261015 will be updated in place
    - name           "Ubuntu 24.04 Noble Numbat - Latest"
    - visibility     public
    - protected      true
    + name           "Ubuntu 24.04 Noble Numbat - 2026-10-15"
    + visibility     community
    + protected      false
      os_hidden      false
      …
      tag            "gallerist:family=ubuntu-24.04"
    + tag            "gallerist:superseded=2026-11-23"
      tag            "gallerist:uploaded=2026-10-15"
    ```

    </details>

    <sub>Plan `7f3a91c2d0e4` · `images.toml` · cloud read 2026-11-23 03:34 UTC · gallerist 0.1.0</sub>
    "#);
}

#[test]
fn nothing_to_do_is_said_so_that_an_old_comment_can_be_replaced() {
    insta::assert_snapshot!(render(&empty()), @r#"
    <!-- gallerist:plan catalogue=wiit-public sites=fra1 v=1 -->
    ### Image plan for `fra1`: no changes

    <sub>Plan `7f3a91c2d0e4` · `images.toml` · cloud read 2026-11-23 03:34 UTC · gallerist 0.1.0</sub>
    "#);
}

#[test]
fn a_refused_plan_says_so() {
    let text = render(&blocked());
    assert!(text.contains("> [!WARNING]\n> **A guard refuses this plan:** 9 of 35 managed images"), "{text}");
    assert!(text.contains("`--allow-deletes 9`"), "{text}");
}

/// A plan with so many operations of each kind.
fn large(deletions: usize, others: usize) -> Document {
    let mut document = rotation();
    let samples = std::mem::take(&mut document.resource_changes);
    for sample in samples {
        let number = if sample.action() == Action::Delete { deletions } else { others };
        document.resource_changes.extend((0..number).map(|index| ResourceChange {
            address: format!("{}-{index}/{}", sample.name, sample.index),
            ..sample.clone()
        }));
    }
    document
}

#[test]
fn the_budget_is_kept_and_no_deletion_is_dropped() {
    for (deletions, others) in [(1, 20), (5, 60), (40, 200), (150, 3_000), (500, 3_000)] {
        let text = render(&large(deletions, others));
        assert!(text.chars().count() <= BUDGET, "{deletions} {others}: {}", text.chars().count());
        assert_eq!(text.matches("| ➖ | `ubuntu-24.04-").count(), deletions, "{deletions} {others}");
        assert!(text.contains("[!CAUTION]") && text.contains("### Image plan"), "{deletions} {others}");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    }
    assert!(render(&large(5, 60)).contains("shortened"));
    assert!(render(&large(5, 3_000)).contains("| 🟡 | 6000 images | update | *left out here* |"));
}

#[test]
fn no_deletion_is_dropped_even_where_the_budget_cannot_be_kept() {
    let text = render(&large(3_000, 10));
    assert_eq!(text.matches("| ➖ | `ubuntu-24.04-").count(), 3_000);
}

#[test]
fn no_name_can_leave_its_place() {
    let tame = render(&hostile_document("tame"));
    for name in hostile() {
        let text = render(&hostile_document(&name));
        assert_eq!(text.matches("</details>").count(), 1, "{name:?}");
        let rows = |text: &str| text.lines().filter(|line| line.starts_with("| ")).count();
        assert_eq!(rows(&text), rows(&tame), "{name:?}");
        for line in text.lines().filter(|line| line.starts_with("| ")) {
            assert_eq!(line.replace("\\\\", "").replace("\\|", "").matches('|').count(), 5, "{name:?}: {line}");
        }
        let open = text.split("diff\n").next().unwrap();
        assert!(!without_code(open).contains("@team") && !without_code(open).contains("<script"), "{name:?}");
    }
}

/// A text without its code spans, as a reader of GitHub's Markdown would find them.
fn without_code(text: &str) -> String {
    let mut rest = text;
    let mut open = String::new();
    while let Some(start) = rest.find('`') {
        let run = rest[start..].chars().take_while(|letter| *letter == '`').count();
        if rest[..start].ends_with('\\') {
            open.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        }
        open.push_str(&rest[..start]);
        let inside = &rest[start + run..];
        let end = runs(inside).into_iter().find(|(_, length)| *length == run);
        rest = end.map_or("", |(at, length)| &inside[at + length..]);
    }
    open + rest
}

fn runs(text: &str) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.match_indices('`') {
        match runs.last_mut() {
            Some((start, length)) if *start + *length == at => *length += 1,
            _ => runs.push((at, 1)),
        }
    }
    runs
}
