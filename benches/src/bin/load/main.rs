//! Says what a delivered event costs: our clients, and the floors under them, against any server with two methods.
//!
//! ```text
//! load flood --url http://127.0.0.1:40123/raw/hub --runtime tokio --mode borrowed --count 200000 --records-per-frame 1 --reps 3
//! load echo  --url http://127.0.0.1:40123/raw/hub --runtime async-std --mode raw --count 3000
//! load idle  --url http://127.0.0.1:40123/raw/hub --runtime tokio --connections 10000
//! ```
//!
//! The server knows `StartFlood(count, recordsPerFrame)`, which it answers with so many `GatewayQuote(contractId, quote)`
//! and one `Done()`, and `Echo(value)`. Each repetition prints one JSON line. Everything runs in one thread unless
//! `--threads` says otherwise, and the CPU time is that of the whole process over the repetition alone.

mod args;
mod echo;
mod flood;
mod floor;
mod idle;
mod measure;
mod ours;
mod report;
mod run;

use std::process::ExitCode;

use crate::args::Args;

/// What stops the program: text for a person, nobody tells one kind from another.
type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(complaint) => {
            eprintln!("{complaint}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
