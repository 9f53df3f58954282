//! What a sink reads.
//!
//! The problem: over HTTP, a body that merely ends looks complete. If this side is cancelled or dies in the middle, a
//! site must not take the half that it has for the whole. The idea: a body ends well only after a block that was
//! handed over as the last one; a channel that closes without it ends the body with an error, and so does a reason
//! given by the other side. Errors break the connection off, and Glance puts the image back to `queued`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

/// What goes through a lane.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A block, not the last.
    Block(Bytes),
    /// The last block. Everything is verified.
    Last(Bytes),
    /// It was not to be; the text says why.
    BrokenOff(String),
}

/// The bytes of one image on their way to one sink: blocks of at most [`BLOCK`](super::BLOCK) bytes.
#[derive(Debug)]
pub struct Body {
    /// `None` once the body has ended, well or not.
    parcels: Option<mpsc::Receiver<Parcel>>,
    complete: Arc<AtomicBool>,
}

impl Body {
    /// A body, its other end, and whether its last block has been taken.
    pub(super) fn channel(depth: usize) -> (mpsc::Sender<Parcel>, Self, Arc<AtomicBool>) {
        let (sender, receiver) = mpsc::channel(depth);
        let complete = Arc::new(AtomicBool::new(false));
        (sender, Self { parcels: Some(receiver), complete: Arc::clone(&complete) }, complete)
    }
}

impl Stream for Body {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(parcels) = self.parcels.as_mut() else { return Poll::Ready(None) };
        let Poll::Ready(parcel) = parcels.poll_recv(context) else { return Poll::Pending };
        let item = match parcel {
            Some(Parcel::Block(block)) => return Poll::Ready(Some(Ok(block))),
            Some(Parcel::Last(block)) => {
                self.complete.store(true, Ordering::Release);
                Ok(block)
            }
            Some(Parcel::BrokenOff(because)) => Err(io::Error::other(because)),
            None => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the delivery was abandoned")),
        };
        self.parcels = None;
        Poll::Ready(Some(item))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn only_the_last_block_ends_a_body_well() {
        let block = Bytes::from_static(b"block");
        for (last, fine) in
            [(Some(Parcel::Last(block.clone())), true), (Some(Parcel::BrokenOff("no".into())), false), (None, false)]
        {
            let (sender, body, complete) = Body::channel(2);
            sender.send(Parcel::Block(block.clone())).await.unwrap();
            if let Some(last) = last {
                sender.send(last).await.unwrap();
            }
            drop(sender);
            let items: Vec<_> = body.collect().await;
            assert_eq!(items.len(), 2);
            assert!(items[0].is_ok());
            assert_eq!(items[1].is_ok(), fine);
            assert_eq!(complete.load(Ordering::Acquire), fine);
        }
    }
}
