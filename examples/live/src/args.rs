//! The command line.

use std::fmt;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: live [--runtime tokio|async-std] [--seconds N]

  --runtime   what it runs on (default: tokio)
  --seconds   how long it watches, 6 to 86400 (default: 12)";

/// The shortest run in which a connection can be lost and found again.
const SHORTEST: u64 = 6;
const LONGEST: u64 = 24 * 60 * 60;

pub(crate) struct Args {
    pub(crate) runtime: RuntimeName,
    pub(crate) length: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum RuntimeName {
    Tokio,
    AsyncStd,
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokio => "tokio",
            Self::AsyncStd => "async-std",
        })
    }
}

impl Args {
    /// Reads the arguments; `None`: they ask for help.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut args = Self { runtime: RuntimeName::Tokio, length: Duration::from_secs(12) };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--runtime" => {
                    args.runtime = match words.next().as_deref() {
                        Some("tokio") => RuntimeName::Tokio,
                        Some("async-std") => RuntimeName::AsyncStd,
                        _ => return Err("--runtime wants tokio or async-std".to_owned()),
                    };
                }
                "--seconds" => {
                    let seconds = words.next().and_then(|word| word.parse().ok());
                    let seconds = seconds.filter(|seconds| (SHORTEST..=LONGEST).contains(seconds));
                    let seconds =
                        seconds.ok_or_else(|| format!("--seconds wants a number from {SHORTEST} to {LONGEST}"))?;
                    args.length = Duration::from_secs(seconds);
                }
                other => return Err(format!("unknown argument `{other}`")),
            }
        }
        Ok(Some(args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Args>, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read() {
        let args = parse("--seconds 60 --runtime async-std").unwrap().unwrap();
        assert_eq!((args.runtime.to_string().as_str(), args.length.as_secs()), ("async-std", 60));
        let args = parse("").unwrap().unwrap();
        assert_eq!((args.runtime.to_string().as_str(), args.length.as_secs()), ("tokio", 12));
        assert!(parse("--seconds 6 --help").unwrap().is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in ["--seconds", "--seconds 5", "--seconds x", "--runtime", "--runtime smol", "quotes"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
