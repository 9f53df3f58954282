//! YAML to flat settings.
//!
//! The problem: YAML guesses types (`password: 12345e7` is a number, `no` is false, `0123` is octal), and a generic
//! tree would keep the guess instead of the text. The idea: never ask for "any value"; what is a scalar is read as the
//! text that stands there. Only the cloud that was asked for is read, so that an odd entry in another one does no harm;
//! its unknown parts are skipped. Error messages never show source lines, for those hold passwords.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What is said of one cloud. No debug form: it holds secrets.
#[derive(Default, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The `auth` block.
    pub(super) auth: BTreeMap<String, String>,
    /// The keys beside it.
    pub(super) other: BTreeMap<String, String>,
    /// `regions`, by name.
    pub(super) regions: Vec<String>,
}

impl Settings {
    /// These settings with others on top: secure.yaml on clouds.yaml.
    pub(super) fn overlaid(mut self, upper: Self) -> Self {
        self.auth.extend(upper.auth);
        self.other.extend(upper.other);
        if !upper.regions.is_empty() {
            self.regions = upper.regions;
        }
        self
    }
}

/// A whole file, as far as it was asked for.
#[derive(Default)]
pub(super) struct Document {
    /// The names of all its clouds.
    pub(super) names: Vec<String>,
    /// The one that was asked for.
    pub(super) cloud: Option<Settings>,
}

/// Keys of a cloud that are not single values and have no meaning here.
const STRUCTURED: [&str; 4] = ["networks", "floating_ip_source_list", "metrics", "api_timeouts"];

/// Reads the cloud of that name.
///
/// # Errors
/// Where in the text the problem is and what it is, without the text itself.
pub(super) fn read(text: &str, wanted: &str) -> Result<Document, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        FileSeed { wanted }.deserialize(deserializer)
    });
    // The parser's own words may quote a value; only the place is told.
    read.map_err(|error| match error.location() {
        Some(place) => format!("line {}, column {} is not what clouds.yaml allows there", place.line(), place.column()),
        None => "it is not YAML".to_owned(),
    })
}

/// A scalar as the text it was written as; `~` and nothing at all are no value.
struct Scalar(Option<String>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<String>::deserialize(deserializer).map(Self)
    }
}

macro_rules! map_seed {
    ($seed:ident<$value:ty>, $what:literal, |$self:ident, $map:ident| $body:block) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_option(self)
            }
        }

        impl<'de> Visitor<'de> for $seed<'_> {
            type Value = $value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str($what)
            }

            fn visit_none<E>(self) -> Result<$value, E> {
                Ok(<$value>::default())
            }

            fn visit_unit<E>(self) -> Result<$value, E> {
                Ok(<$value>::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>($self, mut $map: A) -> Result<$value, A::Error> $body
        }
    };
}

struct FileSeed<'a> {
    wanted: &'a str,
}

map_seed!(FileSeed<Document>, "a mapping with `clouds`", |self, map| {
    let mut document = Document::default();
    while let Some(key) = map.next_key::<String>()? {
        if key == "clouds" {
            document = map.next_value_seed(CloudsSeed { wanted: self.wanted })?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(document)
});

struct CloudsSeed<'a> {
    wanted: &'a str,
}

map_seed!(CloudsSeed<Document>, "a mapping of clouds", |self, map| {
    let mut document = Document::default();
    while let Some(name) = map.next_key::<String>()? {
        if name == self.wanted {
            document.cloud = Some(map.next_value_seed(CloudSeed { structured: &STRUCTURED })?);
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        document.names.push(name);
    }
    Ok(document)
});

struct CloudSeed<'a> {
    structured: &'a [&'a str],
}

map_seed!(CloudSeed<Settings>, "a mapping of settings", |self, map| {
    let mut settings = Settings::default();
    while let Some(key) = map.next_key::<String>()? {
        if key == "auth" {
            let auth = map.next_value::<Option<BTreeMap<String, Scalar>>>()?.unwrap_or_default();
            settings.auth = auth.into_iter().filter_map(|(key, value)| Some((key, value.0?))).collect();
        } else if key == "regions" {
            let regions = map.next_value::<Option<Vec<Region>>>()?.unwrap_or_default();
            settings.regions = regions.into_iter().map(|region| region.0).collect();
        } else if self.structured.contains(&key.as_str()) {
            map.next_value::<IgnoredAny>()?;
        } else if let Some(value) = map.next_value::<Lenient>()?.0 {
            settings.other.insert(key, value);
        }
    }
    Ok(settings)
});

/// A region: its name, or a mapping with `name` (and `values`, which have no meaning here).
struct Region(String);

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Name(String),
            Mapping { name: String },
        }
        Form::deserialize(deserializer).map(|form| match form {
            Form::Name(name) | Form::Mapping { name } => Self(name),
        })
    }
}

/// A single value of a key beside `auth`; lists and mappings, which only keys without meaning here have, are skipped.
struct Lenient(Option<String>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Lenient;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Lenient, E> {
                Ok(Lenient(None))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Lenient, E> {
                Ok(Lenient(Some(value.to_string())))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Lenient, E> {
                Ok(Lenient(Some(value.to_string())))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Lenient, E> {
                Ok(Lenient(Some(value.to_string())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Lenient, E> {
                Ok(Lenient(Some(value.to_string())))
            }
            fn visit_str<E>(self, value: &str) -> Result<Lenient, E> {
                Ok(Lenient(Some(value.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Lenient, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lenient, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Lenient(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(text: &str) -> Settings {
        read(text, "x").unwrap_or_else(|problem| panic!("{problem}")).cloud.unwrap()
    }

    #[test]
    fn scalars_stay_the_text_they_were_written_as() {
        let settings = cloud(
            "clouds:\n  x:\n    auth: {password: 12345e7, username: 0123, project_id: 00, project_name: no, user_id: ~, \
             domain_id: 'q', domain_name: 1_000}\n    verify: false\n    region_name: eu\n",
        );
        let auth: Vec<(&str, &str)> = settings.auth.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(
            auth,
            [
                ("domain_id", "q"),
                ("domain_name", "1_000"),
                ("password", "12345e7"),
                ("project_id", "00"),
                ("project_name", "no"),
                ("username", "0123")
            ]
        );
        assert_eq!(settings.other["verify"], "false");
    }

    #[test]
    fn other_clouds_and_unknown_parts_do_no_harm() {
        let text = "cache: {a: 1}\nclouds:\n  odd: [1, {2: 3}]\n  base: &base\n    auth: &auth {username: u}\n  x:\n    auth:\n      <<: *auth\n      password: p\n    regions: [one, {name: two, values: {a: 1}}]\n    networks: [{name: n}]\n    strange: {a: [1]}\n    region_name:\n";
        let document = read(text, "x").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(document.names, ["odd", "base", "x"]);
        let settings = document.cloud.unwrap();
        assert_eq!(settings.auth["username"], "u");
        assert_eq!(settings.auth["password"], "p");
        assert_eq!(settings.regions, ["one", "two"]);
        assert!(settings.other.is_empty());
        assert!(read("", "x").is_ok_and(|document| document.names.is_empty()));
        assert!(read("clouds:\n", "x").is_ok_and(|document| document.cloud.is_none()));
    }

    #[test]
    fn errors_tell_the_place_and_never_the_text() {
        for text in [
            "clouds:\n  x:\n    auth: {password: [hunter2]}\n",
            "clouds:\n  x:\n    auth: hunter2\n",
            "clouds:\n  x:\n    auth: {password: hunter2\n",
            "clouds:\n  x:\n    auth: {password: 'hunter2', password: hunter2}\n",
        ] {
            let problem = read(text, "x").err().unwrap_or_else(|| panic!("accepted: {text}"));
            assert!(problem.contains("line ") && !problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn the_upper_file_wins_key_by_key_and_may_hold_a_whole_block() {
        let lower = cloud("clouds: {x: {region_name: a, auth: {username: u, password: old}}}");
        let upper = cloud("clouds: {x: {auth: {password: new}}}");
        let merged = lower.overlaid(upper.clone());
        assert_eq!((merged.auth["username"].as_str(), merged.auth["password"].as_str()), ("u", "new"));
        assert_eq!(merged.other["region_name"], "a");
        assert!(Settings::default().overlaid(upper).auth.contains_key("password"));
    }
}
