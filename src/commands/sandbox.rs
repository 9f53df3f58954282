//! `sandbox`: the embedded cloud, to rehearse on with any OpenStack client.

use anyhow::Context as _;

use super::Stop;
use crate::cli::Sandbox as Options;
use crate::exit::Exit;
use crate::render::console::Console;
use crate::sandbox::{Options as SandboxOptions, Sandbox};

pub(super) async fn run(options: &Options, console: &Console) -> Result<Exit, Stop> {
    let names: Vec<String> = match options.regions {
        1 => vec!["RegionOne".to_owned()],
        regions => (1..=regions).map(|number| format!("Region{number}")).collect(),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sandbox = Sandbox::start(SandboxOptions::with_regions(&names)).await?;
    let folder = std::env::temp_dir().join(format!("gallerist-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join("clouds.yaml");
    std::fs::write(&file, sandbox.clouds_yaml()).with_context(|| format!("cannot write {}", file.display()))?;
    console.answer(&format!(
        "clouds.yaml: {}\n\nexport OS_CLIENT_CONFIG_FILE={}\nexport OS_CLOUD=sandbox-admin\n",
        file.display(),
        file.display()
    ))?;
    console.say("\nServing a cloud on loopback; clouds sandbox-admin, sandbox-demo and sandbox-other. Ctrl-C ends it.");
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    // A folder that somebody has removed already is what was wanted.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(Exit::Done)
}
