//! Stopping at a certain write.

use tokio::sync::oneshot;

use super::Call;

/// On which side of the server's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The write never reaches the server.
    Before,
    /// The write is done, and its answer never arrives.
    After,
}

impl Moment {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Before, Self::After];
}

pub(super) struct Trap {
    /// Writes that are still let through.
    left: usize,
    moment: Moment,
    sprung: oneshot::Sender<Call>,
}

impl Trap {
    pub(super) fn new(number: usize, moment: Moment) -> (Self, oneshot::Receiver<Call>) {
        let (sprung, receiver) = oneshot::channel();
        (Self { left: number.saturating_sub(1), moment, sprung }, receiver)
    }

    /// Counts one more write; answers when it is the one.
    pub(super) fn count(&mut self) -> Option<Moment> {
        let sprung = (self.left == 0).then_some(self.moment);
        // Once only: those that come at the same time are let through.
        self.left = self.left.checked_sub(1).unwrap_or(usize::MAX);
        sprung
    }

    pub(super) fn tell(self, call: &Call) {
        // Whoever set the trap may have lost interest.
        let _ = self.sprung.send(call.clone());
    }
}
