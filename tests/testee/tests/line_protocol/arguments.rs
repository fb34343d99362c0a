//! The command line.

use std::process::{Command, Stdio};

use mock_hub::{MockHub, Options};
use serde_json::json;

use crate::driver::Testee;

#[test]
fn a_wrong_command_line_is_explained() {
    for arguments in [&["--runtime", "smol"][..], &["--runtime"], &["--log"], &["--what"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_testee")).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("--runtime NAME"));
    }
}

#[test]
fn the_log_has_the_connection_and_not_the_token() {
    for runtime in ["tokio", "async-std"] {
        let hub = MockHub::start(Options::default()).unwrap();
        let path = std::env::temp_dir().join(format!("testee-{}-{runtime}.log", std::process::id()));
        let mut testee = Testee::start(runtime, &["--log", path.to_str().unwrap()]);
        let token = hub.issue_token("somebody", std::time::Duration::from_secs(60));
        testee.say([
            json!({"do": "build", "url": hub.hub_url("secure"), "accessToken": token, "headers": {"X-Canary": "c4n4ry"}}),
            json!({"do": "start", "call": "s"}),
        ]);
        testee.wait(json!({"call": "s", "outcome": "ok"}));
        testee.end();
        let log = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(log.contains("connected") && log.contains("DEBUG"), "{log}");
        assert!(!log.contains(&token) && !log.contains("c4n4ry"), "{log}");
    }
}
