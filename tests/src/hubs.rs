//! The hubs that the conformance suite runs against: Microsoft's own, where it is there, and mock-hub.
//!
//! Each is started once for a test binary and each set of options, and serves all of its tests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use mock_hub::{MockHub, Options};
use serde_json::Value;

use crate::http;

/// Unpacking the runtime for the first time takes a while.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Which hub a test runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// ASP.NET Core 10, with Microsoft's own SignalR.
    AspNetCore,
    /// The hub of this workspace.
    Mock,
}

/// With which options it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The defaults, but for invocations that run beside each other and market data that flows quickly.
    Usual,
    /// Gives up a client that was silent for 1.5 s, and pings every 300 ms itself.
    Impatient,
    /// Keeps a connection for a while when its transport is lost.
    Stateful,
}

/// A hub that runs until the tests are over.
pub struct Hub {
    url: String,
    /// Ends with this process: its standard input does.
    _running: Running,
}

enum Running {
    AspNetCore { _child: Child },
    Mock { _hub: MockHub },
}

impl Server {
    /// The real hub, or `None` after telling why there is none.
    pub fn aspnetcore() -> Option<Self> {
        match runner() {
            Ok(_) => Some(Self::AspNetCore),
            Err(why) => {
                println!("SKIPPED: the real ASP.NET Core hub is not here: {why}");
                None
            }
        }
    }

    /// The hub with these options, started if it does not run yet.
    pub fn hub(self, profile: Profile) -> &'static Hub {
        static HUBS: Mutex<Option<HashMap<(Server, Profile), &'static Hub>>> = Mutex::new(None);
        let mut hubs = HUBS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hubs.get_or_insert_default().entry((self, profile)).or_insert_with(|| {
            Box::leak(Box::new(match self {
                Self::AspNetCore => start_aspnetcore(profile),
                Self::Mock => start_mock(profile),
            }))
        })
    }

    /// The hub with the usual options.
    pub fn usual(self) -> &'static Hub {
        self.hub(Profile::Usual)
    }
}

impl Hub {
    /// The URL of one of its hubs: `conformance`, `secure`, `market`, `user`, `lenient-market`.
    pub fn hub_url(&self, hub: &str) -> String {
        format!("{}/hubs/{hub}", self.url)
    }

    /// The URL of a path, which begins with `/`.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Its address: `HOST:PORT`.
    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// A token for a user that is good for so many seconds.
    pub fn token(&self, user: &str, seconds: u32) -> String {
        http::post(&self.path(&format!("/control/token?user={user}&lifetimeSeconds={seconds}")), "").trim().to_owned()
    }

    /// Ends one connection: `tcp` without a word, `close` with the hub's goodbye.
    pub fn drop_connection(&self, id: &str, how: &str) {
        http::post(&self.path(&format!("/control/drop?how={how}&connectionId={}", escaped(id))), "");
    }

    /// Sends an invocation to a group of a hub's connections.
    pub fn publish(&self, hub: &str, target: &str, arguments: &Value, group: &str) {
        let body = serde_json::json!({ "hub": hub, "target": target, "arguments": arguments, "group": group });
        http::post(&self.path("/control/publish"), &body.to_string());
    }

    /// Asks a client for a result from outside of any call: the status and the answer.
    pub fn ask(&self, id: &str, target: &str, argument: &Value) -> (u16, String) {
        let url = self.path(&format!("/control/ask?connectionId={}&target={target}", escaped(id)));
        http::request("POST", &url, &argument.to_string())
    }

    /// Whether a connection is there.
    pub fn has(&self, id: &str) -> bool {
        let connections = http::get_json(&self.path("/control/connections"));
        let present = connections["present"].as_array().unwrap();
        present.iter().any(|connection| connection["connectionId"] == id)
    }
}

/// Connection ids are base64url; a `+` or `=` in a query would mean something else.
fn escaped(id: &str) -> String {
    id.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F")
}

/// The program that runs the real hub: named by `ASPNETCORE_HUB`, or beside the repository.
fn runner() -> Result<PathBuf, String> {
    static RUNNER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    RUNNER
        .get_or_init(|| {
            let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/aspnetcore-hub");
            let folder = std::env::var_os("ASPNETCORE_HUB").map_or(beside, PathBuf::from);
            let runner = folder.join("run");
            match runner.is_file() {
                true => Ok(runner),
                false => Err(format!("there is no {}; ASPNETCORE_HUB may name its folder", runner.display())),
            }
        })
        .clone()
}

fn start_aspnetcore(profile: Profile) -> Hub {
    let runner = runner().unwrap();
    let options: &[&str] = match profile {
        Profile::Usual => &["--quotes-per-second", "100"],
        Profile::Impatient => &["--client-timeout-ms", "1500", "--keep-alive-ms", "300"],
        Profile::Stateful => &["--stateful-reconnect"],
    };
    let mut child = Command::new(runner)
        .args(["hub", "--port", "0", "--exit-with-stdin", "--parallel", "4"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Only the first line is waited for; the rest must be read lest the hub blocks.
            let _ = sender.send(line);
        }
    });
    let Ok(line) = receiver.recv_timeout(START_LIMIT) else {
        drop(child.kill());
        drop(child.wait());
        panic!("the ASP.NET Core hub did not start within {START_LIMIT:?}");
    };
    let line: Value = serde_json::from_str(&line).unwrap();
    Hub { url: line["url"].as_str().unwrap().to_owned(), _running: Running::AspNetCore { _child: child } }
}

fn start_mock(profile: Profile) -> Hub {
    // Without a list of its own it takes the tokens that it issued, as the real one does.
    let require_token = Some(Vec::new());
    let usual = Options {
        require_token,
        parallel_invocations: 4,
        // As on the real one: any contract has quotes, and their volume counts them.
        counted_quotes: true,
        quotes_per_second: 100.0,
        ..Options::default()
    };
    let options = match profile {
        Profile::Usual => usual,
        Profile::Stateful => Options { stateful_reconnect: true, ..usual },
        Profile::Impatient => {
            Options { client_timeout: Duration::from_millis(1_500), keep_alive: Duration::from_millis(300), ..usual }
        }
    };
    let hub = MockHub::start(options).unwrap();
    Hub { url: hub.url(), _running: Running::Mock { _hub: hub } }
}
