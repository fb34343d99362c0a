//! `mock-hub`: the gateway as a program, for people, for examples and for tests in other languages.

mod arguments;
mod greeting;
mod logging;
mod program;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use program::Program;

fn main() -> ExitCode {
    // A wrong option prints the usage and leaves with 2.
    let program = Program::parse();
    // What is not written yet is written when this goes.
    let _log = program.arguments().log.install();
    match run(program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-hub: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: Program) -> std::io::Result<()> {
    let exit_with_stdin = program.arguments().exit_with_stdin;
    let login = program.arguments().first_login();
    let hub = Arc::new(program.start()?);
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
