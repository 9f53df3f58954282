//! From one sequence of blocks to many sinks, each at its own risk.
//!
//! The problem: the slowest site sets the pace of all, and a site that hangs would stop them. The idea: every sink has
//! a short queue; one that takes nothing for as long as `limits.stall` is left behind, one that fails is forgotten,
//! and the others go on. One block is always held back: it is sent only with the verdict that everything is right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::body::{Body, Parcel};
use super::digesting::HashThread;
use super::{Limits, Sink};

/// Blocks that wait in one queue.
pub(super) const DEPTH: usize = 8;

/// The way to one sink.
struct Lane {
    name: String,
    /// `None` once the sink gets nothing more.
    parcels: Option<mpsc::Sender<Parcel>>,
    /// The sink's work; it ends with the lane.
    work: AbortOnDropHandle<anyhow::Result<()>>,
    /// Whether the sink has taken the last block.
    complete: Arc<AtomicBool>,
    /// Why it was left behind.
    left: Option<anyhow::Error>,
}

impl Lane {
    fn open(sink: Arc<dyn Sink>, length: Option<u64>) -> Self {
        let (parcels, body, complete) = Body::channel(DEPTH);
        let name = sink.name();
        let work = AbortOnDropHandle::new(tokio::spawn(async move { sink.store(body, length).await }));
        Self { name, parcels: Some(parcels), work, complete, left: None }
    }

    async fn send(&mut self, parcel: Parcel, stall: Duration) {
        let Some(parcels) = &self.parcels else { return };
        match timeout(stall, parcels.send(parcel)).await {
            Ok(Ok(())) => return,
            // The sink has let go of the body; its own answer says why.
            Ok(Err(_)) => {}
            Err(_) => {
                self.work.abort();
                self.left = Some(anyhow!("it took no more data for {} s and was left behind", stall.as_secs_f32()));
            }
        }
        self.parcels = None;
    }

    /// The sink's own answer, if it comes in time.
    async fn answer(mut self, patience: Duration) -> anyhow::Result<()> {
        self.parcels = None;
        let answer = match self.left.take() {
            Some(left) => Err(left),
            None => self.own_answer(patience).await,
        };
        answer.with_context(|| format!("`{}` did not take the image", self.name))
    }

    async fn own_answer(&mut self, patience: Duration) -> anyhow::Result<()> {
        match timeout(patience, &mut self.work).await {
            Ok(Ok(Ok(()))) if self.complete.load(Ordering::Acquire) => Ok(()),
            Ok(Ok(Ok(()))) => bail!("it answered before it had the whole image"),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(error)) => Err(anyhow::Error::new(error).context("the upload ended before its time")),
            Err(_) => bail!("no answer {} s after the last byte", patience.as_secs_f32()),
        }
    }
}

/// The ways to all sinks.
pub(super) struct Lanes<'a> {
    lanes: Vec<Lane>,
    limits: &'a Limits,
}

impl<'a> Lanes<'a> {
    /// Starts all sinks.
    pub(super) fn open(sinks: Vec<Arc<dyn Sink>>, length: Option<u64>, limits: &'a Limits) -> Self {
        Self { lanes: sinks.into_iter().map(|sink| Lane::open(sink, length)).collect(), limits }
    }

    /// Whether there were sinks and none is left.
    pub(super) fn all_gone(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.parcels.is_none())
    }

    /// Hands every block on but for the last, which is returned, and returns early when no sink is left.
    pub(super) async fn carry(&mut self, mut blocks: mpsc::Receiver<Bytes>, hashers: &[HashThread]) -> Option<Bytes> {
        let mut held: Option<Bytes> = None;
        while let Some(block) = blocks.recv().await {
            for hasher in hashers {
                hasher.update(block.clone()).await;
            }
            if let Some(ready) = held.replace(block) {
                self.send_all(|| Parcel::Block(ready.clone())).await;
            }
            if self.all_gone() {
                return None;
            }
        }
        held
    }

    /// Lets the last block go, and waits for the answers.
    pub(super) async fn complete(mut self, last: Bytes) -> Vec<anyhow::Result<()>> {
        self.send_all(|| Parcel::Last(last.clone())).await;
        let patience = self.limits.answer;
        self.answers(patience).await
    }

    /// Breaks every upload off for this reason, and waits until they have noticed.
    pub(super) async fn break_off(mut self, because: &str) -> Vec<anyhow::Result<()>> {
        self.send_all(|| Parcel::BrokenOff(because.to_owned())).await;
        let patience = self.limits.stall;
        self.answers(patience).await
    }

    async fn send_all(&mut self, parcel: impl Fn() -> Parcel) {
        join_all(self.lanes.iter_mut().map(|lane| lane.send(parcel(), self.limits.stall))).await;
    }

    async fn answers(self, patience: Duration) -> Vec<anyhow::Result<()>> {
        join_all(self.lanes.into_iter().map(|lane| lane.answer(patience))).await
    }
}
