//! Names and identifiers: parse or refuse.
//!
//! Every string that decides something has its own type, so that a name can never stand where an id is meant.
//! Glance does not force its ids to be UUIDs, nor names to be unique; both types say only what Glance promises.

use std::cmp::Ordering;
use std::fmt;

/// A name or identifier that does not have the form its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName {
    /// What the text was meant to be.
    pub kind: &'static str,
    /// The text as found.
    pub text: String,
    /// What the form is.
    pub rule: &'static str,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a {}: {}", self.text.escape_debug(), self.kind, self.rule)
    }
}

impl std::error::Error for InvalidName {}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Takes the text if it has the form of this kind of name.
            ///
            /// # Errors
            /// [`InvalidName`], with the rule that the text breaks.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidName { kind: $kind, text, rule: $rule })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

fn is_token(text: &str, also: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || also.contains(character))
}

name!(
    /// The id Glance knows an image by. It never changes, whatever the image is called.
    ImageId,
    "image id",
    "one to 255 characters out of letters, digits, `-`, `_` and `.`",
    |text| !text.is_empty()
        && text.len() <= 255
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
        && !text.chars().all(|character| character == '.')
);
name!(
    /// What tenants see. Names repeat in Glance, so nothing is ever found by name alone.
    ImageName,
    "image name",
    "one to 255 characters, none of them a control character or outside the basic multilingual plane (Glance refuses those)",
    |text| !text.trim().is_empty()
        && text.chars().count() <= 255
        && text.chars().all(|character| !character.is_control() && u32::from(character) < 0x1_0000)
);
name!(
    /// One public name through time: `ubuntu-24.04`.
    FamilyName,
    "family",
    "lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
    |text| is_token(text, "._-") && !text.chars().any(|character| character.is_ascii_uppercase())
);
name!(
    /// The mark by which a catalogue knows its own images.
    CatalogueName,
    "catalogue name",
    "letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
    |text| is_token(text, "._-")
);
name!(
    /// A site as people name it: the region, or `cloud:region` where two clouds share a region's name.
    SiteName,
    "site",
    "letters, digits, `.`, `_`, `-` and `:`, beginning with a letter or digit",
    |text| is_token(text, "._-:")
);
name!(
    /// A Keystone project id.
    ProjectId,
    "project id",
    "one to 255 characters, none of them blank",
    |text| !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_whitespace)
);
name!(
    /// One upstream build of a family as its publisher names it: `20261015`, `20250210-2019`, `44.20260628.3.1`.
    ///
    /// The derived order is that of the text, good for maps; what is newer says [`VersionName::compare_age`].
    VersionName,
    "version",
    "letters, digits, `.`, `_`, `+`, `~` and `-`, beginning with a letter or digit",
    |text| is_token(text, "._-+~")
);

impl VersionName {
    /// Older is less. All publishers of the catalogue count upwards in parts, which the rules of Repology's
    /// libversion order rightly, re-spins (`20260722.1` after `20260722`) included.
    pub fn compare_age(&self, other: &Self) -> Ordering {
        libversion::version_compare2(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

/// `family/version`, with `@site` behind it when there are several sites.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The family.
    pub family: FamilyName,
    /// The version; absent where the whole family is meant.
    pub version: Option<VersionName>,
    /// The site, where there is more than one.
    pub site: Option<SiteName>,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.family.to_string();
        if let Some(version) = &self.version {
            text.push('/');
            text.push_str(version.as_str());
        }
        if let Some(site) = &self.site {
            text.push('@');
            text.push_str(site.as_str());
        }
        formatter.pad(&text)
    }
}

impl Address {
    /// An address as it is written: `family/version@site`, of which only the family is needed.
    ///
    /// # Errors
    /// A part of it is no such name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let (text, site) = text.split_once('@').map_or((text, None), |(text, site)| (text, Some(site)));
        let (family, version) = text.split_once('/').map_or((text, None), |(family, version)| (family, Some(version)));
        Ok(Self {
            family: FamilyName::parse(family)?,
            version: version.map(VersionName::parse).transpose()?,
            site: site.map(SiteName::parse).transpose()?,
        })
    }
}

/// Longest pattern of addresses, in bytes. No address is longer, and of much longer ones `globset` makes regular
/// expressions that it then refuses with a panic.
const LONGEST_PATTERN: usize = 512;

/// A pattern of addresses that is short enough to be one.
///
/// # Errors
/// It is too long; a sentence that says so.
pub fn bounded_pattern(text: &str) -> Result<&str, String> {
    if text.len() > LONGEST_PATTERN {
        return Err(format!("a pattern has at most {LONGEST_PATTERN} bytes, this one has {}", text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> VersionName {
        VersionName::parse(text).unwrap()
    }

    #[test]
    fn publishers_versions_are_ordered_by_age() {
        for (older, newer) in [
            ("20260705", "20260725"),
            ("20260722", "20260722.1"),
            ("20260722.9", "20260722.10"),
            ("20250210-2019", "20250303-2040"),
            ("20260615-2510", "20260615-2511"),
            ("43.20260413.3.1", "43.20260413.3.2"),
            ("43.20260413.3.2", "44.20260628.3.0"),
            ("9.6-20250531.0", "9.7-20251123.2"),
            ("9.9-20250531.0", "9.10-20251123.2"),
            ("4230.2.4", "4593.2.5"),
        ] {
            assert_eq!(version(older).compare_age(&version(newer)), Ordering::Less, "{older} {newer}");
            assert_eq!(version(newer).compare_age(&version(older)), Ordering::Greater, "{newer} {older}");
        }
    }

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["debian-12", "debian-12/20261013-2601", "debian-12/20261013-2601@prod:fra1", "debian-12@fra1"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "/", "debian-12/", "debian-12/1@", "Debian/1", "debian-12/1/2"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_rule() {
        let refusal = FamilyName::parse("Ubuntu 24").unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "`Ubuntu 24` is not a family: lower-case letters, digits, `.`, `_` and `-`, beginning with a letter or digit"
        );
        assert!(ImageName::parse("rocket \u{1F680}").is_err());
        assert!(ImageId::parse("../v2/images").is_err());
        assert!(ImageId::parse("..").is_err());
    }
}
