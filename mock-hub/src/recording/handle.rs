//! Recording and replay by the hub's handle.

use std::io;
use std::path::{Path, PathBuf};

use super::recorder::Recorded;
use super::{Recording, Replay, Speed};
use crate::handle::MockHub;
use crate::options::Options;

impl MockHub {
    /// Writes down what every connection says and hears, into a new file of this folder, and yields its path.
    ///
    /// The folder is made if it is not there. The recording ends with [`MockHub::stop_recording`], with the hub, or at
    /// 1 GiB. One that is under way ends and this one begins.
    pub fn record(&self, folder: impl AsRef<Path>) -> io::Result<PathBuf> {
        self.gateway.recorder.to_folder(folder.as_ref())
    }

    /// Writes down what every connection says and hears, in memory, at most 64 MiB.
    pub fn record_in_memory(&self) {
        self.gateway.recorder.to_memory();
    }

    /// Ends the recording and yields it, read back from its file if it has one; `None` when none was under way.
    pub fn stop_recording(&self) -> io::Result<Option<Recording>> {
        match self.gateway.recorder.stop() {
            None => Ok(None),
            Some(Recorded::Memory(text)) => Recording::parse(&text).map(Some),
            Some(Recorded::File(path)) => Recording::read(path).map(Some),
        }
    }

    /// Starts a hub whose connections say what a recording says.
    ///
    /// A client that connects to a hub gets the next recorded connection of that hub, after the last one the last one
    /// again. The hub says what it said then, with the pauses of then at this speed, and waits where it waited then:
    /// for the handshake, and for each call that was made with an id or whose name begins with `Subscribe`. Calls are told
    /// by name and arguments, or by the name alone where no recorded call has these arguments; answers carry the
    /// client's own invocation ids. A call that was never recorded fails. At its end a recorded connection that was not closed by
    /// the hub stays, with a ping each `keep_alive`. REST, control and faults work as ever.
    pub fn replay(options: Options, recording: &Recording, speed: Speed) -> io::Result<Self> {
        Self::start_with(options, |gateway| gateway.replay = Some(Replay::new(recording, speed)))
    }
}
