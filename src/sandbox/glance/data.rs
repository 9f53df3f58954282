//! The bytes of an image: taken as a stream, given back where they are few.
//!
//! An upload is hashed and inspected while it arrives; only images of up to [`KEPT`] bytes are kept, of larger ones the
//! digests and sizes. Nothing is buffered beyond that, so a client that breaks off, stalls or sends too much is
//! met as the real service meets it. What becomes of a broken upload is decided by a guard that is dropped with the
//! request, however that ends: the image is queued again and takes a new upload.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use md5::Md5;
use sha2::{Digest, Sha512};

use super::Glance;
use super::record::{Data, ImageRecord};
use crate::model::image::Status;
use crate::sandbox::answer::{
    Answer, Call, Refusal, empty, header_text, html, html_with_detail, media_type, with_body, with_header,
};
use crate::sandbox::identity::Caller;
use crate::sandbox::image::{Header, Reference};
use crate::sandbox::range::{Range, Requested};
use crate::sandbox::server::Shared;

/// Images of up to this many bytes can be downloaded again. Of larger ones only digests and sizes are kept.
pub(super) const KEPT: usize = 16 << 20;
/// Enough for the header of a qcow2.
const HEAD: usize = 512;

/// What an upload is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Purpose {
    /// The bytes become the image's.
    Store,
    /// The bytes wait for an import.
    Stage,
}

/// Takes the bytes of an image.
pub(in crate::sandbox) async fn upload(
    shared: &Shared,
    region: &str,
    id: &str,
    purpose: Purpose,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let store = begin(&mut shared.world().region_of_door(region).glance, id, purpose, caller, headers)?;
    let _queued_unless_finished = Unfinished { shared, region, id };
    let expected: Option<u64> = header_text(headers, "x-openstack-image-size").parse().ok();
    let mut intake = Intake::default();
    let mut stream = body.into_data_stream();
    while let Some(block) = stream.next().await {
        let block = block.map_err(|_| html(StatusCode::BAD_REQUEST, "The upload was broken off."))?;
        intake.take(&block);
        if let Some(expected) = expected.filter(|expected| intake.size > *expected) {
            let message = format!("Size exceeds: expected {expected} bytes, got {} bytes", intake.size);
            return Err(html(StatusCode::BAD_REQUEST, &message));
        }
    }
    if let Some(expected) = expected.filter(|expected| intake.size != *expected) {
        let message = format!("Size mismatch: expected {expected} bytes, got {} bytes", intake.size);
        return Err(html(StatusCode::BAD_REQUEST, &message));
    }
    let mut world = shared.world();
    let now = world.now();
    let glance = &mut world.region_of_door(region).glance;
    let image = glance.images.get_mut(id).ok_or_else(|| {
        html(StatusCode::GONE, &format!("Image {id} could not be found after upload. The image may have been deleted."))
    })?;
    image.updated_at = now;
    match purpose {
        Purpose::Stage => {
            let data = intake.finish().data;
            image.data = Data { size: data.size, bytes: data.bytes, ..Data::default() };
            image.status = Status::Uploading;
        }
        Purpose::Store => intake.finish().store(image, store)?,
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Everything that can be refused before the first byte.
fn begin(
    glance: &mut Glance,
    id: &str,
    purpose: Purpose,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<String, Refusal> {
    let media_type = media_type(headers);
    if media_type != "application/octet-stream" {
        let message = format!("The request media type {media_type} is not supported by this server.");
        let detail = format!("Invalid content type {media_type}");
        return Err(html_with_detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message, &detail));
    }
    let named = Some(header_text(headers, "x-image-meta-store").to_owned()).filter(|store| !store.is_empty());
    let store = glance.settings.stores(named.as_slice());
    let image = glance.owned(id, caller, "upload_image")?;
    let next = match purpose {
        Purpose::Store => Status::Saving,
        Purpose::Stage => Status::Uploading,
    };
    if image.status != Status::Queued {
        let message = format!("Image status transition from {} to {next} is not allowed", image.status);
        return Err(html(StatusCode::CONFLICT, &message));
    }
    if image.disk_format.is_none() || image.container_format.is_none() {
        let message = "Properties disk_format, container_format must be set prior to saving data.";
        return Err(html(StatusCode::BAD_REQUEST, message));
    }
    let store = store.map_err(|problem| html(StatusCode::BAD_REQUEST, &problem))?;
    image.status = Status::Saving;
    Ok(store)
}

/// An upload that has not come to its end: dropped with the request, it queues the image again.
struct Unfinished<'a> {
    shared: &'a Shared,
    region: &'a str,
    id: &'a str,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let mut world = self.shared.world();
        let image = world.region_of_door(self.region).glance.images.get_mut(self.id);
        if let Some(image) = image.filter(|image| image.status == Status::Saving) {
            image.status = Status::Queued;
        }
    }
}

/// Bytes on their way in.
#[derive(Default)]
pub(super) struct Intake {
    size: u64,
    md5: Md5,
    sha512: Sha512,
    head: Vec<u8>,
    kept: Vec<u8>,
}

/// Bytes that have all arrived.
pub(super) struct Received {
    pub(super) data: Data,
    header: Option<Header>,
}

impl Intake {
    /// Takes the next block.
    pub(super) fn take(&mut self, block: &[u8]) {
        self.size += u64::try_from(block.len()).unwrap_or(u64::MAX);
        self.md5.update(block);
        self.sha512.update(block);
        let wanted = HEAD.saturating_sub(self.head.len()).min(block.len());
        self.head.extend(&block[..wanted]);
        if self.size <= u64::try_from(KEPT).unwrap_or(u64::MAX) {
            self.kept.extend(block);
        } else {
            self.kept = Vec::new();
        }
    }

    /// What is known now that there are no more.
    pub(super) fn finish(self) -> Received {
        let complete = u64::try_from(self.kept.len()).is_ok_and(|kept| kept == self.size);
        let data = Data {
            size: Some(self.size),
            virtual_size: None,
            checksum: Some(hex::encode(self.md5.finalize())),
            hash: Some(("sha512".to_owned(), hex::encode(self.sha512.finalize()))),
            store: None,
            bytes: complete.then(|| Bytes::from(self.kept)),
        };
        Received { data, header: Header::read(&self.head) }
    }
}

impl Received {
    /// Makes the bytes the image's, or refuses them as Glance's inspection of formats does.
    ///
    /// A refusal leaves the image queued and without size, but with the digests of what was refused.
    pub(super) fn store(self, image: &mut ImageRecord, store: String) -> Result<(), Refusal> {
        let problem = match (image.disk_format.as_deref(), self.header) {
            (Some("qcow2"), None) => Some("Image disk_format qcow2 does not match stream data raw"),
            (Some("qcow2"), Some(Header { reference: Reference::OtherFile, .. })) => Some("Image failed safety checks"),
            _ => None,
        };
        image.data = Data { store: Some(store), ..self.data };
        if let Some(problem) = problem {
            image.status = Status::Queued;
            image.data.size = None;
            image.data.bytes = None;
            return Err(html(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem));
        }
        image.data.virtual_size = match image.disk_format.as_deref() {
            Some("raw" | "iso") => image.data.size,
            Some("qcow2") => self.header.map(|header| header.virtual_size),
            _ => None,
        };
        image.status = Status::Active;
        Ok(())
    }
}

/// Makes these bytes the image's, without a request.
pub(in crate::sandbox) fn receive(image: &mut ImageRecord, bytes: &[u8]) -> Result<(), Refusal> {
    let mut intake = Intake::default();
    intake.take(bytes);
    intake.finish().store(image, "file".to_owned())
}

/// Gives the bytes of an image back.
pub(super) fn download(image: &ImageRecord, call: &Call<'_>) -> Answer {
    if image.status == Status::Deactivated && !call.caller.is_admin() {
        let message = "The requested image has been deactivated. Image data download is forbidden.";
        return Err(html(StatusCode::FORBIDDEN, message));
    }
    if !matches!(image.status, Status::Active | Status::Deactivated) {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let Some(bytes) = image.data.bytes.clone() else {
        let message = format!("The sandbox keeps no images of more than {KEPT} bytes, only their digests.");
        return Err(html(StatusCode::NOT_IMPLEMENTED, &message));
    };
    let answer = match Range::read(header_text(call.headers, "range"), bytes.len()) {
        Requested::Everything => with_body(StatusCode::OK, "application/octet-stream", bytes),
        Requested::Part(range) => {
            let part = with_body(StatusCode::PARTIAL_CONTENT, "application/octet-stream", range.of(&bytes));
            with_header(part, "content-range", &range.content_range(bytes.len()))
        }
        Requested::Nothing => {
            let message = "The Range requested is not available.";
            return Err(html(StatusCode::RANGE_NOT_SATISFIABLE, message));
        }
    };
    Ok(with_header(answer, "content-md5", image.data.checksum.as_deref().unwrap_or_default()))
}
