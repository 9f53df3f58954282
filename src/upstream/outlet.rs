//! A publisher as it is reached in this run: at home or on a mirror, with its own keys or others, trusted so far.
//!
//! The problem: `mirror`, `keys` and `trust` mean the same for every publisher, and each of them must hold wherever a
//! publisher's file looks. The idea: publisher files speak of the publisher's own URLs, and only here are those turned
//! into what is really asked; only here is it decided whether a list is trusted enough.
//!
//! A list that *is* signed is checked whatever `trust` says. If the signature belongs to other bytes, or its key was
//! revoked, the list is refused in any case. If it merely cannot be checked (unknown, expired or weak key), it counts
//! as no signature, and `trust` decides whether that is enough.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use url::Url;

use super::clear_signed::ClearSigned;
use super::fetch::{Expected, Fetch};
use super::seal::promise;
use super::signature::{Distrust, Keyring, verify_detached};
use super::{Settings, UpstreamError};
use crate::model::source::LeastTrust;
use crate::model::version::{DetachedSignature, Trust};

/// A publisher as it is reached in this run.
pub(super) struct Outlet<'a> {
    mirror: Option<&'a Url>,
    keyring: Keyring,
    least: LeastTrust,
    fetch: &'a Fetch,
}

/// A text and what vouches for it.
pub(super) struct Vouched {
    pub(super) text: String,
    pub(super) trust: Trust,
}

impl<'a> Outlet<'a> {
    /// The publisher with these shipped keys, as the settings of images.toml want it reached.
    ///
    /// # Errors
    /// A file of `keys` is no key.
    pub(super) fn new(
        settings: &'a Settings,
        shipped: &[&[u8]],
        offers: LeastTrust,
        fetch: &'a Fetch,
    ) -> Result<Self, UpstreamError> {
        let keyring = match &settings.keys {
            Some(files) => Keyring::load(files.iter().map(Vec::as_slice)),
            None => Keyring::load(shipped.iter().copied()),
        }
        .map_err(|error| UpstreamError::Ask(format!("`keys` cannot be used: {error}")))?;
        Ok(Self { mirror: settings.mirror.as_ref(), keyring, least: settings.least.unwrap_or(offers), fetch })
    }

    /// Where a URL of the publisher is to be found: on the mirror, scheme and host are the mirror's, and the path
    /// follows the mirror's own.
    pub(super) fn at(&self, home: &str) -> Result<Url, UpstreamError> {
        let home = Url::parse(home).map_err(|error| UpstreamError::unreadable(&home.escape_debug(), error))?;
        let Some(mirror) = self.mirror else { return Ok(home) };
        let mut url = mirror.clone();
        url.set_path(&format!("{}{}", mirror.path().trim_end_matches('/'), home.path()));
        url.set_query(home.query());
        url.set_fragment(None);
        Ok(url)
    }

    /// Where an absolute URL that stands in a publisher's file is to be found. It must be on the publisher's own host.
    pub(super) fn located(&self, location: &str, host: &str) -> Result<Url, UpstreamError> {
        let at_home = Url::parse(location)
            .is_ok_and(|url| url.scheme() == "https" && url.host_str() == Some(host) && url.port().is_none());
        if at_home {
            self.at(location)
        } else {
            Err(UpstreamError::unreadable(
                &location.escape_debug(),
                format_args!("it is not at https://{host}, where the publisher's files are"),
            ))
        }
    }

    /// The file, or `None` where it does not exist.
    pub(super) async fn find(&self, url: &Url, expected: Expected) -> Result<Option<Arc<[u8]>>, UpstreamError> {
        Ok(self.fetch.find(url, expected).await?)
    }

    /// A directory listing, or `None` where it does not exist.
    pub(super) async fn listing(&self, folder: &Url) -> Result<Option<String>, UpstreamError> {
        Ok(self.find(folder, Expected::Listing).await?.map(|html| String::from_utf8_lossy(&html).into_owned()))
    }

    /// A text that nothing has signed, if that is enough; `None` where it does not exist.
    pub(super) async fn unsigned(&self, url: &Url) -> Result<Option<Vouched>, UpstreamError> {
        let Some(bytes) = self.find(url, Expected::Data).await? else { return Ok(None) };
        let trust = self.trust_without_signature(url, &Distrust::Unsigned)?;
        Ok(Some(Vouched { text: utf8(url, &bytes)?.to_owned(), trust }))
    }

    /// A clear-signed text; `None` where it does not exist.
    pub(super) async fn clear_signed(&self, url: &Url) -> Result<Option<Vouched>, UpstreamError> {
        let Some(bytes) = self.find(url, Expected::Data).await? else { return Ok(None) };
        let message = ClearSigned::read(&bytes).map_err(|distrust| distrusted(url, distrust))?;
        let trust = self.trust_of(url, message.verify(&self.keyring))?;
        Ok(Some(Vouched { text: message.text().to_owned(), trust }))
    }

    /// A text with a signature in a file of its own, which may be missing if no signature is needed; `None` where the
    /// text does not exist.
    pub(super) async fn detached(&self, url: &Url, signature: &Url) -> Result<Option<Vouched>, UpstreamError> {
        let Some(bytes) = self.find(url, Expected::Data).await? else { return Ok(None) };
        let verdict = match self.find(signature, Expected::Data).await? {
            Some(signature) => verify_detached(&bytes, &signature, &self.keyring),
            None => Err(Distrust::Unsigned),
        };
        let trust = self.trust_of(url, verdict)?;
        Ok(Some(Vouched { text: utf8(url, &bytes)?.to_owned(), trust }))
    }

    /// What vouches for the digests in a text that nothing has signed, and the signature over the image itself, in a file
    /// of its own. That is enough; without it the text must be trusted by itself.
    pub(super) async fn sealed(
        &self,
        text: &Url,
        signature: &Url,
    ) -> Result<(Trust, Option<DetachedSignature>), UpstreamError> {
        let promised = match self.find(signature, Expected::Data).await? {
            Some(file) => promise(&file, &self.keyring),
            None => Err(Distrust::Unsigned),
        };
        match promised {
            Ok(signature) if text.scheme() == "https" => Ok((Trust::Https, Some(signature))),
            Ok(signature) => Ok((Trust::Unverified, Some(signature))),
            Err(distrust) => Ok((self.trust_of(text, Err(distrust))?, None)),
        }
    }

    fn trust_of(&self, url: &Url, verdict: Result<String, Distrust>) -> Result<Trust, UpstreamError> {
        match verdict {
            Ok(fingerprint) => Ok(Trust::Signed { fingerprint }),
            Err(distrust) => match distrust {
                Distrust::Altered(_) | Distrust::RevokedKey(_) => Err(distrusted(url, distrust)),
                Distrust::Unsigned
                | Distrust::Malformed(_)
                | Distrust::UnknownKey(_)
                | Distrust::ExpiredKey(_)
                | Distrust::Weak(_) => self.trust_without_signature(url, &distrust),
            },
        }
    }

    fn trust_without_signature(&self, url: &Url, why: &Distrust) -> Result<Trust, UpstreamError> {
        let encrypted = url.scheme() == "https";
        match self.least {
            LeastTrust::None if !encrypted => Ok(Trust::Unverified),
            LeastTrust::None | LeastTrust::Https if encrypted => Ok(Trust::Https),
            LeastTrust::None | LeastTrust::Https | LeastTrust::Signed => Err(UpstreamError::TooLittleTrust {
                url: url.to_string(),
                least: self.least,
                because: match self.least {
                    LeastTrust::Signed => why.to_string(),
                    LeastTrust::None | LeastTrust::Https => {
                        format!("it is read over {} and {why}", url.scheme())
                    }
                },
            }),
        }
    }
}

/// Reads JSON; what is not read of it is not looked at.
pub(super) fn json<T: DeserializeOwned>(url: &Url, text: &str) -> Result<T, UpstreamError> {
    serde_json::from_str(text).map_err(|error| UpstreamError::unreadable(url, error))
}

pub(super) fn utf8<'b>(url: &Url, bytes: &'b [u8]) -> Result<&'b str, UpstreamError> {
    std::str::from_utf8(bytes).map_err(|error| UpstreamError::unreadable(url, error))
}

fn distrusted(url: &Url, distrust: Distrust) -> UpstreamError {
    UpstreamError::Distrusted { url: url.to_string(), distrust }
}
