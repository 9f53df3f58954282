//! Diagnostics for people and for programs.
//!
//! For people they look as compilers' do: the sentence, the line, the mark under it, the corrected line. For programs
//! they have Terraform's shape, with our code beside it. Text from the file is foreign: control and direction marks
//! are shown as `\u{…}` in sentences, and as replacement signs in source lines, so that columns stay true.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use serde_json::{Value, json};

use crate::manifest::codes::Severity;
use crate::manifest::diagnostic::{Diagnostic, Position};

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
    let title = level.primary_title(visible(&diagnostic.detail)).id(diagnostic.code.name());
    let file = &diagnostic.file;
    let path = visible(&file.name);
    let main = if file.text.is_empty() {
        title.element(Origin::path(path.clone()))
    } else {
        let related = diagnostic
            .related
            .iter()
            .map(|related| AnnotationKind::Context.span(related.span.clone()).label(visible(&related.label)));
        title.element(
            Snippet::source(file.text.as_str())
                .path(path.clone())
                .annotation(AnnotationKind::Primary.span(diagnostic.span.clone()).label(visible(&diagnostic.label)))
                .annotations(related),
        )
    };
    let main = main.elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(visible(note))));
    let main = main.elements(diagnostic.help.iter().map(|help| Level::HELP.message(visible(help))));
    let mut groups = vec![main];
    if let Some(suggestion) = &diagnostic.suggestion {
        groups.push(
            Level::HELP.secondary_title(visible(&suggestion.offer)).element(
                Snippet::source(file.text.as_str())
                    .path(path)
                    .patch(Patch::new(suggestion.span.clone(), visible(&suggestion.replacement))),
            ),
        );
    }
    groups
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

/// Control characters and marks that change the direction of writing, spelt out.
fn visible(text: &str) -> String {
    text.chars()
        .map(
            |character| {
                if is_hidden(character) { character.escape_unicode().to_string() } else { character.to_string() }
            },
        )
        .collect()
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
        let hostile = rendered.chars().find(|character| *character != '\n' && is_hidden(*character));
        assert_eq!(hostile, None, "{rendered:?}");
    }
}
