//! What the program is told: to be the gateway, or to play a recording.

use std::io;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mock_hub::MockHub;
use mock_hub::recording::{Recording, Speed};

use crate::arguments::Arguments;

/// A TopstepX gateway for tests: REST under /api, the hubs /hubs/market and /hubs/user, and a way to break it.
///
/// The first line on standard output is one JSON object: url, pid, userName, apiKey.
#[derive(Debug, Parser)]
#[command(name = "mock-hub", max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Program {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    gateway: Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a recording in place of the hubs; REST and controls work as ever
    Replay {
        /// The recording, JSON lines as --record writes them
        file: PathBuf,
        /// How fast: 1 as recorded, N times as fast, or max
        #[arg(long, default_value = "1")]
        speed: Speed,
        #[command(flatten)]
        gateway: Box<Arguments>,
    },
}

impl Program {
    /// What the hub is told, whatever it is.
    pub(crate) fn arguments(&self) -> &Arguments {
        match &self.command {
            None => &self.gateway,
            Some(Command::Replay { gateway, .. }) => gateway,
        }
    }

    /// Starts the hub.
    pub(crate) fn start(self) -> io::Result<MockHub> {
        match self.command {
            None => MockHub::start(self.gateway.into_options()),
            Some(Command::Replay { file, speed, gateway }) => {
                MockHub::replay(gateway.into_options(), &Recording::read(file)?, speed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_played_at_a_speed_with_the_gateways_options() {
        let program = Program::parse_from(["mock-hub", "replay", "a.jsonl", "--speed", "max", "--open", "--port", "7"]);
        assert!(matches!(program.command, Some(Command::Replay { speed: Speed::AsFastAsRead, .. })));
        assert!(Program::try_parse_from(["mock-hub", "replay", "a.jsonl", "--speed", "0"]).is_err());
        assert!(Program::parse_from(["mock-hub", "--open"]).command.is_none());
    }
}
