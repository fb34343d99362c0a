//! `mock-hub`: the hub as a program, for examples and for tests in other languages.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mock_hub::{MockHub, Options};

mod logging;

const USAGE: &str = "\
mock-hub [options]              a SignalR hub on loopback; prints {\"url\":...,\"pid\":...} once it listens
  --port N                      0: any free port (default)
  --exit-with-stdin             stop when standard input ends, so that no test leaves a hub behind
  --log json|text|off           what happens, on standard error                      (text)
  --token T                     ask for this token at /hubs/market and /hubs/user; may be repeated
  --require-token               ask for a token there; /api/Auth/loginKey gives some
  --keep-alive-ms N             between two pings                                    (15000)
  --client-timeout-ms N         a client silent for longer is dropped                (30000)
  --handshake-timeout-ms N                                                           (15000)
  --max-receive-bytes N         largest record accepted; 0: no limit                 (32768)
  --parallel N                  invocations of one client that run at once           (1)
  --detailed-errors             exception texts reach the client
  --quotes-per-second X         of /hubs/market, for each contract                   (4)
  --market-samples-per-second X recorded trades and depth, for each subscription     (1)
  --user-samples-per-second X   recorded user events, for each subscription          (0)";

fn main() -> ExitCode {
    let (options, log, exit_with_stdin) = match parse(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    log.install();
    match run(options, exit_with_stdin) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock-hub: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options, exit_with_stdin: bool) -> std::io::Result<()> {
    let hub = Arc::new(MockHub::start(options)?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{{\"url\":\"{}\",\"pid\":{}}}", hub.url(), std::process::id())?;
    out.flush()?;
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

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Options, logging::Log, bool), String> {
    let mut options = Options::default();
    let mut exit_with_stdin = false;
    let mut log = logging::Log::default();
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--port" => options.port = number(&name, &value()?)?,
            "--exit-with-stdin" => exit_with_stdin = true,
            "--log" => log = value()?.parse()?,
            "--token" => options.require_token.get_or_insert_default().push(value()?),
            "--require-token" => drop(options.require_token.get_or_insert_default()),
            "--keep-alive-ms" => options.keep_alive = milliseconds(&name, &value()?)?,
            "--client-timeout-ms" => options.client_timeout = milliseconds(&name, &value()?)?,
            "--handshake-timeout-ms" => options.handshake_timeout = milliseconds(&name, &value()?)?,
            "--max-receive-bytes" => options.max_receive_bytes = number(&name, &value()?)?,
            "--parallel" => options.parallel_invocations = number(&name, &value()?)?,
            "--detailed-errors" => options.detailed_errors = true,
            "--quotes-per-second" => options.quotes_per_second = number(&name, &value()?)?,
            "--market-samples-per-second" => options.market_samples_per_second = number(&name, &value()?)?,
            "--user-samples-per-second" => options.user_samples_per_second = number(&name, &value()?)?,
            unknown => return Err(format!("unknown option {unknown}")),
        }
    }
    Ok((options, log, exit_with_stdin))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: {text} is no number for it"))
}

fn milliseconds(name: &str, text: &str) -> Result<Duration, String> {
    Ok(Duration::from_millis(number(name, text)?))
}
