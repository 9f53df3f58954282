//! The options of `adopt`.

use std::path::PathBuf;

use clap::Args;

use super::DataFormat;
use crate::model::adoption::Claim;
use crate::model::name::{Address, ImageId};

/// `adopt`
#[derive(Debug, Args)]
#[command(after_help = "Take over what is proven, and one image that only you know:
  gallerist adopt --as debian-12/20261013-2601=5f2c1d0e-… --out adopt.json
  gallerist apply adopt.json

An adopted image gets marks (tags) and nothing else. The next plan shows what images.toml wants of it.")]
pub struct Adopt {
    /// Say what an image is; may be repeated. With @SITE behind the version, on that site only
    #[arg(long = "as", value_name = "FAMILY/VERSION=IMAGE_ID", value_parser = claim)]
    pub claims: Vec<Claim>,
    /// Also believe an image's own name and properties where its bytes prove nothing
    #[arg(long)]
    pub stated: bool,
    /// Download images from Glance where only that can prove their bytes
    #[arg(long)]
    pub read_bytes: bool,
    /// Save the adoptions as a plan for `gallerist apply`
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = DataFormat::Human, value_name = "FORMAT")]
    pub format: DataFormat,
}

fn claim(text: &str) -> Result<Claim, String> {
    let (address, image) = text.split_once('=').ok_or("write FAMILY/VERSION=IMAGE_ID")?;
    let address = Address::parse(address).map_err(|error| error.to_string())?;
    if address.version.is_none() {
        return Err(format!("`{address}` names no version; write FAMILY/VERSION=IMAGE_ID"));
    }
    let image = ImageId::parse(image).map_err(|error| error.to_string())?;
    Ok(Claim { address, image, built: None })
}
