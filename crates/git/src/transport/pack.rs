//! Receiving a pack and writing it to disk.

use std::{
    io::BufRead,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
};

use gix::{
    ObjectId,
    odb::pack::{Bundle, bundle::write::Options as WriteOptions, data::input::Mode, index::Version},
    protocol::fetch::{
        Arguments, Context, Negotiate, Options as FetchOptions, Response, Shallow, Tags,
        negotiate::{Action, Round, one_round::State},
    },
};

use super::{AGENT, Connection};
use crate::{
    error::{Cause, protocol},
    options::Clock,
};

/// How much history comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum History {
    /// The commit alone.
    None,
    /// All of it.
    Full,
}

impl Connection {
    /// Receives the objects and what they need into `<objects>/pack`.
    pub(crate) fn fetch(mut self, wants: &[ObjectId], history: History, objects: &Path) -> Result<(), Cause> {
        let pack = objects.join("pack");
        std::fs::create_dir_all(&pack).map_err(Cause::Disk)?;
        self.client.limit_replies(self.limits.pack);
        let clock = self.clock.clone();
        until(&clock, |interrupt| self.receive(wants, history, &pack, interrupt))
    }

    fn receive(
        &mut self,
        wants: &[ObjectId],
        history: History,
        pack: &Path,
        interrupt: &AtomicBool,
    ) -> Result<(), Cause> {
        let shallow = match history {
            History::None => Shallow::DepthAtRemote(std::num::NonZeroU32::MIN),
            History::Full => Shallow::NoChange,
        };
        let object_limit = self.limits.object;
        let received = gix::protocol::fetch(
            &mut Fixed(wants),
            |reader, progress, interrupt| write(reader, pack, object_limit, progress, interrupt),
            gix::progress::Discard,
            interrupt,
            Context {
                handshake: &mut self.handshake,
                transport: &mut self.transport,
                user_agent: ("agent", Some(AGENT.into())),
                trace_packetlines: false,
            },
            FetchOptions {
                shallow_file: pack.join("shallow"),
                shallow: &shallow,
                tags: Tags::None,
                reject_shallow_remote: false,
            },
        );
        match received {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Cause::Protocol("the server sent no pack".into())),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &gix::Error) -> Cause {
        if let Some(cause) = self.client.failure() {
            return cause;
        }
        self.clock.check().err().unwrap_or_else(|| protocol(error))
    }
}

fn write(
    reader: &mut dyn BufRead,
    pack: &Path,
    object_limit: usize,
    progress: &mut dyn gix::DynNestedProgress,
    interrupt: &AtomicBool,
) -> gix::Result<bool> {
    Bundle::write_to_directory(
        reader,
        Some(pack),
        progress,
        interrupt,
        None::<gix::objs::find::Never>,
        gix::hash::Kind::Sha1,
        WriteOptions {
            // Several objects in memory at once would multiply the bound on one.
            thread_limit: Some(1),
            iteration_mode: Mode::Verify,
            index_version: Version::V2,
            alloc_limit_bytes: Some(object_limit),
            ..WriteOptions::default()
        },
    )?;
    Ok(true)
}

/// Wants what it was told, and has nothing to offer.
struct Fixed<'a>(&'a [ObjectId]);

impl Negotiate for Fixed<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<Action> {
        Ok(Action::MustNegotiate { remote_ref_target_known: Vec::new() })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        for id in self.0 {
            arguments.want(id);
        }
        !self.0.is_empty()
    }

    fn one_round(
        &mut self,
        _state: &mut State,
        _arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix::Result<(Round, bool)> {
        let round = Round {
            haves_sent: 0,
            in_vain: 0,
            haves_to_send: 0,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}

/// Runs work that looks at a flag, and sets the flag when the time is up.
fn until<T>(clock: &Clock, work: impl FnOnce(&AtomicBool) -> T) -> T {
    let interrupt = AtomicBool::new(false);
    let (done, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let interrupt = &interrupt;
        scope.spawn(move || {
            while clock.check().is_ok() {
                if ended.recv_timeout(Clock::TICK) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
            interrupt.store(true, Ordering::Relaxed);
        });
        let output = work(interrupt);
        drop(done);
        output
    })
}
