//! `sandbox`: the embedded cloud, to rehearse on with any OpenStack client; from nothing, or as the twin of a recorded one.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::twin::Twin;
use super::{Stop, snapshot};
use crate::cli::Sandbox as Options;
use crate::exit::Exit;
use crate::render::console::Console;
use crate::sandbox::{Options as SandboxOptions, Sandbox};

pub(super) async fn run(options: &Options, console: &Console) -> Result<Exit, Stop> {
    if let Some(path) = &options.from {
        let twin = Twin::of(&snapshot::read(path)?).await?;
        let what = "a twin of the recorded cloud on loopback; its images have no bytes";
        return serve(&twin.clouds_yaml(), twin.cloud(), what, console).await;
    }
    let names: Vec<String> = match options.regions {
        1 => vec!["RegionOne".to_owned()],
        regions => (1..=regions).map(|number| format!("Region{number}")).collect(),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sandbox = Sandbox::start(SandboxOptions::with_regions(&names)).await?;
    let what = "a cloud on loopback; clouds sandbox-admin, sandbox-demo and sandbox-other";
    serve(&sandbox.clouds_yaml(), "sandbox-admin", what, console).await
}

/// Says how to get in, and waits until somebody ends it.
async fn serve(clouds_yaml: &str, cloud: &str, what: &str, console: &Console) -> Result<Exit, Stop> {
    let folder = tempfile::Builder::new().prefix("gallerist-sandbox-").tempdir().context("cannot make a folder")?;
    let file = folder.path().join("clouds.yaml");
    std::fs::write(&file, clouds_yaml).with_context(|| format!("cannot write {}", file.display()))?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for the end")?;
    let file = file.display();
    console
        .answer(&format!("clouds.yaml: {file}\n\nexport OS_CLIENT_CONFIG_FILE={file}\nexport OS_CLOUD={cloud}\n"))?;
    console.say(&format!("\nServing {what}. Ctrl-C ends it."));
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended.context("cannot wait for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    Ok(Exit::Done)
}
