//! images.toml and images.lock.toml in, diagnostics out.
//!
//! This room turns what people wrote into a [`Manifest`] with every default filled in, or into all the mistakes of the
//! file at once, each with its place and a way out. It knows the file formats and nothing else: no network, no cloud,
//! no publisher, no clock, and nothing of how messages look (`render::diagnostics` draws them). Nothing in the file is
//! executed, taken from the environment or fetched.
//!
//! To add a key: read it where its table is read, and put its value into [`contents`]. To add a kind of mistake: one
//! line in [`codes`] and a section in `explanations.md` with an example of wrong and right, both of which are tested.

pub mod accept;
pub mod codes;
pub mod contents;
pub mod diagnostic;
pub mod lock;
pub mod schema;

mod catalogue;
mod files;
mod fit;
mod image;
mod lifecycle;
mod properties;
mod reader;
mod settings;
mod source;
mod syntax;
mod values;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

pub use contents::{CloudEntry, FamilySpec, Manifest, PublisherSettings, Source};
pub use diagnostic::{Diagnostic, SourceFile};
pub use fit::misfits;

/// Reads images.toml: the manifest and its warnings.
///
/// # Errors
/// Every mistake of the file, in its order, warnings among them.
pub fn load(path: &Path) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = files::open(path)?;
    read(&path.display().to_string(), text, files::folder_of(path))
}

/// Reads the text of an images.toml called `name`, whose relative paths start from `folder`.
///
/// # Errors
/// Every mistake of the text, in its order, warnings among them.
pub fn read(name: &str, text: String, folder: &Path) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    let file = Arc::new(SourceFile { name: name.to_owned(), text });
    syntax::walk(&file, folder, "images.toml", catalogue::read)
}
