//! images.toml and images.lock.toml as JSON Schemas (draft 2020-12), for editors: they complete keys and words, show what
//! a key means, and mark what cannot be. The reader is the judge; the tests hold both to the same files.

/// The schema of images.toml.
pub const CONFIG: &str = include_str!("schema/config.schema.json");
/// The schema of images.lock.toml.
pub const LOCK: &str = include_str!("schema/lock.schema.json");
