//! The HTTP client that image data goes through, in both directions.

use std::time::Duration;

use reqwest::{Client, redirect};

const REDIRECTS: usize = 10;

/// An HTTP client for image data: HTTP/1.1, nothing decompressed on the way, no redirect from https to http, and no
/// time limits but for connecting: an upload may take hours, and `read_timeout` would count them as silence.
/// [`deliver`](super::deliver) watches for silence itself.
///
/// # Errors
/// The TLS library cannot be set up, for instance because the system's certificates cannot be read.
pub fn client() -> reqwest::Result<Client> {
    let redirects = redirect::Policy::custom(|attempt| {
        let was_https = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > REDIRECTS {
            attempt.error("too many redirects")
        } else if was_https && attempt.url().scheme() != "https" {
            attempt.error("a redirect from https to http")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .user_agent(concat!("gallerist/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .connect_timeout(Duration::from_secs(30))
        .tcp_keepalive(Duration::from_secs(30))
        .redirect(redirects)
        .build()
}
