//! The schemas say what the reader says, as far as a schema can.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::broken::{BROKEN, broken_sources};
use super::{CATALOGUE, completed, read, repository};
use crate::manifest::codes::Code;
use crate::manifest::schema::{CONFIG, LOCK};
use crate::model::image::Visibility;
use crate::model::passage::{Converter, Method};
use crate::model::source::{Architecture, Distro, LeastTrust};
use crate::model::version::{Compression, DiskFormat};

/// What no schema can say: what files there are, what was said before, what a pattern or a date means.
const BEYOND: [Code; 14] = [
    Code::Syntax,
    Code::NotATime,
    Code::Twice,
    Code::SameName,
    Code::Pattern,
    Code::ImageName,
    Code::OutsideFolder,
    Code::NoSuchFile,
    Code::StageOrder,
    Code::Widened,
    Code::NameKept,
    Code::Moved,
    Code::PinnedAndSkipped,
    Code::NoImages,
];

fn errors(schema: &str, text: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document = json(toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")));
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// As editors see it: a date is the text of the date.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, json(value))).collect::<Map<_, _>>().into()
        }
    }
}

/// Asked of every text that the tests of the reader take for right.
#[track_caller]
pub(super) fn fits(text: &str) {
    assert_eq!(errors(CONFIG, text), Vec::<String>::new(), "{text}");
}

#[test]
fn what_ships_fits_and_names_its_schema() {
    let examples = std::fs::read_dir(repository().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let files = examples.chain([repository().join("images.toml")]);
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let text = std::fs::read_to_string(&path).unwrap();
        fits(&text);
        let named =
            text.lines().next().unwrap().strip_prefix("#:schema ").unwrap_or_else(|| panic!("{}", path.display()));
        let named = std::fs::read_to_string(path.parent().unwrap().join(named)).unwrap();
        assert_eq!(named, CONFIG, "{}", path.display());
    }
}

#[test]
fn what_the_reader_refuses_does_not_fit() {
    let sources = broken_sources().into_iter().map(|(source, code, _)| {
        (format!("{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\nsource = {source}\n"), code)
    });
    let fragments = BROKEN.iter().map(|(fragment, code, ..)| {
        let whole = fragment.contains("image]") || fragment.starts_with("image");
        (if whole { format!("{fragment}\n{CATALOGUE}") } else { completed(fragment) }, *code)
    });
    let mut refused = BTreeSet::new();
    for (text, code) in fragments.chain(sources) {
        assert!(read(&text).is_err() || code == "W0150", "{text}");
        if !BEYOND.iter().any(|beyond| beyond.name() == code) {
            assert!(!errors(CONFIG, &text).is_empty(), "{code} is passed over in\n{text}");
            refused.insert(code);
        }
    }
    assert!(refused.len() >= 10, "{refused:?}");
}

/// The words of an `enum` somewhere in the schema.
fn words(pointer: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(CONFIG).unwrap();
    let words = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
    words.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_words_are_the_readers() {
    fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> BTreeSet<String> {
        all.iter().map(|word| name(*word).to_owned()).collect()
    }
    let image = "/$defs/image/properties";
    let source = "/$defs/source/oneOf";
    for (pointer, expected) in [
        (format!("{source}/0/properties/distro/enum"), names(Distro::ALL, Distro::name)),
        ("/properties/publisher/propertyNames/enum".to_owned(), names(Distro::ALL, Distro::name)),
        (
            "/properties/publisher/additionalProperties/properties/trust/enum".to_owned(),
            names(LeastTrust::ALL, LeastTrust::name),
        ),
        ("/properties/import/properties/method/anyOf/0/enum".to_owned(), names(Method::ALL, Method::name)),
        ("/properties/import/properties/convert/enum".to_owned(), names(Converter::ALL, Converter::name)),
        (format!("{image}/visibility/enum"), names(Visibility::ALL, Visibility::name)),
        (format!("{image}/architecture/enum"), names(Architecture::ALL, Architecture::name)),
        (format!("{source}/1/properties/compression/enum"), names(&Compression::ALL, Compression::name)),
        (format!("{source}/1/properties/format/enum"), names(&DiskFormat::ALL, DiskFormat::name)),
    ] {
        assert_eq!(BTreeSet::from_iter(words(&pointer)), expected, "{pointer}");
    }
}

#[test]
fn every_key_of_the_reader_is_in_the_schema() {
    let reader = [
        include_str!("../catalogue.rs"),
        include_str!("../image.rs"),
        include_str!("../lifecycle.rs"),
        include_str!("../settings.rs"),
        include_str!("../source.rs"),
    ]
    .concat();
    let calls = [".take(\"", ".need(\""].map(|call| reader.split(call).skip(1));
    let keys: BTreeSet<&str> = calls.into_iter().flatten().map(|rest| rest.split_once('"').unwrap().0).collect();
    assert!(keys.len() > 30, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !CONFIG.contains(&format!("\"{key}\": {{"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_key_says_what_it_is() {
    fn look(path: &str, value: &Value) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object)
            && value.get("type").is_some()
        {
            for (key, property) in properties {
                let told = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(told, "{path}/{key} has no description");
            }
        }
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| look(&format!("{path}/{key}"), value)),
            Value::Array(values) => values.iter().for_each(|value| look(path, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    for schema in [CONFIG, LOCK] {
        look("", &serde_json::from_str(schema).unwrap());
    }
}

#[test]
fn a_lock_file_fits_as_it_is_written() {
    let written = crate::manifest::lock::write(&crate::manifest::lock::tests::lock()).unwrap();
    assert_eq!(errors(LOCK, &written), Vec::<String>::new());
    for (from, to) in [
        ("family = \"bare\"", "famly = \"bare\""),
        ("trust = \"https\"", "trust = \"signed:zz\""),
        ("dialect = \"debian-build\"", "dialect = \"debian\""),
        ("sha512 = \"ddd", "sha_512 = \"ddd"),
        ("compression = \"xz\"", "compression = \"lz\""),
    ] {
        let wrong = written.replacen(from, to, 1);
        assert!(crate::manifest::lock::read("images.lock.toml", wrong.clone()).is_err());
        assert!(!errors(LOCK, &wrong).is_empty(), "{to}");
    }
}
