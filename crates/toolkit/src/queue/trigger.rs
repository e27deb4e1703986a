//! Who asks for a run, and word of it for the run that is under way.

use kube::Resource;
use tokio::sync::watch;

/// The object whose change asks for a run. Prints as `Kind/namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its kind.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Trigger {
    /// The trigger that an object of a fixed kind is.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            kind: K::kind(&()).into_owned(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Follows whether a key that is with a worker is asked for again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Superseded(watch::Receiver<Asked>);

impl Superseded {
    /// Waits until the key is asked for again and says by whom, if that is known.
    ///
    /// Of several requests the first counts. Never ends when the work on the key does so first.
    pub async fn wait(mut self) -> Option<Trigger> {
        let asked = self.0.wait_for(|asked| matches!(asked, Asked::Again(_))).await;
        let trigger = asked.map(|asked| match &*asked {
            Asked::Again(trigger) => trigger.clone(),
            Asked::Not => None,
        });
        match trigger {
            Ok(trigger) => trigger,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Whether somebody asked for a key while it was worked on.
#[derive(Debug)]
enum Asked {
    Not,
    Again(Option<Trigger>),
}

/// The other end of [`Superseded`], which is with the queue for as long as the key is worked on.
pub(super) struct Notice(watch::Sender<Asked>);

impl Notice {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Asked::Not))
    }

    pub(super) fn follow(&self) -> Superseded {
        Superseded(self.0.subscribe())
    }

    pub(super) fn give(&self, trigger: Option<Trigger>) {
        self.0.send_if_modified(|asked| {
            let first = matches!(asked, Asked::Not);
            if first {
                *asked = Asked::Again(trigger);
            }
            first
        });
    }
}
