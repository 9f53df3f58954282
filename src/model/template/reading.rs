//! A name read backwards: what a template must have been given to make it.
//!
//! For images that somebody else has named by the same rule. Dates are read in the template's own format; a version is
//! whatever stands in its place, so whoever reads it must ask whether there is such a version.

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;

use super::{Part, Template, Variable};
use crate::model::name::{FamilyName, VersionName};

/// What stood in a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The version.
    pub version: Option<VersionName>,
    /// The day of the first upload.
    pub uploaded: Option<Date>,
    /// The day on which a newer version took over.
    pub superseded: Option<Date>,
    /// The day on which the publisher built it.
    pub built: Option<Date>,
}

impl Template {
    /// What the template was given to make this name for a family of that title; nothing, if it cannot have made it.
    pub fn reading(&self, name: &str, title: &str, family: &FamilyName) -> Option<Reading> {
        read(&self.parts, name, (title, family))
    }
}

fn read(parts: &[Part], name: &str, known: (&str, &FamilyName)) -> Option<Reading> {
    let Some((part, parts)) = parts.split_first() else { return name.is_empty().then(Reading::default) };
    match part {
        Part::Text(text) => read(parts, name.strip_prefix(text.as_str())?, known),
        Part::Value(Variable::Name, _) => read(parts, name.strip_prefix(known.0)?, known),
        Part::Value(Variable::Family, _) => read(parts, name.strip_prefix(known.1.as_str())?, known),
        Part::Value(Variable::Rank, _) => {
            read(parts, name.trim_start_matches(|digit: char| digit.is_ascii_digit()), known)
        }
        Part::Value(Variable::Version, _) => {
            // What follows the version decides where it ends.
            let mut ends = name.char_indices().skip(1).map(|(end, _)| end).chain([name.len()]);
            ends.find_map(|end| {
                let version = VersionName::parse(&name[..end]).ok()?;
                let rest = read(parts, &name[end..], known)?;
                Some(Reading { version: Some(version), ..rest })
            })
        }
        Part::Value(date @ (Variable::Uploaded | Variable::Superseded | Variable::Built), format) => {
            let (time, end) = BrokenDownTime::parse_prefix(format.as_deref().unwrap_or("%Y-%m-%d"), name).ok()?;
            let day = time.to_date().ok()?;
            let rest = read(parts, name.get(end..)?, known)?;
            Some(match date {
                Variable::Uploaded => Reading { uploaded: Some(day), ..rest },
                Variable::Superseded => Reading { superseded: Some(day), ..rest },
                Variable::Built | Variable::Name | Variable::Family | Variable::Version | Variable::Rank => {
                    Reading { built: Some(day), ..rest }
                }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_name_tells_what_it_was_made_of() {
        let family = FamilyName::parse("debian-12").unwrap();
        let read = |template: &str, name: &str| Template::parse(template).unwrap().reading(name, "Debian 12", &family);
        let (uploaded, superseded) = (Some(date(2026, 10, 15)), Some(date(2026, 11, 2)));
        let version = VersionName::parse("20261013-2601").ok();
        let nothing = Reading::default();
        for (template, name, reading) in [
            ("{name} - Latest", "Debian 12 - Latest", Some(nothing.clone())),
            ("{name} - Latest", "Debian 11 - Latest", None),
            ("{name} - {uploaded}", "Debian 12 - 2026-10-15", Some(Reading { uploaded, ..nothing.clone() })),
            ("{name} - {uploaded}", "Debian 12 - 2026-10-45", None),
            ("{name} - {uploaded}", "Debian 12 - 2026-10-15!", None),
            ("{name}-{superseded:%d-%m-%Y}", "Debian 12-02-11-2026", Some(Reading { superseded, ..nothing.clone() })),
            ("{name} ({version})", "Debian 12 (20261013-2601)", Some(Reading { version, ..nothing.clone() })),
            ("{name} ({version})", "Debian 12 ()", None),
            ("{family}_prev{n}", "debian-12_prev17", Some(nothing.clone())),
            ("{name}", "", None),
        ] {
            assert_eq!(read(template, name), reading, "{template} {name}");
        }
    }
}
