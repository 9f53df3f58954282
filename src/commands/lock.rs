//! `lock`: looks upstream and pins versions in images.lock.toml.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::{Stop, files, front};
use crate::cli::{Global, Lock as Options};
use crate::exit::Exit;
use crate::manifest::{Manifest, lock};
use crate::model::name::FamilyName;
use crate::render::console::Console;
use crate::render::relock;
use crate::upstream::relock::{Scope, relock as look};

pub(super) async fn run(global: &Global, options: &Options, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let scope = scope(&manifest, &options.families)?;
    let old = front::lock_file(&global.config, console)?.unwrap_or_default();
    let relock = look(&manifest, &old, &scope, &front::fetch()?).await;
    let path = front::lock_path(&global.config);
    let text = lock::write(&relock.lock).context("the versions cannot be written as TOML")?;
    // Nothing new leaves the file alone, its time of change included. And nothing is no reason to begin one: with an
    // empty lock file every family would be held.
    let nothing = relock.lock.is_empty() && !path.exists();
    if !nothing && std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        files::replace(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    console.answer(&relock::human(&relock, &path.display().to_string()))?;
    let misfits = front::misfits(&manifest, &relock.lock, &global.config);
    if !nothing && !misfits.is_empty() {
        console.say(&front::snippets(&misfits, console));
    }
    if relock.failures.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Stop::new(Exit::Error, relock::failures(&relock)))
}

fn scope(manifest: &Manifest, families: &[String]) -> Result<Scope, Stop> {
    if families.is_empty() {
        return Ok(Scope::Everything);
    }
    let wrong = |message: String| Stop::new(Exit::Usage, format!("error: {message}"));
    let mut names = BTreeSet::new();
    for text in families {
        let name = FamilyName::parse(text).map_err(|error| wrong(error.to_string()))?;
        if !manifest.families.contains_key(&name) {
            return Err(wrong(format!("images.toml has no family `{name}`")));
        }
        names.insert(name);
    }
    Ok(Scope::Only(names))
}
