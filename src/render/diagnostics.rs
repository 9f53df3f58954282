//! Diagnostics for people and for programs.
//!
//! For people they look as compilers' do: the sentence, the line, the mark under it, the corrected line. For programs
//! they have Terraform's shape, with our code beside it. Text from the file is foreign: control and direction marks
//! are shown as `\u{…}` in sentences, and as other signs in source lines, so that marks still point at what they mean.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use serde_json::{Value, json};

use crate::manifest::codes::Severity;
use crate::manifest::diagnostic::{Diagnostic, Position, SourceFile};
use crate::render::escape::{is_unseen, terminal};
use crate::render::github::{Annotation, commands};

/// Whether output may carry colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With escape sequences for colour. The words are the same.
    Coloured,
}

/// All diagnostics, each followed by an empty line.
pub fn human(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&groups(diagnostic)));
        text.push_str("\n\n");
    }
    text
}

fn groups(diagnostic: &Diagnostic) -> Vec<Group<'_>> {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(terminal(&diagnostic.detail)).id(diagnostic.code.name());
    let file = &diagnostic.file;
    let path = terminal(&file.name);
    let places = diagnostic.related.iter().map(|related| &related.span).chain([&diagnostic.span]);
    let window = Window::around(file, places).or_else(|| Window::around(file, [&diagnostic.span]));
    let mut notes: Vec<String> = diagnostic.notes.clone();
    let main = if let Some(window) = window {
        let primary = AnnotationKind::Primary.span(window.within(&diagnostic.span)).label(terminal(&diagnostic.label));
        let mut snippet = window.snippet(path.clone()).annotation(primary);
        for related in &diagnostic.related {
            if window.shows(&related.span) {
                let place = AnnotationKind::Context.span(window.within(&related.span));
                snippet = snippet.annotation(place.label(terminal(&related.label)));
            } else {
                notes.push(format!("{}: line {}", related.label, file.position(related.span.start).line));
            }
        }
        title.element(snippet)
    } else if file.text.is_empty() {
        title.element(Origin::path(path.clone()))
    } else {
        let start = diagnostic.start();
        notes.insert(0, diagnostic.label.clone());
        title.element(Origin::path(path.clone()).line(start.line).char_column(start.column))
    };
    let main = main.elements(notes.iter().map(|note| Level::NOTE.message(terminal(note))));
    let main = main.elements(diagnostic.help.iter().map(|help| Level::HELP.message(terminal(help))));
    let mut groups = vec![main];
    if let Some(suggestion) = &diagnostic.suggestion
        && let Some(window) = Window::around(file, [&suggestion.span])
    {
        let correction = Patch::new(window.within(&suggestion.span), terminal(&suggestion.replacement));
        groups.push(
            Level::HELP.secondary_title(terminal(&suggestion.offer)).element(window.snippet(path).patch(correction)),
        );
    }
    groups
}

/// The longest piece of a file that is drawn.
const DRAWN: usize = 64 << 10;

/// The lines of a file that a message speaks of, so that drawing it costs no more in a long file than in a short one.
struct Window<'a> {
    file: &'a SourceFile,
    lines: Range<usize>,
}

impl<'a> Window<'a> {
    /// `None` where there is nothing to draw, or too much.
    fn around<'b>(file: &'a SourceFile, places: impl IntoIterator<Item = &'b Range<usize>>) -> Option<Self> {
        let lines = places
            .into_iter()
            .map(|place| file.line_range(place.start).start..file.line_range(place.end).end)
            .reduce(|all, next| all.start.min(next.start)..all.end.max(next.end))
            .filter(|lines| (1..=DRAWN).contains(&lines.len()));
        lines.map(|lines| Self { file, lines })
    }

    fn shows(&self, place: &Range<usize>) -> bool {
        self.lines.start <= place.start && place.end <= self.lines.end
    }

    fn within(&self, place: &Range<usize>) -> Range<usize> {
        place.start - self.lines.start..place.end - self.lines.start
    }

    fn snippet<T: Clone>(&self, path: String) -> Snippet<'a, T> {
        Snippet::source(drawable(&self.file.text[self.lines.clone()]))
            .line_start(self.file.position(self.lines.start).line)
            .path(path)
    }
}

/// One diagnostic as data.
pub fn json(diagnostic: &Diagnostic) -> Value {
    let file = &diagnostic.file;
    let snippet = file.line_around(diagnostic.span.start);
    json!({
        "severity": diagnostic.severity().name(),
        "code": diagnostic.code.name(),
        "summary": diagnostic.code.summary(),
        "detail": sentence(diagnostic),
        "range": {
            "filename": file.name,
            "start": position(diagnostic.start()),
            "end": position(diagnostic.end()),
        },
        "snippet": (!file.text.is_empty()).then_some(snippet),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "suggestion": diagnostic.suggestion.as_ref().map(|suggestion| json!({
            "offer": suggestion.offer,
            "replacement": suggestion.replacement,
            "range": {
                "start": position(file.position(suggestion.span.start)),
                "end": position(file.position(suggestion.span.end)),
            },
        })),
    })
}

/// All diagnostics as annotations in the log of a GitHub workflow, one a line.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let of = |severity: Severity| {
        let such = diagnostics.iter().filter(move |diagnostic| diagnostic.severity() == severity);
        let annotations = such.map(|diagnostic| Annotation {
            place: Some((diagnostic.file.name.clone(), diagnostic.start().line)),
            ..Annotation::new(diagnostic.code.name(), sentence(diagnostic))
        });
        commands(severity.name(), annotations.collect())
    };
    [of(Severity::Error), of(Severity::Warning)].concat().join("\n")
}

/// What is wrong and what stands beside the place, in one line.
pub fn sentence(diagnostic: &Diagnostic) -> String {
    if diagnostic.label.is_empty() {
        diagnostic.detail.clone()
    } else {
        format!("{}: {}", diagnostic.detail, diagnostic.label)
    }
}

fn position(position: Position) -> Value {
    json!({ "line": position.line, "column": position.column, "byte": position.byte })
}

/// A piece of a file as it may be drawn. Marks point into it by bytes, so what is taken away leaves as many behind.
fn drawable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let makes_command = character == '[' && shown.ends_with("##");
        // The control characters of ASCII are drawn as pictures of themselves.
        if makes_command || is_unseen(character) && !character.is_ascii() {
            shown.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::manifest::codes::Code;
    use crate::manifest::diagnostic::SourceFile;

    fn misspelt() -> Diagnostic {
        let text = "[[image]]\nvisiblity = \"public\"\n".to_owned();
        let file = Arc::new(SourceFile { name: "images.toml".to_owned(), text });
        Diagnostic::new(Code::UnknownKey, &file, 10..19, "unknown key `visiblity`")
            .label("not a key of an image")
            .note("a note")
            .suggest(10..19, "visibility", "a key with a similar name exists")
    }

    #[test]
    fn people_see_the_line_and_the_way_out() {
        let expected = "\
error[E0102]: unknown key `visiblity`
 --> images.toml:2:1
  |
2 | visiblity = \"public\"
  | ^^^^^^^^^ not a key of an image
  |
  = note: a note
help: a key with a similar name exists
  |
2 | visibility = \"public\"
  |      +

";
        assert_eq!(human(&[misspelt()], Style::Plain), expected);
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let coloured = human(&[misspelt()], Style::Coloured);
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), human(&[misspelt()], Style::Plain));
    }

    #[test]
    fn a_long_file_is_drawn_in_part() {
        let text = format!("a = 1\n{}b = 2\n", "#\n".repeat(DRAWN));
        let end = text.len();
        let file = Arc::new(SourceFile { name: "images.toml".to_owned(), text });
        let far = Diagnostic::new(Code::Twice, &file, end - 6..end - 5, "twice").label("again").related(0..1, "first");
        let rendered = human(&[far], Style::Plain);
        assert!(rendered.contains("65538 | b = 2") && rendered.contains("note: first: line 1"), "{rendered}");
        let file =
            Arc::new(SourceFile { name: "images.toml".to_owned(), text: format!("a = \"{}", "x".repeat(DRAWN)) });
        let rendered = human(&[Diagnostic::new(Code::Syntax, &file, 4..5, "open").label("here")], Style::Plain);
        assert!(rendered.contains("images.toml:1:5") && rendered.contains("note: here"), "{rendered}");
    }

    #[test]
    fn programs_see_the_range() {
        let value = json(&misspelt());
        assert_eq!(value["code"], "E0102");
        assert_eq!(value["summary"], Code::UnknownKey.summary());
        assert_eq!(value["detail"], "unknown key `visiblity`: not a key of an image");
        assert_eq!(value["range"]["start"], json!({ "line": 2, "column": 1, "byte": 10 }));
        assert_eq!(value["range"]["end"], json!({ "line": 2, "column": 10, "byte": 19 }));
        assert_eq!(value["snippet"], "visiblity = \"public\"");
        assert_eq!(value["suggestion"]["replacement"], "visibility");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        let text = "a = \"\u{1b}[31m\u{202e}\u{7}\"\n".to_owned();
        let file = Arc::new(SourceFile { name: "a\u{1b}b".to_owned(), text });
        let diagnostic = Diagnostic::new(Code::NotAllowed, &file, 4..12, "\u{1b}[2J").label("\u{202e}").help("\r");
        let rendered = human(&[diagnostic], Style::Plain);
        let hostile = rendered.chars().find(|character| *character != '\n' && is_unseen(*character));
        assert_eq!(hostile, None, "{rendered:?}");
    }

    proptest::proptest! {
        #[test]
        fn every_mistake_can_be_drawn(
            place in 0_usize..6000,
            length in 0_usize..40,
            insert in "[\\[\\]{}=\"'a-z0-9.\\n\\r #🚀\u{e9}\\\\]{0,12}",
        ) {
            let mut text = include_str!("../../images.toml").to_owned();
            let start = text.floor_char_boundary(place);
            let end = text.ceil_char_boundary(start + length);
            text.replace_range(start..end, &insert);
            if let Err(found) = crate::manifest::read("images.toml", text, std::path::Path::new(".")) {
                let drawn = human(&found, Style::Coloured);
                for mistake in &found {
                    assert!(drawn.contains(mistake.code.name()));
                    json(mistake);
                }
            }
        }
    }
}
