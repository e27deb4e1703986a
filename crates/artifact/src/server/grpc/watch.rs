//! The call `Watch`.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt, stream};
use proto::artifact::v1::{Bookmark, WatchRequest, WatchResponse, watch_response::Event};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Service, message};
use crate::catalog::{Change, Filter, Token, TooOld, Watcher};

pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

struct Watch {
    watcher: Watcher,
    bookmark_interval: Duration,
    stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

pub(super) fn watch(service: &Service, request: WatchRequest) -> Result<Responses, Status> {
    let from = match &*request.resume_token {
        "" => None,
        token => Some(token.parse::<Token>().map_err(|error| Status::invalid_argument(error.to_string()))?),
    };
    let permit = service
        .watches
        .clone()
        .try_acquire_owned()
        .map_err(|_| Status::resource_exhausted("too many watches, try again later"))?;
    let filter = Filter { kind: request.kind, namespace: request.namespace, name: request.name };
    let watcher = service.catalog.watch(filter, from).map_err(too_old)?;

    let started = response(watcher.token(), Event::Bookmark(Bookmark {}));
    let watch = Watch {
        watcher,
        bookmark_interval: service.bookmark_interval,
        stop: service.stop.clone(),
        _permit: permit,
    };
    let changes = stream::unfold(Some(watch), |watch| async {
        let mut watch = watch?;
        let next = watch.next().await;
        let watch = next.is_ok().then_some(watch);
        Some((next, watch))
    });
    Ok(stream::once(async { Ok(started) }).chain(changes).boxed())
}

impl Watch {
    async fn next(&mut self) -> Result<WatchResponse, Status> {
        let event = tokio::select! {
            () = self.stop.cancelled() => return Err(Status::unavailable("server is shutting down")),
            change = self.watcher.next() => event(&change.map_err(too_old)?),
            // Keeps the client's token fresh, and finds out about clients that are gone.
            () = tokio::time::sleep(self.bookmark_interval) => Event::Bookmark(Bookmark {}),
        };
        Ok(response(self.watcher.token(), event))
    }
}

fn event(change: &Change) -> Event {
    match change {
        Change::Published(key, artifact) => Event::Published(message::artifact(key, artifact)),
        Change::Removed(key) => Event::Removed(message::source(key)),
    }
}

fn response(token: Token, event: Event) -> WatchResponse {
    WatchResponse { resume_token: token.to_string(), event: Some(event) }
}

fn too_old(error: TooOld) -> Status {
    Status::out_of_range(error.to_string())
}
