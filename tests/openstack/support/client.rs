//! The real `openstack` client, from the cloud's own Python environment. A call takes about 1.5 s, so it is for what an
//! operator would look at with it; preparations go through `Session`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::cloud;

/// Runs `openstack ARGUMENTS -f json` as a cloud of clouds.yaml; the answer, or what it printed when it failed.
pub(crate) fn openstack(cloud: &str, arguments: &[&str]) -> Result<Value, String> {
    let output = run(cloud, &[arguments, &["-f", "json"]].concat());
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("with -f json the client prints JSON"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The bytes of an image, as `openstack image save` writes them into a file of this folder.
pub(crate) fn save(cloud: &str, id: &str, folder: &Path) -> Vec<u8> {
    let file = folder.join(id);
    let output = run(cloud, &["image", "save", "--file", file.to_str().expect("the folder's name is UTF-8"), id]);
    assert!(output.status.success(), "image save {id}: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(file).expect("the client has written it")
}

fn run(cloud: &str, arguments: &[&str]) -> Output {
    let directory = cloud::directory();
    Command::new(directory.join("venv/bin/openstack"))
        .args(arguments)
        .env("OS_CLIENT_CONFIG_FILE", directory.join("clouds.yaml"))
        .env("OS_CLOUD", cloud)
        .output()
        .expect("`up` installed the openstack client")
}
