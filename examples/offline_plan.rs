//! A plan through the library, with neither a cloud nor a network: images.toml, the images.lock.toml beside it and a
//! snapshot go in, Markdown comes out.
//!
//!     gallerist snapshot -o cloud.json                              # once, with credentials
//!     cargo run --example offline_plan -- images.toml cloud.json    # anywhere

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use gallerist::manifest::{self, Diagnostic, lock};
use gallerist::planner::{self, identity::plan_id};
use gallerist::render::document::{Live, LiveSource};
use gallerist::render::{self, Coverage, Format, Manner, Shown};
use gallerist::snapshot::Snapshot;
use gallerist::upstream::fetch::{Fetch, Patience};
use gallerist::upstream::resolve::resolve;

/// The plan for a recorded cloud.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub(crate) async fn markdown(images_toml: &Path, cloud_json: &Path) -> anyhow::Result<String> {
    let (manifest, _warnings) = manifest::load(images_toml).map_err(|found| mistakes(&found))?;
    let lock = lock::load(&images_toml.with_file_name("images.lock.toml")).map_err(|found| mistakes(&found))?;
    let text = std::fs::read_to_string(cloud_json).with_context(|| cloud_json.display().to_string())?;
    let snapshot = Snapshot::read(&text)?;

    // What should be. Every version is in the lock file, so no publisher is asked.
    let sites = snapshot.sites.keys().cloned().collect();
    let desired = resolve(&manifest, Some(&lock), &Fetch::new(None, Patience::default())?, sites).await;
    // What is, and what would lead from the one to the other.
    let plan = planner::plan(&desired, &snapshot.observed(), snapshot.read_at);

    let document = render::compose(&Shown {
        plan: &plan,
        plan_id: &plan_id(&plan),
        desired: &desired,
        config: &images_toml.display().to_string(),
        sites: Vec::new(),
        live: Live { source: LiveSource::Snapshot, read_at: snapshot.read_at, milliseconds: 0, managed: 0 },
        targets: Vec::new(),
        coverage: Coverage::Whole,
        now: snapshot.read_at,
    });
    Ok(render::render(Format::Markdown, &document, Manner::default()))
}

fn mistakes(found: &[Diagnostic]) -> anyhow::Error {
    anyhow::anyhow!(render::diagnostics::human(found, render::diagnostics::Style::Plain))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut files = std::env::args().skip(1);
    let (Some(images_toml), Some(cloud_json)) = (files.next(), files.next()) else {
        anyhow::bail!("usage: offline_plan IMAGES_TOML CLOUD_JSON");
    };
    let plan = markdown(Path::new(&images_toml), Path::new(&cloud_json)).await?;
    Ok(std::io::stdout().write_all(plan.as_bytes())?)
}
