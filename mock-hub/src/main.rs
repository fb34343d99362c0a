//! `mock-hub`: the gateway as a program, for people, for examples and for tests in other languages.

mod arguments;
mod greeting;
mod logging;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use mock_hub::MockHub;

use arguments::Arguments;

fn main() -> ExitCode {
    // A wrong option prints the usage and leaves with 2.
    let arguments = Arguments::parse();
    arguments.log.install();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-hub: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> std::io::Result<()> {
    let exit_with_stdin = arguments.exit_with_stdin;
    let options = arguments.into_options();
    let login = options.users.first().cloned().unwrap_or_default();
    let hub = Arc::new(MockHub::start(options)?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", greeting::for_programs(&hub.url(), &login))?;
    out.flush()?;
    eprintln!("{}", greeting::for_people(&hub.url(), &login));
    if exit_with_stdin {
        let hub = Arc::clone(&hub);
        std::thread::spawn(move || {
            let mut ignored = [0; 256];
            let mut input = std::io::stdin().lock();
            while input.read(&mut ignored).is_ok_and(|read| read > 0) {}
            hub.request_stop();
        });
    }
    hub.wait_until_stopped();
    Ok(())
}
