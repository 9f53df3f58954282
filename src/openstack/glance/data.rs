//! Bytes to Glance and back.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStream};

use super::Glance;
use crate::model::name::ImageId;
use crate::openstack::error::{ApiError, ErrorKind};
use crate::openstack::http::chain;

/// The bytes of an image as they arrive; errors are told in one line.
pub type Download = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>;

impl Glance {
    /// Sends the bytes of a queued image, into this store where one is named. Blocks should be at most 256 KiB: behind uWSGI one of 1 MiB is answered with
    /// 500. `length` in bytes, where it is known; without it the body is sent in chunks, which some gateways refuse. A
    /// stream that ends in an error breaks the upload off, and Glance goes back to `queued` with nothing recorded.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the image has bytes already, [`ErrorKind::TooLarge`] over a limit,
    /// [`ErrorKind::Connection`] where the exchange broke off, with the stream's own error at the end of the message.
    pub async fn upload<S>(
        &self,
        id: &ImageId,
        body: S,
        length: Option<u64>,
        store: Option<&str>,
    ) -> Result<(), ApiError>
    where
        S: TryStream + Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        Bytes: From<S::Ok>,
    {
        let body = reqwest::Body::wrap_stream(body);
        self.endpoint().send_stream(&format!("images/{id}/file"), body, length, store).await
    }

    /// Sends the bytes of an image to be imported by `glance-direct`. As [`Glance::upload`].
    ///
    /// # Errors
    /// As [`Glance::upload`].
    pub async fn stage<S>(&self, id: &ImageId, body: S, length: Option<u64>) -> Result<(), ApiError>
    where
        S: TryStream + Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        Bytes: From<S::Ok>,
    {
        let body = reqwest::Body::wrap_stream(body);
        self.endpoint().send_stream(&format!("images/{id}/stage"), body, length, None).await
    }

    /// The bytes of an image.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] of a deactivated image without the admin role.
    pub async fn download(&self, id: &ImageId) -> Result<Download, ApiError> {
        let response = self.endpoint().read_stream(&format!("images/{id}/file")).await?;
        // 204: a queued image has no bytes; an empty stream would pass for an empty image.
        if response.status().as_u16() == 204 {
            let path = format!("images/{id}/file");
            let service = self.endpoint().service();
            return Err(ApiError::new(service, "GET", &path, ErrorKind::NotFound, "the image has no bytes yet"));
        }
        Ok(Box::pin(response.bytes_stream().map(|block| block.map_err(|error| chain(&error)))))
    }
}
