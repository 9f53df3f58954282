//! Small readers over a spanned TOML tree.
//!
//! The problem: serde stops at the first mistake, and not even the first in the file. The idea: a [`Table`] hands out
//! its values key by key and remembers which keys were asked for, so that [`Table::finish`] can report all others; a
//! [`Value`] yields a typed value or reports why not, and the walk goes on either way. Everybody reports to one
//! [`Context`]. An absent value and a wrong one are both `None`: whoever must tell them apart need not, for a file with
//! one mistake is never used. What this does not solve: what the values mean together.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::codes::Code;
use super::diagnostic::{Diagnostic, SourceFile, nearest};

/// What the whole walk shares: the file, its folder, and what was found so far.
pub(super) struct Context {
    pub(super) file: Arc<SourceFile>,
    /// The folder that relative paths start from and must not leave.
    pub(super) folder: PathBuf,
    found: RefCell<Vec<Diagnostic>>,
}

impl Context {
    pub(super) fn new(file: Arc<SourceFile>, folder: PathBuf) -> Self {
        Self { file, folder, found: RefCell::default() }
    }

    pub(super) fn diagnostic(&self, code: Code, span: Range<usize>, detail: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, &self.file, span, detail)
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Everything reported.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }
}

/// A table that is being read.
pub(super) struct Table<'a> {
    what: &'static str,
    entries: &'a DeTable<'a>,
    span: Range<usize>,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
    pub(super) context: &'a Context,
}

impl<'a> Table<'a> {
    /// A reader of the table, which messages call `what`: "an image".
    pub(super) fn new(what: &'static str, entries: &'a DeTable<'a>, span: Range<usize>, context: &'a Context) -> Self {
        Self { what, entries, span, known: Vec::new(), refused: Vec::new(), context }
    }

    /// Where its header is.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key that may be absent.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let (name, value) = self.entries.get_key_value(key)?;
        Some(Value::new(name, value, self.context))
    }

    /// The value of a key that is recognised only to be refused; never offered as the near one.
    pub(super) fn take_refused(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.refused.push(key);
        let (name, value) = self.entries.get_key_value(key)?;
        Some(Value::new(name, value, self.context))
    }

    /// The value of a key that must be there.
    pub(super) fn need(&mut self, key: &'static str) -> Option<Value<'a>> {
        let value = self.take(key);
        if value.is_none() && !self.misspells(key) {
            let detail = format!("`{key}` is missing from {}", self.what);
            self.context.report(
                self.context
                    .diagnostic(Code::MissingKey, self.span(), detail)
                    .label(format!("{} needs `{key}`", self.what)),
            );
        }
        value
    }

    /// Whether a key of the table was probably meant to be this one; then it is reported as unknown, and not this one as
    /// missing too.
    pub(super) fn misspells(&self, key: &'static str) -> bool {
        self.entries.keys().any(|name| name.get_ref() != key && nearest(name.get_ref(), [key]).is_some())
    }

    /// Every entry, for tables whose keys are free.
    pub(super) fn entries(self) -> impl Iterator<Item = Value<'a>> {
        self.entries.iter().map(move |(name, value)| Value::new(name, value, self.context))
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.entries {
            let key: &str = name.get_ref();
            if self.known.contains(&key) || self.refused.contains(&key) {
                continue;
            }
            let mut diagnostic = self
                .context
                .diagnostic(Code::UnknownKey, name.span(), format!("unknown key `{}`", shown(key)))
                .label(format!("not a key of {}", self.what));
            diagnostic = match nearest(key, self.known.iter().copied()) {
                Some(near) => diagnostic.suggest(name.span(), near, "a key with a similar name exists"),
                None => diagnostic.help(format!("{} takes: {}", self.what, self.known.join(", "))),
            };
            self.context.report(diagnostic);
        }
    }
}

/// A value that is being read.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    key: &'a str,
    name: &'a Spanned<DeString<'a>>,
    found: &'a Spanned<DeValue<'a>>,
    pub(super) context: &'a Context,
}

impl<'a> Value<'a> {
    fn new(name: &'a Spanned<DeString<'a>>, found: &'a Spanned<DeValue<'a>>, context: &'a Context) -> Self {
        Self { key: name.get_ref(), name, found, context }
    }

    /// The key it stands behind; elements of a list have that of the list.
    pub(super) const fn key(&self) -> &'a str {
        self.key
    }

    /// Where the key is.
    pub(super) fn key_span(&self) -> Range<usize> {
        self.name.span()
    }

    /// Where the value is.
    pub(super) fn span(&self) -> Range<usize> {
        self.found.span()
    }

    /// The bytes of the file that a part of the decoded text stands for; the whole value where escapes hide them.
    pub(super) fn span_within(&self, text: &str, offset: usize, length: usize) -> Range<usize> {
        let span = self.span();
        let start = self.context.file.text.get(span.clone()).and_then(|raw| raw.find(text));
        match start {
            Some(start) => span.start + start + offset..span.start + start + offset + length,
            None => span,
        }
    }

    /// A diagnostic about this value.
    pub(super) fn diagnostic(&self, code: Code, detail: impl Into<String>) -> Diagnostic {
        self.context.diagnostic(code, self.span(), detail)
    }

    /// The value as it is, for the few that may have several types.
    pub(super) fn raw(&self) -> &'a DeValue<'a> {
        self.found.get_ref()
    }

    /// Reports that the value has another type than `expected`: "a string".
    pub(super) fn mismatch(&self, expected: &str) -> Diagnostic {
        self.diagnostic(Code::WrongType, format!("`{}` is {expected}", shown(self.key)))
            .label(format!("found {}", kind(self.raw())))
    }

    fn source(&self) -> &'a str {
        self.context.file.text.get(self.span()).unwrap_or_default()
    }

    /// A string.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.raw() {
            DeValue::String(text) => Some(text),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                let quoted = format!("\"{}\"", self.source());
                self.context.report(self.mismatch("a string").suggest(self.span(), quoted, "put it in quotes"));
                None
            }
            DeValue::Array(_) | DeValue::Table(_) => {
                self.context.report(self.mismatch("a string"));
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        if let DeValue::Boolean(flag) = self.raw() {
            return Some(*flag);
        }
        let mut diagnostic = self.mismatch("either true or false");
        if let DeValue::String(text) = self.raw()
            && (text == "true" || text == "false")
        {
            diagnostic = diagnostic.suggest(self.span(), text.to_string(), "without quotes");
        }
        self.context.report(diagnostic);
        None
    }

    /// A whole number within a range; `unit` is what messages call it: "a whole number of GiB".
    pub(super) fn whole(&self, unit: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(digits) = self.raw() else {
            let mut diagnostic = self.mismatch(unit);
            if let DeValue::String(text) = self.raw() {
                let number: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
                if !number.is_empty() {
                    diagnostic = diagnostic.suggest(self.span(), number, "write the number alone");
                }
            }
            self.context.report(diagnostic);
            return None;
        };
        let number = u64::from_str_radix(digits.as_str(), digits.radix()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.context.report(
                self.diagnostic(Code::OutOfRange, format!("`{}` is out of range", self.key))
                    .label(format!("{unit} from {least} to {most}")),
            );
        }
        number
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&self, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let text = self.text()?;
        let found = all.iter().copied().find(|value| name(*value) == text);
        if found.is_none() {
            let words: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            let mut diagnostic = self
                .diagnostic(Code::NotAllowed, format!("`{}` cannot be \"{}\"", self.key, shown(text)))
                .label(format!("one of: {}", words.join(", ")));
            if let Some(near) = nearest(text, words) {
                let offer = format!("did you mean \"{near}\"?");
                diagnostic = diagnostic.suggest(self.span(), format!("\"{near}\""), offer);
            }
            self.context.report(diagnostic);
        }
        found
    }

    /// A string that some parser accepts; its refusal becomes a diagnostic with that code.
    pub(super) fn parsed<T, E: Display>(&self, code: Code, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        parse(text).map_err(|error| self.context.report(self.diagnostic(code, error.to_string()))).ok()
    }

    /// A list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let DeValue::Array(elements) = self.raw() else {
            let diagnostic = self.mismatch("a list");
            self.context.report(if !matches!(self.raw(), DeValue::Table(_)) {
                diagnostic.suggest(self.span(), format!("[{}]", self.source()), "put it in brackets")
            } else if self.source().starts_with('[') {
                diagnostic.help("a table that may repeat has two brackets: `[[…]]`")
            } else {
                diagnostic
            });
            return None;
        };
        Some(elements.iter().map(|found| Self { found, ..*self }).collect())
    }

    /// Every element of a list that could be read.
    pub(super) fn list_of<T>(&self, read: impl FnMut(Self) -> Option<T>) -> Option<Vec<T>> {
        Some(self.list()?.into_iter().filter_map(read).collect())
    }

    /// A table, which messages call `what`.
    pub(super) fn table(&self, what: &'static str) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.raw() else {
            self.context.report(self.mismatch("a table"));
            return None;
        };
        Some(Table::new(what, entries, self.span(), self.context))
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Text of the file as it may stand in a message: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}
