//! The one pass.
//!
//! Three things run at once: the download is fed to the decoder thread, the decoder's blocks are carried to the digest
//! threads and the sinks, and the sinks upload. They are coupled by short queues only, so the slowest sets the pace
//! and memory stays flat. Whichever fails first closes its queues; the others notice and end. When all is quiet there
//! is one verdict, and either every sink gets the last block or every sink gets the reason why not.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Client;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::decode::{Order, compare, decode};
use super::digesting::HashThread;
use super::download::Source;
use super::error::{Stage, TransferError};
use super::inspect::{Inspected, Refusal};
use super::lanes::{DEPTH, Lanes};
use super::witness::Testimony;
use super::{Consignment, Delivered, Progress, Sink};
use crate::model::digest::{Algorithm, Digests};
use crate::model::version::Compression;

/// Downloads a version once and stores it in every sink. With no sinks it is only verified.
///
/// A sink that fails or hangs does not hinder the others; [`Delivered::sinks`] says which. Dropping the future breaks
/// every upload off.
///
/// # Errors
/// The bytes could not be had, are not the published ones, are not the declared disk image, or no sink took them. In
/// each case every sink's body has ended with an error before its last block, and every sink has let go of it.
pub async fn deliver(
    client: &Client,
    consignment: &Consignment,
    sinks: Vec<Arc<dyn Sink>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Delivered, TransferError> {
    let source = Source::open(client, consignment, progress).await?;
    let length = match consignment.compression {
        Compression::None => source.length(),
        Compression::Xz | Compression::Bzip2 | Compression::Gzip | Compression::Zstd => None,
    };
    let (published, incoming) = mpsc::channel(DEPTH);
    let (outgoing, blocks) = mpsc::channel(DEPTH);
    let order = Order::from(consignment);
    let (witness, testimony) = consignment.witness.clone().map(|witness| Testimony::start(witness, DEPTH)).unzip();
    let decoding = spawn_blocking(move || decode(&order, incoming, witness, &outgoing));
    let hashers = [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| HashThread::start(algorithm, DEPTH));
    let mut lanes = Lanes::open(sinks, length, &consignment.limits);

    let (fed, held) = tokio::join!(feed(source, published), lanes.carry(blocks, &hashers));
    let decoded = decoding.await.map_err(TransferError::Thread);
    if lanes.all_gone() {
        let answers = lanes.break_off("no other site takes the image either").await;
        return Err(TransferError::Sinks(answers.into_iter().filter_map(Result::err).collect()));
    }
    // The order matters: a download that broke off also leaves the decoder without its end.
    let verdict = match fed.and(decoded).flatten() {
        Ok(inspected) => judge(consignment, inspected, held, hashers, testimony).await,
        Err(error) => Err(error),
    };
    match verdict {
        Ok(Verified { inspected, stored, last }) => Ok(Delivered {
            stored,
            size: inspected.size,
            virtual_size: inspected.virtual_size,
            sinks: lanes.complete(last).await,
        }),
        Err(error) => {
            // That these sinks fail is what is wanted.
            lanes.break_off(&error.to_string()).await;
            Err(error)
        }
    }
}

/// Everything that must be there before the last block may go.
struct Verified {
    inspected: Inspected,
    stored: Digests,
    last: Bytes,
}

async fn judge(
    consignment: &Consignment,
    inspected: Option<Inspected>,
    held: Option<Bytes>,
    hashers: [HashThread; 2],
    testimony: Option<Testimony>,
) -> Result<Verified, TransferError> {
    let [sha256, sha512] = hashers;
    let found = [sha256.finish().await?, sha512.finish().await?];
    if consignment.compression == Compression::None {
        compare(Stage::Published, &consignment.published, found.iter())?;
    }
    if let Some(expected) = &consignment.stored {
        compare(Stage::Stored, expected, found.iter())?;
    }
    if let Some(testimony) = testimony {
        testimony.verdict().await?;
    }
    let stored = Digests::new(found).expect("two digests are some");
    match (inspected, held) {
        (Some(inspected), Some(last)) => Ok(Verified { inspected, stored, last }),
        _ => Err(TransferError::Header(Refusal::Empty)),
    }
}

/// Feeds the download to the decoder thread, as long as it takes any.
async fn feed(mut source: Source<'_>, published: mpsc::Sender<Bytes>) -> Result<(), TransferError> {
    loop {
        let chunk = tokio::select! {
            chunk = source.next() => chunk?,
            // The decoder has ended before its input did, and says why.
            () = published.closed() => None,
        };
        let Some(chunk) = chunk else { return Ok(()) };
        if published.send(chunk).await.is_err() {
            return Ok(());
        }
    }
}
