//! Every format of one busy report as it is written down in `golden/`, and what no name in a report may do to any.
//!
//! To renew what is written down: run with `INSTA_UPDATE=always`, and read every line that has changed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::report::Report;
use super::testing::{busy, hostile, partial, quiet};
use super::{DRIFT_SCHEMA, Format, read_baseline, render};
use crate::model::drift::Class;
use crate::model::testing::{bounded, harm};
use crate::render::Styles;
use crate::render::escape::tests::hostile as hostile_names;

fn text(format: Format, report: &Report) -> String {
    render(format, report, Styles::default(), None)
}

#[test]
fn every_format_reads_as_written_down() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for format in Format::ALL {
            insta::assert_snapshot!(format!("busy.{format}"), text(*format, &busy()));
        }
        insta::assert_snapshot!("partial.human", text(Format::Human, &partial()));
        insta::assert_snapshot!("partial.markdown", text(Format::Markdown, &partial()));
        insta::assert_snapshot!("quiet.human", text(Format::Human, &quiet()));
    });
}

#[test]
fn every_text_ends_in_one_newline() {
    for format in Format::ALL {
        for report in [busy(), quiet(), partial()] {
            let text = text(*format, &report);
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{format}: {text}");
        }
    }
}

/// The schema with every object closed, so that a field which it does not describe is found.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.contains_key("properties") && object.get("type") == Some(&json!("object")) {
                    object.insert("additionalProperties".to_owned(), json!(false));
                }
                object.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    close(&mut schema);
    schema
}

fn errors(document: &Value) -> Vec<String> {
    let schema = closed(serde_json::from_str(DRIFT_SCHEMA).unwrap());
    jsonschema::validator_for(&schema).unwrap().iter_errors(document).map(|error| error.to_string()).collect()
}

#[test]
fn every_report_is_as_the_schema_says() {
    for report in [busy(), quiet(), partial()] {
        let document = serde_json::from_str(&text(Format::Json, &report)).unwrap();
        assert_eq!(errors(&document), Vec::<String>::new());
    }
    let mut document: Value = serde_json::from_str(&text(Format::Json, &busy())).unwrap();
    document["findings"][0]["class"] = json!("odd");
    assert!(!errors(&document).is_empty());
}

#[test]
fn a_report_is_the_baseline_of_the_next() {
    let baseline = read_baseline(&text(Format::Json, &busy())).unwrap();
    assert_eq!(baseline.findings.len(), 9);
    let known = ("debian-12/20260807-2120".to_owned(), Class::Changed);
    assert_eq!(baseline.findings[&known].unwrap().to_string(), "2026-11-20");
    assert_eq!(baseline.versions.values().map(std::collections::BTreeMap::len).sum::<usize>(), 7);
    assert_eq!(baseline.checked_on.to_string(), "2026-11-23");
    assert_eq!(read_baseline(&text(Format::Json, &partial())).unwrap().sites.len(), 1, "only what could be read");
    for wrong in ["", "{}", "[]", &"[".repeat(100_000)] {
        assert!(read_baseline(wrong).is_err());
    }
    let other = text(Format::Json, &busy()).replace("schema:drift:1", "schema:drift:2");
    assert!(read_baseline(&other).unwrap_err().to_string().contains("schema"));
}

#[test]
fn any_harm_to_a_baseline_is_read_or_refused() {
    bounded(|| {
        let good = text(Format::Json, &busy());
        proptest!(|(harm in harm())| drop(read_baseline(&harm.done_to_text(&good))));
    });
}

#[test]
fn no_name_moves_the_cursor_or_is_a_command() {
    for name in hostile_names() {
        for format in [Format::Human, Format::Markdown, Format::Html, Format::Junit] {
            let text = text(format, &hostile(&name));
            assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{format}: {name:?}");
            assert!(!text.contains("##[") && !text.contains('\u{202e}'), "{format}: {name:?}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{format}: {name:?}");
        }
    }
}

#[test]
fn no_name_adds_a_row_to_a_table() {
    let tame = text(Format::Markdown, &hostile("tame"));
    for name in hostile_names() {
        let text = text(Format::Markdown, &hostile(&name));
        assert_eq!(text.lines().count(), tame.lines().count(), "{name:?}\n{text}");
        for line in text.lines().filter(|line| line.starts_with("| ")) {
            let cells = line.replace("\\|", "").matches('|').count();
            assert!([6, 7].contains(&cells), "{name:?}\n{line}");
        }
        assert!(!text.contains("</details>"), "{text}");
    }
}

/// Every tag of a text, without its attributes.
fn tags(text: &str) -> Vec<&str> {
    text.split('<').skip(1).map(|rest| rest.split([' ', '>']).next().unwrap()).collect()
}

#[test]
fn no_name_adds_a_tag() {
    for format in [Format::Html, Format::Junit] {
        let tame = text(format, &hostile("tame"));
        for name in hostile_names() {
            let text = text(format, &hostile(&name));
            assert_eq!(tags(&text).join(" "), tags(&tame).join(" "), "{format}: {name:?}");
            assert_eq!(text.matches('"').count(), tame.matches('"').count(), "{format}: {name:?}");
        }
    }
}

#[test]
fn what_is_opened_is_closed() {
    for report in [busy(), quiet(), partial()] {
        let text = text(Format::Html, &report);
        let mut open = Vec::new();
        for piece in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let tag = piece.split(' ').next().unwrap();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed), "{text}"),
                None if piece.ends_with('/') || ["!doctype", "meta", "br"].contains(&tag) => {}
                None => open.push(tag),
            }
        }
        assert!(open.is_empty(), "{open:?}");
        assert!(!text.contains("<script") && !text.contains("http:") && !text.contains("src="));
    }
}

#[test]
fn no_name_adds_a_metric() {
    let tame = text(Format::Prometheus, &hostile("tame"));
    for name in hostile_names() {
        let text = text(Format::Prometheus, &hostile(&name));
        // A carriage return is no end of a line to Prometheus.
        assert_eq!(text.split('\n').count(), tame.split('\n').count(), "{name:?}");
    }
}

#[test]
fn a_check_that_failed_keeps_when_one_last_succeeded() {
    let of = |text: &str, site: &str| {
        let series = format!("gallerist_last_success_timestamp_seconds{{catalogue=\"wiit-public\",site=\"{site}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series).map(str::to_owned))
    };
    let first = text(Format::Prometheus, &partial());
    assert_eq!(of(&first, "dus2"), None, "nobody knows");
    assert_eq!(of(&first, "fra1").as_deref(), Some("1795404847"));
    let before = first.replace("site=\"fra1\"} 1795404847", "site=\"dus2\"} 1795000000");
    let second = render(Format::Prometheus, &partial(), Styles::default(), Some(&before));
    assert_eq!(of(&second, "dus2").as_deref(), Some("1795000000"));
    assert!(second.contains("gallerist_check_success{catalogue=\"wiit-public\",site=\"dus2\"} 0"), "{second}");
    assert!(!second.contains("gallerist_images{catalogue=\"wiit-public\",site=\"dus2\""), "nothing is known of it");
}

#[test]
fn every_status_is_written_also_when_it_is_nought() {
    let text = text(Format::Prometheus, &quiet());
    for class in Class::ALL {
        assert!(text.contains(&format!("status=\"{class}\"}} 0\n")), "{text}");
    }
}

#[test]
fn only_what_fails_the_run_fails_a_test() {
    let text = text(Format::Junit, &busy());
    assert_eq!((text.matches("<failure ").count(), text.matches("<skipped ").count()), (4, 1), "{text}");
    assert!(text.contains("tests=\"9\" failures=\"4\" errors=\"0\" skipped=\"1\""), "{text}");
    let text = self::text(Format::Junit, &partial());
    assert_eq!(text.matches("<error ").count(), 2, "{text}");
}
