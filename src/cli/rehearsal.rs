//! The options of `snapshot` and `sandbox`: a cloud in a file, and a cloud to play with.

use std::path::PathBuf;

use clap::Args;

/// `snapshot`
#[derive(Debug, Args)]
#[command(after_help = "At night, with credentials: gallerist snapshot -o cloud.json
In a pull request, without: gallerist plan --snapshot cloud.json --format markdown")]
pub struct Snapshot {
    /// Where to write it: JSON, without secrets
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `sandbox`
#[derive(Debug, Args)]
#[command(after_help = "Rehearse an apply on a twin of the cloud: gallerist snapshot -o cloud.json
                                          gallerist sandbox --from cloud.json")]
pub struct Sandbox {
    /// How many regions it has
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=5))]
    pub regions: u16,
    /// Serve the cloud that `gallerist snapshot` recorded: its images, without their bytes, and who uses them
    #[arg(long, value_name = "FILE", conflicts_with = "regions")]
    pub from: Option<PathBuf>,
}
