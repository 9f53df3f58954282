//! One operation in rows, an attribute each: what people need in order to agree to it.
//!
//! A creation shows where its bytes come from and who vouches for them, an update what changes, a deletion what is lost
//! and who was asked. What is left out is counted, and shown to those who ask for everything.

use super::document::{Action, Import, Object, Packages, ResourceChange, Usage};
use super::escape::{quoted, terminal};
use super::fields::{Field, Kind, UNKNOWN, compare};
use super::{Verbosity, words};
use crate::model::passage::Converter;

/// How many characters of a digest are shown.
const DIGEST: usize = 12;

/// One line about an attribute: its sign, its name, its value.
pub(super) struct Row {
    pub(super) sign: &'static str,
    pub(super) name: String,
    pub(super) value: String,
}

impl Row {
    fn new(sign: &'static str, name: &str, value: impl Into<String>) -> Self {
        Self { sign, name: name.to_owned(), value: value.into() }
    }
}

/// The rows of an operation.
pub(super) fn rows(change: &ResourceChange, verbosity: Verbosity) -> Vec<Row> {
    match change.action() {
        Action::Create => created(change, verbosity),
        Action::Update => updated(change, verbosity),
        Action::Delete => deleted(change, verbosity),
    }
}

fn created(change: &ResourceChange, verbosity: Verbosity) -> Vec<Row> {
    let Some(after) = &change.change.after else { return Vec::new() };
    let detail = &change.gallerist;
    let id = after
        .id
        .as_ref()
        .map_or_else(|| UNKNOWN.to_owned(), |id| format!("{} (a record that an earlier run left)", terminal(id)));
    let mut rows = vec![Row::new(" ", "id", id), Row::new("+", "name", quoted(&after.name))];
    rows.extend(detail.source.as_ref().map(|source| Row::new("+", "source", terminal(source))));
    rows.extend(detail.digest.as_ref().map(|digest| {
        let (algorithm, digits) = digest.split_once(':').unwrap_or(("digest", digest));
        let trust = detail.trust.as_deref().map(words::trust).unwrap_or_default();
        Row::new("+", &terminal(algorithm), format!("{}   {trust}", short_digest(digits, verbosity)))
    }));
    rows.extend(detail.size.map(|size| Row::new("+", "size", words::size(size))));
    rows.extend(detail.import.iter().flat_map(imported));
    let fields = compare(None, Some(after));
    let told = |field: &&Field| match field.kind {
        Kind::Attribute => field.name != "name" && is_worth_telling(field, verbosity),
        Kind::Property | Kind::Mark => verbosity == Verbosity::Full,
        Kind::Tag => true,
    };
    rows.extend(
        fields.iter().filter(told).map(|field| Row::new("+", &field.name, field.after.clone().unwrap_or_default())),
    );
    if verbosity != Verbosity::Full {
        rows.push(Row::new("+", "properties", format!("{} set", after.properties.len())));
    }
    rows.extend(detail.packages.iter().flat_map(|packages| inside(packages, verbosity)));
    rows
}

/// The packages inside: their numbers, and those that people look for first.
fn inside(packages: &Packages, verbosity: Verbosity) -> Vec<Row> {
    let told = format!("{} since {}", words::packages(packages), terminal(&packages.from));
    let shown = packages.changes.iter().filter(|package| match verbosity {
        Verbosity::Brief | Verbosity::Usual => packages.notable.contains(&package.name),
        Verbosity::Full => true,
    });
    let shown = shown.map(|package| Row::new(" ", "", format!("  {}", words::package(package))));
    std::iter::once(Row::new("~", "packages", told)).chain(shown).collect()
}

/// How the bytes come: by which method, from where, into which stores; and what is made of them on the way.
fn imported(import: &Import) -> Vec<Row> {
    let mut way = terminal(&import.method);
    if let Some(site) = &import.copied_from {
        way = format!("{way} from {}", terminal(site));
    }
    if !import.stores.is_empty() {
        let stores: Vec<_> = import.stores.iter().map(|store| terminal(store)).collect();
        way = format!("{way} into {}", words::listed(&stores));
    }
    let mut rows = vec![Row::new("+", "import", way)];
    if let (Some(format), Some(converter)) = (&import.converted_from, &import.converted_by) {
        let by = if converter == Converter::Glance.name() {
            "by Glance".to_owned()
        } else {
            format!("with {}", terminal(converter))
        };
        let told = format!("{}, converted from {} {by}", terminal(&import.disk_format), terminal(format));
        rows.push(Row::new("+", "disk_format", told));
    }
    rows
}

/// What a new image has by default need not be said.
fn is_worth_telling(field: &Field, verbosity: Verbosity) -> bool {
    let value = field.after.as_deref().unwrap_or_default();
    verbosity == Verbosity::Full || !matches!(value, "false" | "0 GiB" | "0 MiB")
}

fn short_digest(digits: &str, verbosity: Verbosity) -> String {
    match (verbosity, digits.char_indices().nth(DIGEST)) {
        (Verbosity::Brief | Verbosity::Usual, Some((end, _))) => format!("{}...", terminal(&digits[..end])),
        (Verbosity::Brief | Verbosity::Usual, None) | (Verbosity::Full, _) => terminal(digits),
    }
}

fn updated(change: &ResourceChange, verbosity: Verbosity) -> Vec<Row> {
    let (before, after) = (change.change.before.as_ref(), change.change.after.as_ref());
    let fields = compare(before, after);
    let changed: Vec<_> = fields.iter().filter(|field| !field.is_unchanged()).collect();
    let only_marks = changed.iter().all(|field| field.kind == Kind::Mark);
    let everything = verbosity == Verbosity::Full;
    let mut rows = vec![Row::new(" ", "id", format!("{} (stays)", id(before)))];
    if change.gallerist.reactivate {
        rows.push(Row::new("~", "status", "deactivated -> active"));
    }
    for field in &fields {
        let row = match (&field.before, &field.after) {
            (Some(before), _) if field.is_unchanged() => {
                everything.then(|| Row::new(" ", &field.name, before.as_str()))
            }
            _ if field.kind == Kind::Mark && !everything && !only_marks => None,
            (Some(before), Some(after)) => Some(Row::new("~", &field.name, format!("{before} -> {after}"))),
            (Some(before), None) => Some(Row::new("-", &field.name, before.as_str())),
            (None, Some(after)) => Some(Row::new("+", &field.name, after.as_str())),
            (None, None) => None,
        };
        rows.extend(row);
    }
    let hidden = fields.iter().filter(|field| field.is_unchanged() && field.kind != Kind::Mark).count();
    if !everything && hidden > 0 {
        rows.push(Row::new(" ", "", format!("({} hidden)", words::count(hidden, "unchanged attribute"))));
    }
    rows
}

fn deleted(change: &ResourceChange, verbosity: Verbosity) -> Vec<Row> {
    let Some(before) = &change.change.before else { return Vec::new() };
    let detail = &change.gallerist;
    let mut rows = vec![Row::new(" ", "id", id(Some(before))), Row::new(" ", "name", quoted(&before.name))];
    rows.extend(detail.size.map(|size| Row::new(" ", "size", words::size(size))));
    let dates = [
        detail.uploaded.map(|date| format!("uploaded {date}")),
        detail.superseded.map(|date| format!("superseded {date}")),
    ];
    let dates: Vec<_> = dates.into_iter().flatten().collect();
    if !dates.is_empty() {
        rows.push(Row::new(" ", "since", dates.join(", ")));
    }
    rows.extend(detail.usage.as_ref().map(|usage| Row::new(" ", "used by", asked(usage))));
    if verbosity == Verbosity::Full {
        rows.extend(
            compare(Some(before), None)
                .into_iter()
                .filter(|field| field.name != "name")
                .map(|field| Row::new("-", &field.name, field.before.unwrap_or_default())),
        );
    }
    rows
}

fn id(object: Option<&Object>) -> String {
    object.and_then(|object| object.id.as_deref()).map_or_else(|| "unknown".to_owned(), terminal)
}

/// `0 servers, 0 volumes`.
fn asked(usage: &Usage) -> String {
    let sources: Vec<_> = usage
        .sources
        .iter()
        .map(|(source, number)| {
            let source = terminal(source);
            match number {
                Some(1) => format!("1 {}", source.strip_suffix('s').unwrap_or(&source)),
                Some(number) => format!("{number} {source}"),
                None => format!("unknown {source}"),
            }
        })
        .collect();
    sources.join(", ")
}
