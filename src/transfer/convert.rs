//! From a published qcow2 to the raw disk inside it.
//!
//! The problem: clouds on Ceph want raw disks and publishers offer qcow2, whose blocks may stand in any order; no stream
//! can be turned around on the way. The idea: the one time that a disk of this machine is touched. The published bytes
//! go through the same gate as ever (digest, signature, header: nothing that refers to another file) into a folder for a
//! while, `qemu-img` makes the disk, sparse, and that is delivered like a local file. Its digest is taken before it is
//! sent, so what arrives is what was made.
//!
//! `qemu-img` is run without a shell, without our environment, for a bounded time, on a file of a known format and size.
//! What this does not solve: a mistake in qemu-img itself. The chain of proof ends at the published bytes; whoever wants
//! it whole keeps the format that is published.

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use reqwest::Client;
use tokio::io::AsyncWriteExt;

use super::error::TransferError;
use super::{Body, Consignment, Delivered, Progress, Sink, deliver, digest_file};
use crate::model::version::{Compression, DiskFormat, Origin};

const PROGRAM: &str = "qemu-img";
/// Longest time that a conversion may take.
const PATIENCE: Duration = Duration::from_hours(1);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(20);
/// As much of its complaints as is read.
const COMPLAINT: usize = 300;

/// Where `qemu-img` is.
///
/// # Errors
/// A sentence: it is nowhere on `PATH`.
pub fn find_qemu_img() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let runs =
        |file: &PathBuf| file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let found = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(PROGRAM));
    found.into_iter().find(runs).ok_or_else(|| format!("`{PROGRAM}` is not on PATH; the package is called qemu-utils"))
}

/// Downloads a qcow2 once, makes a raw disk of it in the system's folder for temporary files (`TMPDIR`), and stores that
/// in every sink. With no sinks it is only made and measured.
///
/// # Errors
/// As [`deliver`]; also where the disk could not be made.
pub async fn deliver_raw(
    client: &Client,
    consignment: &Consignment,
    sinks: Vec<Arc<dyn Sink>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Delivered, TransferError> {
    let failed = |because: String| TransferError::Conversion { because };
    let program = find_qemu_img().map_err(failed)?;
    let parent = std::env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix("gallerist-")
        .tempdir_in(&parent)
        .map_err(|error| failed(format!("no folder can be made in `{}`: {error}", parent.display())))?;
    let (published, disk) = (folder.path().join("published.qcow2"), folder.path().join("disk.raw"));

    let file: Arc<dyn Sink> = Arc::new(ScratchFile(published.clone()));
    let inspected = deliver(client, consignment, vec![file], progress).await?;
    if let Some(error) = inspected.sinks.into_iter().find_map(Result::err) {
        return Err(failed(format!("{error:#}")));
    }
    // What the header says bounds what will be written.
    if inspected.virtual_size > consignment.limits.bytes {
        return Err(TransferError::TooLarge { limit: consignment.limits.bytes });
    }
    convert(&program, &published, &disk, folder.path()).await.map_err(failed)?;
    let unreadable = |source| TransferError::File { path: disk.clone(), source };
    std::fs::remove_file(&published).map_err(unreadable)?;
    let (digests, size) = digest_file(&disk).await.map_err(unreadable)?;
    if size != inspected.virtual_size {
        return Err(failed(format!(
            "`{PROGRAM}` has made a disk of {size} bytes, the header says {}",
            inspected.virtual_size
        )));
    }
    let raw = Consignment {
        origin: Origin::File(disk.clone()),
        published: digests,
        stored: None,
        size: Some(size),
        compression: Compression::None,
        disk_format: DiskFormat::Raw,
        witness: None,
        ..consignment.clone()
    };
    deliver(client, &raw, sinks, progress).await
}

/// Runs the program to its end.
async fn convert(program: &Path, published: &Path, disk: &Path, folder: &Path) -> Result<(), String> {
    let complaints = folder.join("complaints");
    let unstarted = |error: io::Error| format!("`{}` cannot be started: {error}", program.display());
    let child = Command::new(program)
        .args(["convert", "-f", DiskFormat::Qcow2.name(), "-O", DiskFormat::Raw.name(), "--"])
        .args([published, disk])
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&complaints).map_err(unstarted)?)
        .spawn()
        .map_err(unstarted)?;
    let status = Running(child).end().await.map_err(|error| format!("`{PROGRAM}` was lost: {error}"))?;
    match status {
        None => Err(format!("`{PROGRAM}` did not end in {} minutes", PATIENCE.as_secs() / 60)),
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            let said = std::fs::read(&complaints).unwrap_or_default();
            let said = String::from_utf8_lossy(&said[..said.len().min(COMPLAINT)]);
            let said: String = said.chars().map(|found| if found.is_control() { ' ' } else { found }).collect();
            Err(format!("`{PROGRAM}` ended with {status}: {}", said.trim()))
        }
    }
}

/// A program that does not outlive whoever waits for it.
struct Running(Child);

impl Running {
    /// How it ended; nothing, if it took too long.
    async fn end(mut self) -> io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file as a place that images are delivered to.
struct ScratchFile(PathBuf);

#[async_trait]
impl Sink for ScratchFile {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    async fn store(&self, mut body: Body, _length: Option<u64>) -> anyhow::Result<()> {
        let mut file = tokio::fs::File::create(&self.0).await?;
        while let Some(block) = body.try_next().await? {
            file.write_all(&block).await?;
        }
        Ok(file.flush().await?)
    }
}
