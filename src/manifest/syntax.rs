//! From text to a spanned tree, and through it.
//!
//! The TOML parser goes on after a syntax error and yields what it understood. So a file with a missing quote still
//! gets its misspelt keys reported; only what seems to be missing is not, for it may stand in the part that was not
//! understood.

use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::codes::{Code, Severity};
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader::{Context, Table, shown};

/// Parses the file and has its tree read: the value and the warnings, or every mistake.
pub(super) fn walk<T>(
    file: &Arc<SourceFile>,
    folder: &Path,
    what: &'static str,
    read: impl FnOnce(Table<'_>) -> Option<T>,
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let context = Context::new(Arc::clone(file), folder.to_owned());
    let (tree, errors) = DeTable::parse_recoverable(&file.text);
    let syntax: Vec<Diagnostic> = errors.iter().map(|error| syntax_error(file, error)).collect();
    let value = read(Table::new(what, tree.get_ref(), 0..0, &context));
    let mut found = context.into_diagnostics();
    if !syntax.is_empty() {
        let broken: Vec<usize> = syntax.iter().map(|diagnostic| diagnostic.start().line).collect();
        found.retain(|other| !other.code.is_about_absence() && !broken.contains(&other.start().line));
        found.extend(syntax);
        found.sort_by_key(|diagnostic| diagnostic.span.start);
    }
    let valid = found.iter().all(|diagnostic| diagnostic.severity() == Severity::Warning);
    match value {
        Some(value) if valid => Ok((value, found)),
        Some(_) | None => Err(found),
    }
}

/// The parser's sentence is `what is wrong, expected this, that`.
fn syntax_error(file: &Arc<SourceFile>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let (problem, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let diagnostic = Diagnostic::new(Code::Syntax, file, span, shown(problem));
    if expected.is_empty() { diagnostic } else { diagnostic.label(format!("expected {}", shown(expected))) }
}
