//! Watches a market hub and a user hub for some seconds: prints what they send, loses the connection on purpose, and
//! says at the end what that cost.
//!
//! ```sh
//! cargo run -p live                              # on tokio
//! cargo run -p live -- --runtime async-std       # the same program on async-std
//! cargo run -p live -- --seconds 60
//! ```
//!
//! It brings its own hub, on a free port of this machine. With `TOPSTEPX_USERNAME` and `TOPSTEPX_API_KEY` set it
//! watches the real hubs instead, and loses nothing on purpose; [`place::Place::choose`] says what else it then
//! needs.

mod args;
mod judge;
mod place;
mod run;
mod screen;
mod sources;
mod tally;
mod trader;

use std::process::ExitCode;

use adapter_async_std::AsyncStd;
use adapter_tokio::Tokio;

use args::{Args, RuntimeName};
use place::Place;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            screen::line(args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(problem) => return refuse(&format!("{problem}\n\n{}", args::USAGE)),
    };
    let place = match Place::choose() {
        Ok(place) => place,
        Err(problem) => return refuse(&problem),
    };
    let outcome = match args.runtime {
        RuntimeName::Tokio => match tokio::runtime::Runtime::new() {
            Ok(tokio) => tokio.block_on(run::run::<Tokio>(&place, args.length)),
            Err(error) => Err(format!("tokio does not start: {error}")),
        },
        RuntimeName::AsyncStd => async_std::task::block_on(run::run::<AsyncStd>(&place, args.length)),
    };
    let tally = match outcome {
        Ok(tally) => tally,
        Err(problem) => {
            screen::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    tally.print(args.runtime, &place);
    let complaints = judge::complaints(&tally, &place);
    if complaints.is_empty() {
        screen::line("  result      all as it should be");
        return ExitCode::SUCCESS;
    }
    for complaint in &complaints {
        screen::line(format_args!("  result      WRONG: {complaint}"));
    }
    ExitCode::FAILURE
}

/// The way it was called cannot work.
fn refuse(problem: &str) -> ExitCode {
    screen::error(problem);
    ExitCode::from(2)
}
