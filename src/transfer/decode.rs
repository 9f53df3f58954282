//! One thread that turns published bytes into stored ones.
//!
//! The problem: decoders are synchronous, stop silently after the first of several concatenated streams (pbzip2 and
//! pxz write such files), and take whatever memory a hostile header asks for. The idea: multi-stream decoders with a
//! bound on memory and on output, fed from a channel on a blocking thread; and a decoder counts as finished only when
//! nothing is left of its input. Everything that only needs the bytes in order happens here too: the digest as
//! published and the header's inspection.
//!
//! Memory: the decoder's dictionary is the only part of a delivery that depends on the image. `xz -9`, as Fedora
//! CoreOS uses it, needs 65 MiB, the usual `xz -6` 9 MiB, zstd 8 MiB, bz2 4 MiB, gz nothing to speak of.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use liblzma::stream::{CONCATENATED, Stream};
use tokio::sync::mpsc;

use super::digesting::Hasher;
use super::error::{Stage, TransferError, whole};
use super::inspect::{Inspected, Inspector, Look, recognise};
use super::{BLOCK, Consignment};
use crate::model::digest::{Digest, Digests};
use crate::model::version::{Compression, DiskFormat};

/// Most memory a decoder may take. Enough for `xz -9` and `zstd --ultra -22`, not for `zstd --long=30`.
const MEMORY: u64 = 128 << 20;
const WINDOW_LOG: u32 = MEMORY.ilog2();

/// What the thread has to know.
pub(super) struct Order {
    compression: Compression,
    disk_format: DiskFormat,
    min_disk: Option<u64>,
    /// Most bytes to make.
    limit: u64,
    /// Digests of its input. Without compression they are those of the output, which others make.
    published: Option<Digests>,
}

impl From<&Consignment> for Order {
    fn from(consignment: &Consignment) -> Self {
        Self {
            compression: consignment.compression,
            disk_format: consignment.disk_format,
            min_disk: consignment.min_disk,
            limit: consignment.limits.bytes,
            published: (consignment.compression != Compression::None).then(|| consignment.published.clone()),
        }
    }
}

/// Decodes everything from `incoming`, which `witness` sees too, into blocks for `outgoing`; digests and header are right
/// if this succeeds. It ends early, without an error, if nobody takes the blocks.
pub(super) fn decode(
    order: &Order,
    incoming: mpsc::Receiver<Bytes>,
    witness: Option<mpsc::Sender<Bytes>>,
    outgoing: &mpsc::Sender<Bytes>,
) -> Result<Option<Inspected>, TransferError> {
    let published = order.published.as_ref();
    let mut incoming = Incoming {
        chunks: incoming,
        witness,
        chunk: Bytes::new(),
        beginning: Vec::new(),
        hashers: published.iter().flat_map(|digests| digests.iter()).map(|it| Hasher::new(it.algorithm())).collect(),
    };
    let mut inspector = Inspector::new(order.disk_format, order.min_disk);
    let mut left = order.limit;
    {
        let mut decoder = decoder(order.compression, &mut incoming).map_err(|error| order.damaged(&error, &[]))?;
        loop {
            let block = match next_block(&mut decoder) {
                Ok(block) => block,
                Err(error) => {
                    drop(decoder);
                    return Err(order.damaged(&error, &incoming.beginning));
                }
            };
            if block.is_empty() {
                break;
            }
            left = left.checked_sub(block.len() as u64).ok_or(TransferError::TooLarge { limit: order.limit })?;
            inspector.feed(&block).map_err(TransferError::Header)?;
            if outgoing.blocking_send(block).is_err() {
                return Ok(None);
            }
        }
    }
    if !incoming.is_exhausted() {
        let garbage = io::Error::other("there is something else after the compressed data");
        return Err(order.damaged(&garbage, &incoming.beginning));
    }
    if let Some(published) = published {
        let found: Vec<Digest> = incoming.hashers.into_iter().map(Hasher::finish).collect();
        compare(Stage::Published, published, &found)?;
    }
    inspector.finish().map(Some).map_err(TransferError::Header)
}

impl Order {
    fn damaged(&self, error: &io::Error, beginning: &[u8]) -> TransferError {
        TransferError::Damaged {
            compression: self.compression,
            because: whole(error),
            found: recognise(beginning).filter(|found| *found != Look::Compressed(self.compression)),
        }
    }
}

/// Compares the digests found with those expected of the same algorithms.
pub(super) fn compare<'a>(
    stage: Stage,
    expected: &Digests,
    found: impl IntoIterator<Item = &'a Digest>,
) -> Result<(), TransferError> {
    for found in found {
        match expected.of(found.algorithm()) {
            Some(expected) if expected != found => {
                return Err(TransferError::Digest { stage, expected: expected.clone(), found: found.clone() });
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn decoder<'a>(compression: Compression, incoming: &'a mut Incoming) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(incoming),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(MEMORY, CONCATENATED).map_err(io::Error::other)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(incoming, stream))
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(incoming)),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(incoming)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(incoming)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

/// A full block, or what is left; empty at the end.
fn next_block(decoder: &mut dyn Read) -> io::Result<Bytes> {
    let mut block = Vec::with_capacity(BLOCK);
    decoder.take(BLOCK as u64).read_to_end(&mut block)?;
    Ok(block.into())
}

/// The published bytes as a reader.
struct Incoming {
    chunks: mpsc::Receiver<Bytes>,
    /// Who else sees them.
    witness: Option<mpsc::Sender<Bytes>>,
    chunk: Bytes,
    /// The first bytes, to name what was sent instead.
    beginning: Vec<u8>,
    hashers: Vec<Hasher>,
}

impl Incoming {
    const BEGINNING: usize = 512;

    fn is_exhausted(&mut self) -> bool {
        self.fill_buf().is_ok_and(<[u8]>::is_empty)
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.chunks.blocking_recv() else { break };
            for hasher in &mut self.hashers {
                hasher.update(&chunk);
            }
            if let Some(witness) = &self.witness {
                // One that listens no more has its verdict.
                let _ = witness.blocking_send(chunk.clone());
            }
            let wanted = Self::BEGINNING - self.beginning.len();
            self.beginning.extend(chunk.iter().take(wanted));
            self.chunk = chunk;
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount);
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
