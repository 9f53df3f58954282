//! Every format of one plan as it is written down in `golden/`, where the platforms' own checkers look at it too.
//!
//! To renew what is written down: run with `INSTA_UPDATE=always`, and read every line that has changed.

use std::sync::Arc;

use super::escape::tests::hostile;
use super::graph::{GraphFormat, graph};
use super::testing::{blocked, empty, hostile_document, rotation};
use super::{Document, Format, Manner, Styles, Verbosity, diagnostics, drift, render, summary, upstream, usage};
use crate::manifest::codes::Code;
use crate::manifest::diagnostic::{Diagnostic, SourceFile};

fn text(format: Format, document: &Document) -> String {
    render(format, document, Manner::default())
}

#[test]
fn every_format_reads_as_written_down() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for format in Format::ALL {
            insta::assert_snapshot!(format!("rotation.{format}"), text(*format, &rotation()));
        }
        for format in GraphFormat::ALL {
            insta::assert_snapshot!(format!("rotation.{format}"), graph(*format, &rotation()).unwrap());
        }
        insta::assert_snapshot!("empty.human", text(Format::Human, &empty()));
        insta::assert_snapshot!("empty.markdown", text(Format::Markdown, &empty()));
        insta::assert_snapshot!("blocked.markdown", text(Format::Markdown, &blocked()));
        insta::assert_snapshot!("blocked.github", text(Format::Github, &blocked()));
    });
}

/// A mistake in a file that somebody else wrote.
fn mistake(text: &str) -> Vec<Diagnostic> {
    let file = Arc::new(SourceFile { name: text.to_owned(), text: format!("a = '{text}'\n") });
    vec![Diagnostic::new(Code::NotAllowed, &file, 0..1, text).label(text).note(text).help(text)]
}

/// Everything there is to be said, with this text wherever others may write: what says it, and how.
fn everything(text: &str) -> Vec<(String, String)> {
    let document = hostile_document(text);
    let mut said: Vec<(String, String)> = Vec::new();
    for format in Format::ALL {
        for verbosity in [Verbosity::Brief, Verbosity::Usual, Verbosity::Full] {
            let manner = Manner { verbosity, ..Manner::default() };
            said.push((format!("plan {format}"), render(*format, &document, manner)));
        }
    }
    for format in GraphFormat::ALL {
        said.push((format!("graph {format}"), graph(*format, &document).unwrap()));
    }
    for format in drift::Format::ALL {
        let report = drift::testing::hostile(text);
        said.push((format!("drift {format}"), drift::render(*format, &report, Styles::default(), None)));
    }
    let users = usage::tests::hostile_report(text);
    said.push(("usage human".to_owned(), usage::human(&users, Styles::default())));
    said.push(("usage json".to_owned(), usage::json(&users)));
    said.push(("usage csv".to_owned(), usage::csv(&users).replace("\r\n", "\n")));
    let offers = upstream::tests::hostile_report(text);
    said.push(("upstream human".to_owned(), upstream::human(&offers, Styles::default())));
    said.push(("upstream json".to_owned(), upstream::json(&offers)));
    let mistakes = mistake(text);
    said.push(("mistakes human".to_owned(), diagnostics::human(&mistakes, diagnostics::Style::Plain)));
    said.push(("mistakes github".to_owned(), diagnostics::github(&mistakes)));
    said.push(("events".to_owned(), super::events::tests::run(&document, text)));
    let failed = vec![(text.to_owned(), text.to_owned())];
    said.push(("summary".to_owned(), summary::summary(&summary::Outcome { failed, ..Default::default() })));
    said.push(("refusal".to_owned(), super::refusal(&document).join("\n")));
    said
}

#[test]
fn no_name_does_anything_to_a_log_whatever_says_it() {
    let ours = ["::error ", "::warning ", "::notice "];
    for name in hostile() {
        for (what, text) in everything(&name) {
            let odd = |character: char| {
                // Markdown keeps apart with this what must not be read together.
                !matches!(character, '\n' | '\u{200b}') && super::escape::is_unseen(character)
            };
            assert_eq!(text.chars().find(|character| odd(*character)), None, "{what}: {name:?}\n{text}");
            assert!(!text.contains("##["), "{what}: {name:?}\n{text}");
            let commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
            for line in commands {
                assert!(what.ends_with("github") && ours.iter().any(|our| line.starts_with(our)), "{what}: {line}");
            }
        }
    }
}
