//! The real `openstack` client, from the cloud's own Python environment. A call takes about 1.5 s, so it is for what an
//! operator would look at with it; preparations go through `Session`.

use std::process::Command;

use serde_json::Value;

use super::cloud;

/// Runs `openstack ARGUMENTS -f json` as a cloud of clouds.yaml; the answer, or what it printed when it failed.
pub(crate) fn openstack(cloud: &str, arguments: &[&str]) -> Result<Value, String> {
    let directory = cloud::directory();
    let output = Command::new(directory.join("venv/bin/openstack"))
        .args(arguments)
        .args(["-f", "json"])
        .env("OS_CLIENT_CONFIG_FILE", directory.join("clouds.yaml"))
        .env("OS_CLOUD", cloud)
        .output()
        .expect("`up` installed the openstack client");
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).expect("with -f json the client prints JSON"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
