//! Drives one client connection by commands on standard input, and tells on standard output what a consumer of the library sees.
//!
//! One JSON object a line, either way. The program is written once, over any runtime; tokio and async-std differ in a type and in who blocks
//! on the whole. It calls the library's public API and nothing else. `docs/testing.md` shows a session.

mod calls;
mod command;
mod fields;
mod input;
mod keys;
mod options;
mod outcome;
mod output;
mod session;
mod told;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use adapter_async_std::AsyncStd;
use adapter_tokio::Tokio;

use output::Output;

const USAGE: &str = "\
testee [options]         one SignalR connection, driven by JSON lines on standard input
  --runtime NAME         tokio (default) or async-std
  --log FILE             write the library's tracing output there";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Some(path) = &arguments.log
        && let Err(error) = log_to(Path::new(path))
    {
        eprintln!("testee: {path}: {error}");
        return ExitCode::FAILURE;
    }
    let output = Output::start();
    let lines = input::start();
    match arguments.runtime {
        Runtime::Tokio => {
            let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    eprintln!("testee: {error}");
                    return ExitCode::FAILURE;
                }
            };
            runtime.block_on(session::run::<Tokio>(&output, lines));
            // A name that is still being looked up must not hold the end up.
            runtime.shutdown_background();
        }
        Runtime::AsyncStd => async_std::task::block_on(session::run::<AsyncStd>(&output, lines)),
    }
    output.finish();
    ExitCode::SUCCESS
}

struct Arguments {
    runtime: Runtime,
    log: Option<String>,
}

enum Runtime {
    Tokio,
    AsyncStd,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self { runtime: Runtime::Tokio, log: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--runtime" => {
                    parsed.runtime = match value()?.as_str() {
                        "tokio" => Runtime::Tokio,
                        "async-std" => Runtime::AsyncStd,
                        other => return Err(format!("there is no runtime {other}")),
                    }
                }
                "--log" => parsed.log = Some(value()?),
                _ => return Err(format!("there is no option {argument}")),
            }
        }
        Ok(parsed)
    }
}

fn log_to(path: &Path) -> std::io::Result<()> {
    let file = File::create(path)?;
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .init();
    Ok(())
}
