//! The file of `drift --accept`: findings that may be so, each with a reason and a last day.
//!
//! Everything is needed. A finding without a reason is one that nobody decided about, and one without a last day is
//! forgotten. A day that has passed is no mistake: the finding is simply back.

use std::path::Path;
use std::sync::Arc;

use globset::Glob;

use super::codes::Code;
use super::diagnostic::{Diagnostic, SourceFile};
use super::reader::Table;
use super::{files, syntax};
use crate::model::drift::{Accepted, Class};
use crate::model::name::bounded_pattern;

/// Reads a file of accepted findings.
///
/// # Errors
/// Every mistake of the file, in its order.
pub fn load(path: &Path) -> Result<Vec<Accepted>, Vec<Diagnostic>> {
    let text = files::open(path)?;
    read(&path.display().to_string(), text)
}

/// Reads the text of a file of accepted findings called `name`.
///
/// # Errors
/// Every mistake of the text, in its order.
pub fn read(name: &str, text: String) -> Result<Vec<Accepted>, Vec<Diagnostic>> {
    let file = Arc::new(SourceFile { name: name.to_owned(), text });
    syntax::walk(&file, Path::new("."), "a file of accepted findings", read_all).map(|(accepted, _)| accepted)
}

fn read_all(mut root: Table<'_>) -> Option<Vec<Accepted>> {
    let accepted = match root.take("accept") {
        Some(value) => value.list_of(|element| read_one(element.table("an accepted finding")?)),
        None => Some(Vec::new()),
    };
    root.finish();
    accepted
}

fn read_one(mut table: Table<'_>) -> Option<Accepted> {
    let address = table.need("address").and_then(|value| {
        value.parsed(Code::NotAName, |text| Glob::new(bounded_pattern(text)?).map_err(|error| error.to_string()))
    });
    let class = table.need("class").and_then(|value| value.word(Class::ALL, Class::name));
    let reason = table.need("reason").and_then(|value| value.filled().map(str::to_owned));
    let until = table.need("until").and_then(|value| value.date());
    table.finish();
    Some(Accepted { address: address?.compile_matcher(), class: class?, reason: reason?, until: until? })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jiff::civil::date;

    /// A library would panic.
    #[test]
    fn a_pattern_of_any_length_is_read_or_refused() {
        for pattern in ["*/".repeat(100_000), "{a,".repeat(50_000), "[".repeat(600)] {
            let text = GOOD.replacen("rocky-9/*", &pattern, 1);
            assert!(read("accept.toml", text).is_err());
        }
    }

    pub(in crate::manifest) const GOOD: &str = "\
[[accept]]
address = \"rocky-9/*\"
class = \"stale\"
reason = \"upstream has stopped\"
until = 2026-12-31
";

    #[test]
    fn an_acceptance_says_what_why_and_how_long() {
        let accepted = read("accepted.toml", GOOD.to_owned()).unwrap();
        let [one] = accepted.as_slice() else { panic!("{accepted:?}") };
        assert!(one.address.is_match("rocky-9/9.8@fra1") && !one.address.is_match("rocky-90/9.8"));
        assert_eq!((one.class, one.until), (Class::Stale, date(2026, 12, 31)));
        assert!(read("accepted.toml", String::new()).unwrap().is_empty());
    }

    #[test]
    fn nothing_is_accepted_by_halves() {
        for (from, to, code) in [
            ("reason = \"upstream has stopped\"\n", "", "E0105"),
            ("until = 2026-12-31\n", "", "E0105"),
            ("address = \"rocky-9/*\"\n", "", "E0105"),
            ("upstream has stopped", " ", "E0108"),
            ("\"stale\"", "\"old\"", "E0104"),
            ("2026-12-31", "\"tomorrow\"", "E0107"),
            ("rocky-9/*", "rocky-[9", "E0108"),
            ("reason =", "raeson =", "E0102"),
            ("[[accept]]", "[[accepted]]", "E0102"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            let found = read("accepted.toml", text.clone()).unwrap_err();
            assert_eq!(found[0].code.name(), code, "{text}");
        }
    }
}
