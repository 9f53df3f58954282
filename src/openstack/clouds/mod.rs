//! clouds.yaml and the `OS_*` variables: which cloud is meant, and how to get in.
//!
//! This room answers one question, "what does the OpenStack client understand by this cloud?", and asks no service.
//! [`document`] reads YAML into flat settings, [`search`] knows where the files are, [`environment`] makes the same
//! settings from variables, [`settings`] turns settings into a [`Cloud`]. To understand a further key, add it there.
//!
//! It refuses to print what it has read: there is no debug form of settings, and errors quote keys, never values.
//!
//! Reference: openstacksdk, "Configuring OpenStack SDK Applications".

mod document;
mod environment;
mod search;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use osauth::InterfaceType;
use secrecy::SecretString;
use url::Url;

use super::error::Service;

pub use search::Surroundings;

/// A cloud, and how to get in.
#[derive(Clone)]
pub struct Cloud {
    /// The name in clouds.yaml; absent where variables describe it.
    pub name: Option<String>,
    /// Keystone's URL, without `/v3` at its end.
    pub auth_url: Url,
    /// Who we are.
    pub credentials: Credentials,
    /// For what.
    pub scope: Scope,
    /// The regions to work in; none leaves the choice to the catalogue.
    pub regions: Vec<String>,
    /// Which of a service's endpoints are used.
    pub interface: InterfaceType,
    /// What the TLS connection must prove.
    pub tls: Tls,
    /// Endpoints that replace the catalogue's.
    pub endpoints: BTreeMap<Service, Url>,
}

/// How we prove who we are. Secrets have no debug form.
#[derive(Clone)]
pub enum Credentials {
    /// A user's password.
    Password {
        /// The user.
        user: Identity,
        /// The password.
        password: SecretString,
    },
    /// A token obtained elsewhere.
    Token(SecretString),
    /// An application credential.
    ApplicationCredential {
        /// The credential. A name alone needs the user.
        credential: Identity,
        /// Whose it is.
        user: Option<Identity>,
        /// Its secret.
        secret: SecretString,
    },
}

/// Something Keystone knows by id, or by name within a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Its id.
    Id(String),
    /// Its name.
    Name {
        /// The name.
        name: String,
        /// The domain in which that is its name; domains themselves have none.
        domain: Option<Box<Identity>>,
    },
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// A project.
    Project(Identity),
    /// A domain.
    Domain(Identity),
    /// The whole installation.
    System,
    /// Whatever the credentials imply.
    Unscoped,
}

/// What a TLS connection must prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Whether the server's certificate is checked.
    pub verification: Verification,
    /// The authorities that are trusted instead of the system's.
    pub authorities: Option<PathBuf>,
    /// Our own certificate, and its key where that is another file.
    pub certificate: Option<(PathBuf, Option<PathBuf>)>,
}

/// Whether a server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It is.
    Full,
    /// It is not (`verify: false`, `insecure: true`).
    None,
}

impl Tls {
    /// An HTTP client that demands this.
    ///
    /// # Errors
    /// A file cannot be read or holds no certificate; the text says which.
    pub(super) fn apply(&self, mut builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, String> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()));
        if let Some(path) = &self.authorities {
            let found = reqwest::Certificate::from_pem_bundle(&read(path)?)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| format!("`{}` (cacert) holds no PEM certificate", path.display()))?;
            builder = builder.tls_built_in_root_certs(false);
            builder = found.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        if let Some((certificate, key)) = &self.certificate {
            let mut pem = read(certificate)?;
            if let Some(key) = key {
                pem.push(b'\n');
                pem.extend(read(key)?);
            }
            let identity = reqwest::Identity::from_pem(&pem)
                .map_err(|_| format!("`{}` (cert, key) is no PEM certificate with its key", certificate.display()))?;
            builder = builder.identity(identity);
        }
        Ok(match self.verification {
            Verification::Full => builder,
            Verification::None => builder.danger_accept_invalid_certs(true),
        })
    }
}

/// Why a cloud cannot be used as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloudsError {
    /// No file has a cloud of that name.
    NoSuchCloud {
        /// The name that was asked for.
        name: String,
        /// Each file looked for, and what was found there.
        looked_in: Vec<(PathBuf, Found)>,
        /// A name like it.
        near: Option<String>,
        /// The other names there are.
        others: Vec<String>,
    },
    /// Neither a name nor variables say which cloud is meant.
    NoCloud,
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, without its content.
        problem: String,
    },
    /// What is said of the cloud does not suffice, or contradicts itself.
    Invalid {
        /// Where it is said.
        cloud: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// What was found where a clouds.yaml might have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file.
    Absent,
    /// A file with so many clouds.
    Clouds(usize),
    /// Nothing was looked for, for an earlier file was found and the client reads one only.
    NotRead,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("absent"),
            Self::Clouds(1) => formatter.write_str("1 cloud"),
            Self::Clouds(count) => write!(formatter, "{count} clouds"),
            Self::NotRead => formatter.write_str("not read: the first file found counts"),
        }
    }
}

impl fmt::Display for CloudsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCloud { name, looked_in, near, others } => {
                write!(formatter, "no cloud named `{}` in clouds.yaml", name.escape_debug())?;
                let places: Vec<String> =
                    looked_in.iter().map(|(path, found)| format!("{} ({found})", path.display())).collect();
                write!(formatter, "\nlooked in: {}", places.join(", "))?;
                let quoted = |names: &[String]| {
                    names.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ")
                };
                match (near, others.is_empty()) {
                    (Some(near), true) => write!(formatter, "\ndid you mean `{}`?", near.escape_debug()),
                    (Some(near), false) => {
                        write!(formatter, "\ndid you mean `{}`? Others: {}", near.escape_debug(), quoted(others))
                    }
                    (None, false) => write!(formatter, "\nthere are: {}", quoted(others)),
                    (None, true) => Ok(()),
                }
            }
            Self::NoCloud => formatter.write_str(
                "no cloud is chosen: name one of clouds.yaml with `--os-cloud` or `OS_CLOUD`, or set `OS_AUTH_URL` and \
                 the other `OS_*` variables",
            ),
            Self::Unreadable { path, problem } => write!(formatter, "cannot read `{}`: {problem}", path.display()),
            Self::Invalid { cloud, problem } => write!(formatter, "{cloud}: {problem}"),
        }
    }
}

impl std::error::Error for CloudsError {}

/// The cloud of that name in clouds.yaml; without a name that of `OS_CLOUD`, else what the other variables describe.
///
/// # Errors
/// [`CloudsError`], with what to do about it.
pub fn load(name: Option<&str>, surroundings: &Surroundings) -> Result<Cloud, CloudsError> {
    let chosen = name.map(str::to_owned).or_else(|| surroundings.variable("OS_CLOUD"));
    let (label, settings) = match &chosen {
        Some(name) => (format!("cloud `{}`", name.escape_debug()), search::find(name, surroundings)?),
        None => ("the `OS_*` variables".to_owned(), environment::settings(surroundings).ok_or(CloudsError::NoCloud)?),
    };
    settings::lower(chosen, &settings).map_err(|problem| CloudsError::Invalid { cloud: label, problem })
}
