//! What plans look like in a comment.

use super::*;
use crate::render::escape::tests::hostile;
use crate::render::testing::{blocked, hostile_document, rotation};

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
        let folds = text.lines().filter(|line| line.starts_with("<details><summary>")).count();
        assert!([2, 3].contains(&folds), "{name:?}: what changes, packages, and a picture that is not too large");
        assert_eq!(text.matches("</details>").count(), folds, "{name:?}");
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
