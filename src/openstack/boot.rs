//! The boot test: a server is booted from a version before tenants see it.
//!
//! The problem: an image can be exactly what its publisher signed and still not boot on this cloud. The idea: a server
//! is made from the private image; it must become `ACTIVE`, print what its console must print, and is removed again,
//! whatever happened. Only a server that Nova built and that then failed speaks against the bytes; a cloud without
//! room, a missing flavor or a Nova that fails speaks against the cloud, and the version waits.
//!
//! A run that dies leaves its server behind, and the server keeps the image from being deleted. So its name carries the
//! image's id and its metadata the catalogue: the next test of the same image removes it first, and [`clear`] those of
//! images that are not tested again. What this does not solve: until then the leftover counts as a user of its image,
//! like any server.

use std::time::{Duration, Instant};

use super::error::{ApiError, ErrorKind};
use super::nova::{NewServer, Nova, ServerNetwork};
use super::site::Site;
use crate::apply::request::{BootOutcome, Failure};
use crate::model::desired::{BootNetwork, BootTest};
use crate::model::name::{CatalogueName, ImageId};

/// What the names of all test servers begin with.
const PREFIX: &str = "gallerist-boot-test-";
/// The key of the metadata that names the catalogue.
const MARK: &str = "gallerist:catalogue";
const PAUSE: Duration = Duration::from_secs(1);
/// How much of the console is looked at.
const CONSOLE_LINES: u32 = 1000;

/// The boot test of a catalogue.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What is to be seen.
    pub test: BootTest,
    /// Whose servers they are.
    pub catalogue: CatalogueName,
}

/// Removes what boot tests of this catalogue have left behind; the names of those servers. Only for whoever holds the
/// catalogue's lock: the server of a test under way looks the same.
///
/// # Errors
/// Nova could not be asked, or refuses.
pub async fn clear(site: &Site, catalogue: &CatalogueName) -> Result<Vec<String>, ApiError> {
    let Some(nova) = &site.nova else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for (name, id) in nova.marked_servers(PREFIX, (MARK, catalogue.as_str())).await? {
        remove(nova, &id).await?;
        names.push(name);
    }
    Ok(names)
}

/// Boots a server from an image and removes it.
///
/// # Errors
/// The test could not be made, which says nothing about the image.
pub(super) async fn test(site: &Site, trial: &Trial, image: &ImageId) -> Result<BootOutcome, Failure> {
    let test = &trial.test;
    let nova = site.nova.as_ref().ok_or_else(|| Failure::refused("the boot test needs Nova, and the site has none"))?;
    let flavor = nova.flavor(&test.flavor).await?;
    let flavor =
        flavor.ok_or_else(|| Failure::refused(format!("there is no flavor `{}` to boot with", test.flavor)))?;
    let pattern = match &test.console {
        None => None,
        Some(written) => Some(
            regex::Regex::new(written)
                .map_err(|error| Failure::refused(format!("the console pattern is no regular expression: {error}")))?,
        ),
    };
    let name = format!("{PREFIX}{image}");
    for left in nova.servers_named(&name).await? {
        nova.delete_server(&left).await?;
    }
    let network = match &test.network {
        BootNetwork::None => ServerNetwork::None,
        BootNetwork::Auto => ServerNetwork::Auto,
        BootNetwork::Network(id) => ServerNetwork::Id(id),
    };
    let mark = (MARK, trial.catalogue.as_str());
    let server = match nova.create_server(&NewServer { name: &name, image, flavor: &flavor, network, mark }).await {
        Ok(server) => server,
        Err(error) => {
            // It may be there all the same. Whoever cannot be asked now either is asked by the next test.
            for left in nova.servers_named(&name).await.unwrap_or_default() {
                nova.delete_server(&left).await?;
            }
            return Err(error.into());
        }
    };
    let outcome = watch(nova, &server, test, pattern.as_ref()).await;
    let removed = remove(nova, &server).await;
    let outcome = outcome?;
    removed?;
    Ok(outcome)
}

async fn watch(
    nova: &Nova,
    server: &str,
    test: &BootTest,
    pattern: Option<&regex::Regex>,
) -> Result<BootOutcome, ApiError> {
    let deadline = Instant::now() + Duration::from_secs(test.timeout);
    let mut active = false;
    while Instant::now() < deadline {
        let found = nova.server(server).await?;
        match found.status.as_str() {
            "ACTIVE" => active = true,
            "ERROR" => {
                let fault = found.fault.unwrap_or_else(|| "Nova says no more".to_owned());
                return Ok(BootOutcome::Failed(format!("the server is in ERROR: {fault}")));
            }
            _ => {}
        }
        match pattern {
            None if active => return Ok(BootOutcome::Passed),
            Some(pattern) if active => match nova.console(server, CONSOLE_LINES).await {
                Ok(printed) if pattern.is_match(&printed) => return Ok(BootOutcome::Passed),
                Ok(_) => {}
                // A server whose console is not there yet.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            },
            None | Some(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(BootOutcome::Failed(match (active, &test.console) {
        (true, Some(pattern)) => format!("the console did not print `{pattern}` within {} s", test.timeout),
        (true, None) | (false, _) => format!("the server was not ACTIVE within {} s", test.timeout),
    }))
}

/// Deletes a server and waits until it is gone: while it is there, it counts as a user of the image.
async fn remove(nova: &Nova, server: &str) -> Result<(), ApiError> {
    let deadline = Instant::now() + Duration::from_mins(2);
    nova.delete_server(server).await?;
    while Instant::now() < deadline {
        match nova.server(server).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
    Ok(())
}
