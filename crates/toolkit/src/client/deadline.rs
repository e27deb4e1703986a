//! Deadlines that hold for a process that was stopped, too.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::BoxError;

/// The API server took too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no answer from the API server within {0:?}")]
pub(super) struct TimedOut(Duration);

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    first: Duration,
    /// For the whole of it since `start`; otherwise between two pieces of the answer.
    total: bool,
    next: Duration,
    start: Instant,
}

impl Limit {
    /// Everything within `total`.
    pub(super) fn total(total: Duration) -> Self {
        Self { first: total, total: true, next: total, start: Instant::now() }
    }

    /// The head within `first`, then never silent for longer than `idle`.
    pub(super) fn idle(first: Duration, idle: Duration) -> Self {
        Self { first, total: false, next: idle, start: Instant::now() }
    }

    /// The deadline of the answer's head.
    pub(super) fn first_answer(&self) -> (Instant, Duration) {
        (self.start + self.first, self.first)
    }

    fn deadline(&self) -> Instant {
        if self.total { self.start + self.next } else { Instant::now() + self.next }
    }
}

/// Runs a request until its deadline.
///
/// The clock is looked at before every step: after a pause, a request whose time is over sends nothing more, even
/// if its connection woke up before the timer.
pub(super) async fn within<T>(
    (deadline, length): (Instant, Duration),
    request: impl Future<Output = T>,
) -> Result<T, TimedOut> {
    let mut request = pin!(request);
    let mut timer = pin!(sleep_until(deadline));
    std::future::poll_fn(|cx| {
        if is_over(deadline, timer.as_mut(), cx) {
            return Poll::Ready(Err(TimedOut(length)));
        }
        request.as_mut().poll(cx).map(Ok)
    })
    .await
}

fn is_over(deadline: Instant, timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> bool {
    Instant::now() >= deadline || timer.poll(cx).is_ready()
}

/// An answer's body that fails when its time is over.
pub(super) struct Bounded {
    body: Body,
    limit: Limit,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Bounded {
    pub(super) fn new(body: Body, limit: Limit) -> Self {
        let deadline = limit.deadline();
        Self { body, limit, deadline, timer: Box::pin(sleep_until(deadline)) }
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // What has arrived may be read; only waiting is bounded.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if !self.limit.total {
                let deadline = self.limit.deadline();
                self.deadline = deadline;
                self.timer.as_mut().reset(deadline);
            }
            return Poll::Ready(frame.map(|f| f.map_err(BoxError::from)));
        }
        let deadline = self.deadline;
        if is_over(deadline, self.timer.as_mut(), cx) {
            return Poll::Ready(Some(Err(TimedOut(self.limit.next).into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
