//! Follows the targets of one kind in one namespace by a watch of whole objects.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde_json::Value;
use tokio::time::Instant;

use crate::request::{Calls, WATCH_OBJECTS};
use crate::watch::{Event, Watch, WatchError};

/// How long a watch lasts.
const LASTING: Duration = Duration::from_secs(290);
/// A watch that lasted this long was no failure.
const CALM: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// What a watch tells.
#[derive(Debug)]
pub(super) enum News {
    /// It began: what is there is told next.
    Opened,
    Seen(Value),
    Gone(Value),
    /// It broke off and is tried again.
    Lost,
    /// It is not allowed; nothing follows.
    Refused,
}

struct Following {
    calls: Calls,
    path: String,
    watch: Option<Watch>,
    opened: Instant,
    pause: Duration,
    refused: bool,
}

/// The news of the objects of a path, until it is dropped.
///
/// A watch without a version begins with all that is there, so no list comes before it and none is too old.
pub(super) fn follow(calls: Calls, path: String) -> BoxStream<'static, News> {
    let following =
        Following { calls, path, watch: None, opened: Instant::now(), pause: Duration::ZERO, refused: false };
    stream::unfold(following, |mut following| async move {
        let news = following.next().await?;
        Some((news, following))
    })
    .boxed()
}

impl Following {
    async fn next(&mut self) -> Option<News> {
        if self.refused {
            return None;
        }
        loop {
            let Some(watch) = &mut self.watch else { return Some(self.open().await) };
            match watch.next::<Value>().await {
                Ok(Event::Seen(object)) => return Some(News::Seen(object)),
                Ok(Event::Gone(object)) => return Some(News::Gone(object)),
                Ok(Event::Bookmark(_)) => {}
                Err(_) => return Some(self.lose()),
            }
        }
    }

    async fn open(&mut self) -> News {
        tokio::time::sleep(self.pause).await;
        match Watch::open(&self.calls, &self.path, WATCH_OBJECTS, LASTING).await {
            Ok(watch) => {
                self.watch = Some(watch);
                self.opened = Instant::now();
                News::Opened
            }
            Err(WatchError::Request(error)) if matches!(error.code(), Some(401 | 403 | 404 | 405)) => {
                self.refused = true;
                News::Refused
            }
            Err(_) => self.lose(),
        }
    }

    fn lose(&mut self) -> News {
        let calm = self.watch.is_some() && self.opened.elapsed() >= CALM;
        self.watch = None;
        self.pause = if calm { Duration::ZERO } else { (self.pause * 2).clamp(FIRST_PAUSE, LAST_PAUSE) };
        News::Lost
    }
}
