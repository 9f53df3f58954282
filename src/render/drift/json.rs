//! The report as it is, for programs, and for the next run to be compared with.

use super::report::Report;

/// The JSON Schema of the report (draft 2020-12).
pub const DRIFT_SCHEMA: &str = include_str!("../schema/drift.schema.json");

/// The report as JSON, one line a field.
pub(super) fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is made of texts, numbers and flags");
    format!("{}\n", crate::render::escape::json(&text))
}
