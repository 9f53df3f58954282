//! Properties: which names are the catalogue's to set, and how their values are written.
//!
//! Glance keeps base attributes, properties of its services and free properties in one namespace. A file that could
//! set the first would contradict itself (`visibility` is a key of its own); the second belong to whoever writes them;
//! and three names mark a snapshot, so that an image carrying them would no longer be recognised as ours.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::codes::Code;
use super::diagnostic::Diagnostic;
use super::reader::{Value, shown};

/// Base attributes of Glance's image schema, and of its older versions.
const BASE: &[&str] = &[
    "checksum",
    "container_format",
    "created_at",
    "deleted",
    "deleted_at",
    "direct_url",
    "disk_format",
    "file",
    "id",
    "is_public",
    "locations",
    "min_disk",
    "min_ram",
    "name",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "owner",
    "protected",
    "schema",
    "self",
    "size",
    "status",
    "stores",
    "tags",
    "updated_at",
    "virtual_size",
    "visibility",
];

/// What services write, by its beginning.
const SERVICES: &[&str] = &["os_glance_", "owner_specified.", "img_signature"];

/// What makes an image a snapshot.
const SNAPSHOT: &[&str] = &["base_image_ref", "image_type", "instance_uuid"];

/// The longest name or value that is sensible. Nova cuts longer values when it copies them to a server.
const LONGEST: usize = 255;

impl Value<'_> {
    /// A table of properties; booleans and whole numbers become the text that Glance stores.
    pub(super) fn properties(&self) -> Option<BTreeMap<String, String>> {
        let table = self.table("properties")?;
        Some(table.entries().filter_map(|entry| Some((entry.property_name()?, entry.property_value()?))).collect())
    }

    fn property_name(&self) -> Option<String> {
        let key = self.key();
        let refusal = |label: String| {
            self.context
                .diagnostic(
                    Code::ReservedProperty,
                    self.key_span(),
                    format!("`{}` cannot be set as a property", shown(key)),
                )
                .label(label)
        };
        let refused: Option<Diagnostic> = if matches!(key, "visibility" | "protected" | "min_disk" | "min_ram" | "name")
        {
            Some(refusal(format!("`{key}` is a key of the image itself")))
        } else if key == "os_hidden" {
            Some(refusal("the key for this is `hidden`".to_owned()))
        } else if BASE.contains(&key) {
            Some(refusal("Glance keeps this itself".to_owned()))
        } else if SNAPSHOT.contains(&key) {
            Some(refusal("marks a snapshot, which is never ours".to_owned()))
        } else if let Some(beginning) = SERVICES.iter().find(|beginning| key.starts_with(**beginning)) {
            Some(refusal(format!("services write `{beginning}*`")))
        } else if key.trim() != key || !storable(key) || key.is_empty() {
            Some(refusal(format!(
                "a name has 1 to {LONGEST} characters, no blank at its ends, none that Glance refuses"
            )))
        } else {
            None
        };
        match refused {
            Some(diagnostic) => {
                self.context.report(diagnostic);
                None
            }
            None => Some(key.to_owned()),
        }
    }

    fn property_value(&self) -> Option<String> {
        let value = match self.raw() {
            DeValue::String(text) => text.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Integer(digits) => {
                let number = i64::from_str_radix(digits.as_str(), digits.radix());
                if number.is_err() {
                    self.context.report(self.mismatch("a whole number of at most 64 bits, or a string"));
                }
                number.ok()?.to_string()
            }
            DeValue::Float(_) | DeValue::Datetime(_) => {
                // A version such as 24.04 would lose its form as a number.
                self.text();
                return None;
            }
            DeValue::Array(_) | DeValue::Table(_) => {
                self.context.report(self.mismatch("a string, a boolean or a whole number"));
                return None;
            }
        };
        if storable(&value) {
            return Some(value);
        }
        self.context.report(
            self.diagnostic(Code::ImageName, format!("the value of `{}` cannot be stored", shown(self.key())))
                .label(format!("at most {LONGEST} characters, none outside the basic multilingual plane")),
        );
        None
    }

    /// A property to leave alone: a name, or a beginning that ends in `*`.
    pub(super) fn property_pattern(&self) -> Option<String> {
        let text = self.filled()?;
        let fixed = text.strip_suffix('*').unwrap_or(text);
        if fixed.contains('*') {
            self.context.report(
                self.diagnostic(Code::NotAName, format!("`{}` is not a property or a beginning of one", shown(text)))
                    .label("`*` may only stand at the end"),
            );
            return None;
        }
        Some(text.to_owned())
    }
}

fn storable(text: &str) -> bool {
    text.chars().count() <= LONGEST
        && text.chars().all(|character| u32::from(character) < 0x1_0000 && !(character.is_control()))
}
