//! Digests of bytes that pass by.
//!
//! SHA-512, which Glance computes by default, is slower than most networks and decoders here; SHA-256 is what most
//! publishers state. Each gets a thread of its own, so that together they are no slower than the slower one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256, Sha512};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::BLOCK;
use super::error::TransferError;
use crate::model::digest::{Algorithm, Digest, Digests};

/// Blocks that may wait for a thread.
const DEPTH: usize = 16;

/// A digest in the making.
#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Digest {
        let digest = match self {
            Self::Sha256(hasher) => Digest::from_bytes(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => Digest::from_bytes(Algorithm::Sha512, &hasher.finalize()),
        };
        digest.expect("a hasher's output has the length of its algorithm")
    }
}

/// A thread that digests the blocks sent to it.
pub(super) struct HashThread {
    blocks: mpsc::Sender<Bytes>,
    thread: JoinHandle<Digest>,
}

impl HashThread {
    pub(super) fn start(algorithm: Algorithm, depth: usize) -> Self {
        let (blocks, mut incoming) = mpsc::channel::<Bytes>(depth);
        let thread = spawn_blocking(move || {
            let mut hasher = Hasher::new(algorithm);
            while let Some(block) = incoming.blocking_recv() {
                hasher.update(&block);
            }
            hasher.finish()
        });
        Self { blocks, thread }
    }

    /// Takes a block. If the thread is gone, `finish` says so.
    pub(super) async fn update(&self, block: Bytes) {
        let _ = self.blocks.send(block).await;
    }

    pub(super) async fn finish(self) -> Result<Digest, TransferError> {
        drop(self.blocks);
        self.thread.await.map_err(TransferError::Thread)
    }
}

/// The SHA-256 and SHA-512 digests of bytes that come in blocks.
///
/// # Errors
/// The bytes stopped coming; or, no mistake of theirs, a thread could not be had.
pub async fn digest_stream(mut blocks: impl Stream<Item = Result<Bytes, String>> + Unpin) -> Result<Digests, String> {
    let threads = [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| HashThread::start(algorithm, DEPTH));
    while let Some(block) = blocks.next().await {
        let block = block?;
        for thread in &threads {
            thread.update(block.clone()).await;
        }
    }
    let mut digests = Vec::new();
    for thread in threads {
        digests.push(thread.finish().await.map_err(|error| error.to_string())?);
    }
    Ok(Digests::new(digests).expect("two digests are some"))
}

/// The SHA-256 and SHA-512 digests of a file, and its size in bytes.
///
/// # Errors
/// The file cannot be read.
pub async fn digest_file(path: impl Into<PathBuf>) -> io::Result<(Digests, u64)> {
    let path = path.into();
    spawn_blocking(move || digest_file_now(&path)).await?
}

fn digest_file_now(path: &Path) -> io::Result<(Digests, u64)> {
    let mut file = File::open(path)?;
    let mut hashers = [Algorithm::Sha256, Algorithm::Sha512].map(Hasher::new);
    let mut buffer = vec![0; BLOCK];
    let mut size = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        size += count as u64;
        for hasher in &mut hashers {
            hasher.update(&buffer[..count]);
        }
    }
    let digests = Digests::new(hashers.map(Hasher::finish)).expect("two digests are some");
    Ok((digests, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_has_both_digests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, "abc").unwrap();
        let (digests, size) = digest_file(&path).await.unwrap();
        assert_eq!(size, 3);
        // FIPS 180-2, appendices B.1 and C.1.
        assert_eq!(
            digests.of(Algorithm::Sha256).unwrap().hexadecimal(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(digests.of(Algorithm::Sha512).unwrap().hexadecimal().starts_with("ddaf35a193617abacc417349ae204131"));
        assert!(digest_file(folder.path().join("none")).await.is_err());
    }
}
