//! The example `follow` as a process, and what it says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::protocol::Protocol;

/// The longest that an answer may take on a busy machine.
const ANSWER: Duration = Duration::from_secs(5);

pub(crate) struct Follower {
    child: Child,
    input: Option<ChildStdin>,
    states: Receiver<(Instant, Value)>,
    pub(crate) protocol: Arc<Mutex<Protocol>>,
    /// The slowest answer so far.
    pub(crate) slowest: Duration,
}

/// A state, with the times around it.
pub(crate) struct Sample {
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
    pub(crate) state: Value,
}

impl Follower {
    pub(crate) fn start(runtime: &str, url: &str, contracts: &[&str]) -> Self {
        Self::start_as(runtime, url, "mock-key", contracts)
    }

    pub(crate) fn start_as(runtime: &str, url: &str, key: &str, contracts: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(["--runtime", runtime, "--url", url, "--user-name", "user", "--api-key", key]);
        command.args(["--contracts", &contracts.join(",")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let protocol = Arc::new(Mutex::new(Protocol::default()));
        let (sender, states) = channel();
        let (output, hearing) = (child.stdout.take().unwrap(), protocol.clone());
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let now = Instant::now();
                let value: Value = match serde_json::from_str(&line) {
                    Ok(value) => value,
                    Err(error) => {
                        hearing.lock().unwrap().blame(format!("no JSON: {error}: {line}"));
                        continue;
                    }
                };
                hearing.lock().unwrap().hear(&value);
                if value["event"] == "state" && sender.send((now, value)).is_err() {
                    return;
                }
            }
        });
        let (errors, hearing) = (child.stderr.take().unwrap(), protocol.clone());
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                hearing.lock().unwrap().complain(line);
            }
        });
        let input = child.stdin.take();
        Self { child, input, states, protocol, slowest: Duration::ZERO }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap_or_else(|error| {
            panic!("follow takes no line: {error}: {:?}", self.protocol.lock().unwrap().complaints)
        });
    }

    /// Asks for the state.
    pub(crate) fn state(&mut self) -> Sample {
        self.state_within(ANSWER)
    }

    pub(crate) fn state_within(&mut self, within: Duration) -> Sample {
        let asked = Instant::now();
        self.say("state");
        match self.states.recv_timeout(within) {
            Ok((answered, state)) => {
                self.slowest = self.slowest.max(answered - asked);
                Sample { asked, answered, state }
            }
            Err(RecvTimeoutError::Timeout) => panic!("no state within {within:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("follow has ended: {:?}", self.protocol.lock().unwrap().complaints)
            }
        }
    }

    /// Asks until a state is as it should be, or fails with the last one.
    pub(crate) fn until(&mut self, within: Duration, mut is_so: impl FnMut(&Value) -> bool) -> Result<Duration, Value> {
        let began = Instant::now();
        loop {
            let state = self.state().state;
            if is_so(&state) {
                return Ok(began.elapsed());
            }
            if began.elapsed() > within {
                return Err(state);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until it has said something.
    pub(crate) fn hears(&self, within: Duration, has_said: impl Fn(&Protocol) -> bool) -> bool {
        let deadline = Instant::now() + within;
        while !has_said(&self.protocol.lock().unwrap()) {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// The memory that is resident, in KiB; nothing where the system does not say.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    pub(crate) fn exits(&mut self) {
        self.say("exit");
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for the process's end.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = folder.join("examples").join(format!("follow{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not there: `cargo test -p topstep-session` builds it", program.display());
    program
}
