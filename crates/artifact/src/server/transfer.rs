//! A part of a file on its way to a client.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::Stream;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

use super::SEND_TIMEOUT;

/// Largest piece that is read and sent at once, in bytes.
pub(super) const CHUNK: u64 = 256 * 1024;

/// The bytes of the range in order, or an error if the file is shorter or the client too slow.
///
/// The permit is given back when the last piece is handed over or the client is given up.
pub(super) struct Transfer {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    missing: u64,
}

impl Transfer {
    pub(super) fn start(file: File, range: Range<u64>, permit: OwnedSemaphorePermit) -> Self {
        let missing = range.end.saturating_sub(range.start);
        let (sender, pieces) = mpsc::channel(1);
        // A task of its own, since nobody polls the stream of a client that doesn't read.
        tokio::spawn(async move {
            send(Arc::new(file), range, &sender).await;
            drop(permit);
        });
        Self { pieces, missing }
    }
}

impl Stream for Transfer {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = match std::task::ready!(self.pieces.poll_recv(cx)) {
            Some(Ok(bytes)) => {
                self.missing = self.missing.saturating_sub(bytes.len() as u64);
                Some(Ok(bytes))
            }
            Some(Err(error)) => Some(Err(error)),
            None if self.missing > 0 => Some(Err(io::ErrorKind::TimedOut.into())),
            None => None,
        };
        if matches!(item, Some(Err(_))) {
            self.missing = 0;
        }
        Poll::Ready(item)
    }
}

async fn send(file: Arc<File>, range: Range<u64>, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut at = range.start;
    while at < range.end {
        let piece = read(file.clone(), at..range.end.min(at + CHUNK)).await;
        at += piece.as_ref().map_or(range.end, |bytes| bytes.len() as u64);
        match timeout(SEND_TIMEOUT, sender.send(piece)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

async fn read(file: Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
    let read = move || {
        let size = usize::try_from(range.end - range.start).unwrap_or_default();
        let mut piece = vec![0; size];
        file.read_exact_at(&mut piece, range.start)?;
        Ok(Bytes::from(piece))
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}
