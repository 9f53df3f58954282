//! Whoever has to see all published bytes before they may go on: a thread that reads what passes.
//!
//! A verdict needs every byte, so it comes with the end of the download, while the last block is still held back. A
//! witness that is slower than the rest slows the delivery down; one that has seen enough lets it pass.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Witness;
use super::error::TransferError;

/// A witness at work.
pub(super) struct Testimony(JoinHandle<Result<(), String>>);

impl Testimony {
    /// Starts a witness, and says where the bytes go to. It has seen all when that end is dropped.
    pub(super) fn start(witness: Arc<dyn Witness>, depth: usize) -> (mpsc::Sender<Bytes>, Self) {
        let (chunks, incoming) = mpsc::channel(depth);
        let thread = spawn_blocking(move || witness.judge(&mut Passing { chunks: incoming, chunk: Bytes::new() }));
        (chunks, Self(thread))
    }

    pub(super) async fn verdict(self) -> Result<(), TransferError> {
        let verdict = self.0.await.map_err(TransferError::Thread)?;
        verdict.map_err(|because| TransferError::Disowned { because })
    }
}

/// The bytes that pass, as a reader.
struct Passing {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Passing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.chunks.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
        }
        let count = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
