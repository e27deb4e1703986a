//! A watch that begins anew after a failure.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::api::Api;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, DefaultBackoff, Error, Event, watcher};
use serde::de::DeserializeOwned;

/// Longest pause between two attempts: an API server that comes back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Lists and watches; lists again after every failure.
///
/// kube's watcher goes on from the last version that it saw. An API server whose store was restored from a backup is
/// behind that version: it accepts such a watch and stays silent until it has caught up, so that everything until then
/// is missed. No store goes back while a watch lasts, hence a list after each interruption is enough.
pub(crate) fn list_and_watch<K>(
    api: Api<K>,
    config: Config,
) -> impl Stream<Item = Result<Event<K>, Error>> + Send
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let start = move || watcher(api.clone(), config.clone()).boxed();
    let begin = Watch { events: Some(start()), pauses: DefaultBackoff::default() };
    stream::unfold((begin, start), |(mut watch, start)| async move {
        let mut events = match watch.events.take() {
            Some(events) => events,
            None => {
                let pause = watch.pauses.next().unwrap_or(LONGEST_PAUSE);
                tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
                start()
            }
        };
        let event = events.next().await?;
        if matches!(event, Ok(Event::InitDone)) {
            watch.pauses.reset();
        }
        // After a failure it is dropped.
        watch.events = event.is_ok().then_some(events);
        Some((event, (watch, start)))
    })
}

struct Watch<K> {
    events: Option<BoxStream<'static, Result<Event<K>, Error>>>,
    pauses: DefaultBackoff,
}
