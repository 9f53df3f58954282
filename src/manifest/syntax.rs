//! From text to a spanned tree, and through it.
//!
//! The TOML parser goes on after a syntax error and yields what it understood. So a file with a missing quote still
//! gets its misspelt keys reported; only what seems to be missing is not, for it may stand in the part that was not
//! understood.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::codes::{Code, Severity};
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader::{Context, Table, shown};

/// Nobody reads more mistakes of one file than this; drawing them all could take a hostile file hours.
const MOST: usize = 100;

/// Parses the file and has its tree read: the value and the warnings, or the mistakes.
pub(super) fn walk<T>(
    file: &Arc<SourceFile>,
    folder: &Path,
    what: &'static str,
    read: impl FnOnce(Table<'_>) -> Option<T>,
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let context = Context::new(Arc::clone(file), folder.to_owned());
    let (tree, errors) = DeTable::parse_recoverable(&file.text);
    let value = read(Table::new(what, tree.get_ref(), 0..0, &context));
    let mut found = context.into_diagnostics();
    if !errors.is_empty() {
        let syntax: Vec<Diagnostic> = errors.iter().take(MOST).map(|error| syntax_error(file, error)).collect();
        let broken: Vec<Range<usize>> = syntax.iter().map(|mistake| file.line_range(mistake.span.start)).collect();
        found.retain(|other| {
            !other.code.is_about_absence() && !broken.iter().any(|line| line.contains(&other.span.start))
        });
        found.extend(syntax);
    }
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    let valid = found.iter().all(|diagnostic| diagnostic.severity() == Severity::Warning);
    let unshown = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if unshown > 0
        && let Some(last) = found.last_mut()
    {
        last.notes.push(format!("{unshown} more of this file are not shown"));
    }
    match value {
        Some(value) if valid => Ok((value, found)),
        Some(_) | None => Err(found),
    }
}

/// The parser's sentence is `what is wrong, expected this, that`. It marks where it gave up; of a string that is not
/// closed people want to see the beginning.
fn syntax_error(file: &Arc<SourceFile>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    if let Some(string) = unclosed_string(file, span.start) {
        return Diagnostic::new(Code::Syntax, file, string, "this string is not closed")
            .label("expected its closing quote before the end of the line");
    }
    let message = error.message();
    let (problem, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let diagnostic = Diagnostic::new(Code::Syntax, file, span, shown(problem));
    if expected.is_empty() { diagnostic } else { diagnostic.label(format!("expected {}", shown(expected))) }
}

/// The string that is open where its line ends at that byte. Strings over several lines are none of these.
fn unclosed_string(file: &SourceFile, byte: usize) -> Option<Range<usize>> {
    let start = file.line_range(byte).start;
    let line = file.line_around(byte);
    if file.text.get(start..byte) != Some(line) || line.contains("\"\"\"") || line.contains("'''") {
        return None;
    }
    let mut open: Option<(usize, char)> = None;
    let mut escaped = false;
    for (offset, character) in line.char_indices() {
        match open {
            Some(_) if escaped => escaped = false,
            Some((_, '"')) if character == '\\' => escaped = true,
            Some((_, quote)) if character == quote => open = None,
            None if character == '#' => return None,
            None if matches!(character, '"' | '\'') => open = Some((offset, character)),
            Some(_) | None => {}
        }
    }
    open.map(|(offset, _)| start + offset..byte)
}
