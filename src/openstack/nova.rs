//! Nova, the Compute API v2.1: what asking for usage and booting one server for a test need.

use reqwest::Method;
use serde_json::{Value, json};

use super::error::ApiError;
use super::http::{Endpoint, Request};
use super::wire::ServerRecord;
use crate::model::name::ImageId;

/// `networks: none` and `auto` need 2.37 (Newton).
const MICROVERSION: (&str, &str) = ("x-openstack-nova-api-version", "2.37");

/// Nova in one region.
#[derive(Clone)]
pub struct Nova {
    endpoint: Endpoint,
}

/// A server as far as a boot test needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its id.
    pub id: String,
    /// `BUILD`, `ACTIVE`, `ERROR`, or another of Nova's words.
    pub status: String,
    /// Why it is in `ERROR`, where Nova says.
    pub fault: Option<String>,
}

/// A server to be made.
#[derive(Debug, Clone)]
pub struct NewServer<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is booted from.
    pub image: &'a ImageId,
    /// The flavor's id.
    pub flavor: &'a str,
    /// How it is connected.
    pub network: ServerNetwork<'a>,
    /// A word of metadata to find it again by: key and value.
    pub mark: (&'a str, &'a str),
}

/// How a server is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerNetwork<'a> {
    /// Not at all.
    None,
    /// As Nova thinks best.
    Auto,
    /// To the network of this id.
    Id(&'a str),
}

impl Nova {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Starts to make a server.
    ///
    /// # Errors
    /// Nova refuses it, over a quota or for want of a flavor, image or network.
    pub async fn create_server(&self, new: &NewServer<'_>) -> Result<String, ApiError> {
        let networks = match new.network {
            ServerNetwork::None => json!("none"),
            ServerNetwork::Auto => json!("auto"),
            ServerNetwork::Id(id) => json!([{"uuid": id}]),
        };
        let body = json!({"server": {
            "name": new.name, "imageRef": new.image.as_str(), "flavorRef": new.flavor, "networks": networks,
            "metadata": {new.mark.0: new.mark.1},
        }});
        let answer = self.endpoint.send(versioned(Method::POST, "servers").json(&body)).await?;
        let value: Value = answer.json()?;
        let id = value["server"]["id"].as_str().filter(|id| is_segment(id)).map(str::to_owned);
        id.ok_or_else(|| answer.malformed("it names no server"))
    }

    /// One server.
    ///
    /// # Errors
    /// [`super::error::ErrorKind::NotFound`] where there is none.
    pub async fn server(&self, id: &str) -> Result<Server, ApiError> {
        #[derive(serde::Deserialize)]
        struct Body {
            server: ServerRecord,
        }
        let Body { server } = self.endpoint.send(versioned(Method::GET, &format!("servers/{id}"))).await?.json()?;
        Ok(Server {
            id: server.id,
            status: server.status.unwrap_or_default(),
            fault: server.fault.and_then(|fault| fault.message).map(|message| super::error::one_line(&message)),
        })
    }

    /// The ids of our project's servers of exactly this name.
    ///
    /// # Errors
    /// Nova could not be asked.
    pub async fn servers_named(&self, name: &str) -> Result<Vec<String>, ApiError> {
        // Nova's filter is a regular expression; the ids and words we name servers by hold nothing special but `-`.
        let request = versioned(Method::GET, "servers").query("name", format!("^{name}$"));
        let value: Value = self.endpoint.send(request).await?.json()?;
        let servers = value["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let exact = servers.iter().filter(|server| server["name"].as_str() == Some(name));
        Ok(exact.filter_map(|server| server["id"].as_str()).filter(|id| is_segment(id)).map(str::to_owned).collect())
    }

    /// Names and ids of our project's servers whose name begins so and that carry this word of metadata; the first
    /// thousand.
    ///
    /// # Errors
    /// Nova could not be asked.
    pub async fn marked_servers(&self, prefix: &str, mark: (&str, &str)) -> Result<Vec<(String, String)>, ApiError> {
        let request = versioned(Method::GET, "servers/detail").query("name", format!("^{prefix}"));
        let value: Value = self.endpoint.send(request).await?.json()?;
        let servers = value["servers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let marked = servers.iter().filter(|server| server["metadata"][mark.0].as_str() == Some(mark.1));
        let named = marked.filter_map(|server| Some((server["name"].as_str()?, server["id"].as_str()?)));
        // What Nova's regular expression lets through is looked at again.
        let ours = named.filter(|(name, id)| name.starts_with(prefix) && is_segment(id));
        Ok(ours.map(|(name, id)| (name.to_owned(), id.to_owned())).collect())
    }

    /// Deletes a server. One that is gone already counts as deleted.
    ///
    /// # Errors
    /// Nova refuses or fails.
    pub async fn delete_server(&self, id: &str) -> Result<(), ApiError> {
        match self.endpoint.send(versioned(Method::DELETE, &format!("servers/{id}"))).await {
            Err(error) if error.kind() == super::error::ErrorKind::NotFound => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// What a server has printed on its console lately, at most `lines` lines.
    ///
    /// # Errors
    /// [`super::error::ErrorKind::Conflict`] where it has no console yet.
    pub async fn console(&self, id: &str, lines: u32) -> Result<String, ApiError> {
        let body = json!({"os-getConsoleOutput": {"length": lines}});
        let request = versioned(Method::POST, &format!("servers/{id}/action")).json(&body);
        let value: Value = self.endpoint.send(request).await?.json()?;
        Ok(value["output"].as_str().unwrap_or_default().to_owned())
    }

    /// The id of the flavor with this id or name.
    ///
    /// # Errors
    /// Nova could not be asked.
    pub async fn flavor(&self, wanted: &str) -> Result<Option<String>, ApiError> {
        let request = versioned(Method::GET, "flavors").query("limit", "1000");
        let value: Value = self.endpoint.send(request).await?.json()?;
        let flavors = value["flavors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let by = |key: &str| flavors.iter().find(|flavor| flavor[key].as_str() == Some(wanted));
        Ok(by("id").or_else(|| by("name")).and_then(|flavor| flavor["id"].as_str()).map(str::to_owned))
    }
}

fn versioned(method: Method, path: &str) -> Request {
    Request::new(method, path).header(MICROVERSION.0, MICROVERSION.1)
}

fn is_segment(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
}
