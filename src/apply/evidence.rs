//! What Glance says of the bytes it holds, held against what is known of them.

use crate::model::digest::{Digest, Digests};
use crate::model::image::Image;
use crate::model::operation::Delivered;
use crate::model::version::DiskFormat;

/// Whether Glance's own digest of an image is among these; nothing, where the two cannot be compared.
pub(super) fn agree(digests: &Digests, image: &Image) -> Option<bool> {
    digests.agree(&told(image)?.into())
}

fn told(image: &Image) -> Option<Digest> {
    let (algorithm, value) = image.hash.as_ref()?;
    format!("{algorithm}:{value}").parse().ok()
}

/// The bytes of an image by Glance's own word.
pub(super) fn as_told(image: &Image) -> Option<Delivered> {
    Some(Delivered { digests: told(image)?.into(), size: image.size?, virtual_size: image.virtual_size })
}

/// What speaks against an image that Glance was to convert while it imported the verified bytes. Its digest cannot be
/// foretold; that it is a raw disk of exactly the size that was inside can.
pub(super) fn against_conversion(delivered: Option<&Delivered>, image: &Image, wanted: DiskFormat) -> Option<String> {
    let found = image.disk_format.as_deref().unwrap_or("nothing known");
    let inside = delivered.and_then(|delivered| delivered.virtual_size);
    if found != wanted.name() {
        return Some(format!(
            "Glance holds it as {found} and has not made {} of it: is `image_conversion` among the import plugins there?",
            wanted.name()
        ));
    }
    if image.size.is_none() || image.size != inside {
        return Some(format!(
            "Glance has made a disk of {} bytes of an image of {} bytes",
            image.size.unwrap_or_default(),
            inside.unwrap_or_default()
        ));
    }
    told(image).is_none().then(|| "Glance tells no digest of what it has converted".to_owned())
}
