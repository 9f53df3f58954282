//! What is wrong with a file, as data.
//!
//! The problem: an operator wants every mistake of a file at once, each at its place and with the way out, on a
//! terminal, in an editor and in a pull request alike. The idea: a diagnostic is a value that knows its code, its
//! spans and its sentences and nothing of any output; `render::diagnostics` draws it. What this does not solve: what
//! counts as a mistake. The walk through the file does.

use std::ops::Range;
use std::sync::Arc;

use super::codes::{Code, Severity};

/// A file as it was read, kept so that messages can show the line they speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// How the user names it.
    pub name: String,
    /// What is in it; empty where it could not be read.
    pub text: String,
}

/// A place in a file, as people and editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Character within the line, from 1.
    pub column: usize,
    /// Byte within the file, from 0.
    pub byte: usize,
}

impl SourceFile {
    /// The place of a byte. A byte past the end is the end.
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte);
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1, byte }
    }

    /// The bytes of the line around a byte, its end included.
    pub fn line_range(&self, byte: usize) -> Range<usize> {
        let byte = self.text.floor_char_boundary(byte);
        let start = self.text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[byte..].find('\n').map_or(self.text.len(), |newline| byte + newline + 1);
        start..end
    }

    /// The line around a byte, without its end.
    pub fn line_around(&self, byte: usize) -> &str {
        self.text[self.line_range(byte)].lines().next().unwrap_or_default()
    }

    fn clamped(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.ceil_char_boundary(span.end.max(start));
        start..end
    }
}

/// A second place that a mistake has to do with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub span: Range<usize>,
    /// What is there.
    pub label: String,
}

/// What was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The bytes to replace.
    pub span: Range<usize>,
    /// By what.
    pub replacement: String,
    /// The sentence that offers it.
    pub offer: String,
}

/// One thing that is wrong, or odd, with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake; knows severity and summary.
    pub code: Code,
    /// What is wrong, with the values of this case.
    pub detail: String,
    /// The words beside the marked place.
    pub label: String,
    /// The file.
    pub file: Arc<SourceFile>,
    /// The marked bytes; always within the file and on character boundaries.
    pub span: Range<usize>,
    /// Further places in the same file.
    pub related: Vec<Related>,
    /// Why it matters, where that is not plain.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
    /// What was probably meant.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A diagnostic with nothing but its place and its sentence.
    pub fn new(code: Code, file: &Arc<SourceFile>, span: Range<usize>, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            label: String::new(),
            span: file.clamped(span),
            file: Arc::clone(file),
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestion: None,
        }
    }

    /// With words beside the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With a reason.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// With a second place.
    #[must_use]
    pub fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related.push(Related { span: self.file.clamped(span), label: label.into() });
        self
    }

    /// With what was probably meant.
    #[must_use]
    pub fn suggest(mut self, span: Range<usize>, replacement: impl Into<String>, offer: impl Into<String>) -> Self {
        let span = self.file.clamped(span);
        self.suggestion = Some(Suggestion { span, replacement: replacement.into(), offer: offer.into() });
        self
    }

    /// Whether it stops the run.
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Where the marked bytes begin.
    pub fn start(&self) -> Position {
        self.file.position(self.span.start)
    }

    /// Where the marked bytes end.
    pub fn end(&self) -> Position {
        self.file.position(self.span.end)
    }
}

/// The candidate that was probably meant by a word that is none of them.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_editors_do() {
        let file = SourceFile { name: "f".to_owned(), text: "a = 1\nü = \"é\"\n".to_owned() };
        assert_eq!(file.position(0), Position { line: 1, column: 1, byte: 0 });
        let quote = file.text.find('"').unwrap();
        assert_eq!(file.position(quote), Position { line: 2, column: 5, byte: quote });
        assert_eq!(file.position(9_999).line, 3);
        assert_eq!(file.line_around(quote), "ü = \"é\"");
    }

    #[test]
    fn only_near_words_are_offered() {
        let words = ["public", "community", "shared", "private"];
        assert_eq!(nearest("publik", words), Some("public"));
        assert_eq!(nearest("Private", words), Some("private"));
        assert_eq!(nearest("hidden", words), None);
    }
}
