//! Speaks with one testee.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running testee. Dropped, it is killed.
pub(crate) struct Testee {
    runtime: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    told: Vec<Value>,
}

impl Testee {
    /// Starts the program on a runtime.
    pub(crate) fn start(runtime: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testee"));
        command.args(["--runtime", runtime]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { runtime: runtime.to_owned(), child, input, lines, told: Vec::new() }
    }

    /// Another one on the same runtime.
    pub(crate) fn again(&self) -> Self {
        Self::start(&self.runtime, &[])
    }

    /// Writes commands, all in one piece.
    pub(crate) fn say(&mut self, commands: impl IntoIterator<Item = Value>) {
        let text: String = commands.into_iter().map(|command| format!("{command}\n")).collect();
        self.write(text.as_bytes());
    }

    /// Writes bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the program reads");
    }

    /// The next line as it was written, without its line break.
    pub(crate) fn next_text(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(error) => panic!("no line ({error}) after {}", self.so_far()),
        }
    }

    /// The next line without its `t`, which must be there and must not go back.
    pub(crate) fn next(&mut self) -> Value {
        let text = self.next_text();
        self.take(&text)
    }

    fn take(&mut self, text: &str) -> Value {
        let mut line: Value = serde_json::from_str(text).expect("a line is JSON");
        let at = line.get("t").and_then(Value::as_u64).unwrap_or_else(|| panic!("no t: {line}"));
        let before = self.told.last().and_then(|line| line.get("t")).and_then(Value::as_u64).unwrap_or_default();
        assert!(at >= before, "time goes back: {line} after {before}");
        self.told.push(line.clone());
        if let Some(members) = line.as_object_mut() {
            members.remove("t");
        }
        line
    }

    /// Asserts that the next line is exactly this one.
    pub(crate) fn expect(&mut self, line: Value) {
        let next = self.next();
        assert_eq!(next, line, "after {}", self.so_far());
    }

    /// Passes over lines up to one that has these members.
    pub(crate) fn wait(&mut self, members: Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no {members} in {}", self.so_far());
            let line = self.next();
            if has(&line, &members) {
                return line;
            }
        }
    }

    /// Waits for the outcomes of these calls, in any order, and gives them in the order asked for. Other lines are passed over.
    pub(crate) fn outcomes<const N: usize>(&mut self, calls: [&str; N]) -> [Value; N] {
        self.gather(calls.map(|call| move |line: &Value| line["call"] == call && line.get("outcome").is_some()))
    }

    /// Waits for lines that have these members, in any order, and gives them in the order asked for. Other lines are passed over.
    pub(crate) fn wait_for_all<const N: usize>(&mut self, members: [Value; N]) -> [Value; N] {
        self.gather(members.map(|members| move |line: &Value| has(line, &members)))
    }

    fn gather<const N: usize>(&mut self, wanted: [impl Fn(&Value) -> bool; N]) -> [Value; N] {
        let mut found: [Option<Value>; N] = [const { None }; N];
        while found.iter().any(Option::is_none) {
            let line = self.next();
            let Some(place) = wanted.iter().position(|is_wanted| is_wanted(&line)) else { continue };
            assert!(found[place].is_none(), "a second time: {line}");
            found[place] = Some(line);
        }
        found.map(|line| line.expect("all were found"))
    }

    /// Everything told so far that has these members.
    pub(crate) fn told(&self, members: &Value) -> Vec<&Value> {
        self.told.iter().filter(|line| has(line, members)).collect()
    }

    /// Ends the input, and gives the lines that were left.
    pub(crate) fn end(&mut self) -> Vec<Value> {
        self.input = None;
        self.rest()
    }

    /// The lines up to the program's end, which must be a good one.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(text) => rest.push(self.take(&text)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end after {}", self.so_far()),
            }
        }
        assert!(self.wait_for_exit().success());
        rest
    }

    /// Waits for the program's end.
    pub(crate) fn wait_for_exit(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }

    fn so_far(&self) -> String {
        self.told.iter().map(|line| format!("\n{line}")).collect()
    }
}

impl Drop for Testee {
    fn drop(&mut self) {
        // It may have ended long ago.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Waits for what nobody tells of.
pub(crate) fn eventually(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn has(line: &Value, members: &Value) -> bool {
    let members = members.as_object().expect("members are an object");
    members.iter().all(|(name, value)| line.get(name) == Some(value))
}
