//! The command line.

use std::fmt;

pub(crate) const USAGE: &str = "\
usage: load flood|echo|idle --url URL [options]
  --runtime tokio|async-std                     default: tokio
  --mode on|inline|typed|raw|borrowed|owned     default: on; echo knows on and raw
  --count N                                     events, or calls; default: 200000, or 3000
  --records-per-frame N                         flood only; default: 1
  --reps N                                      measured repetitions; default: 1
  --connections N                               idle only; default: 10000
  --threads N                                   default: 1
  --skip-negotiation                            the clients connect directly; the floors always do";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Flood,
    Echo,
    Idle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Tokio,
    AsyncStd,
}

/// Who reads the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The paved path of the client.
    On,
    /// The client's driver, polled by the application.
    Inline,
    /// The typed TopstepX layer.
    Typed,
    /// A bare WebSocket; frames are not parsed.
    Raw,
    /// A bare WebSocket; records parsed into borrowed text and `f64`.
    Borrowed,
    /// A bare WebSocket; records parsed into `String` and `f64`.
    Owned,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) task: Task,
    pub(crate) url: String,
    pub(crate) runtime: Runtime,
    pub(crate) mode: Mode,
    pub(crate) count: u64,
    pub(crate) records_per_frame: u64,
    pub(crate) reps: u64,
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    pub(crate) skip_negotiation: bool,
}

/// One flood, or one row of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repetition {
    pub(crate) count: u64,
    pub(crate) is_warm_up: bool,
}

impl Args {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let task = match words.next().as_deref() {
            Some("flood") => Task::Flood,
            Some("echo") => Task::Echo,
            Some("idle") => Task::Idle,
            Some(other) => return Err(format!("`{other}` is none of flood, echo and idle")),
            None => return Err("say what to measure".into()),
        };
        let mut url = None;
        let mut args = Self {
            task,
            url: String::new(),
            runtime: Runtime::Tokio,
            mode: Mode::On,
            count: if task == Task::Echo { 3_000 } else { 200_000 },
            records_per_frame: 1,
            reps: 1,
            connections: 10_000,
            threads: 1,
            skip_negotiation: false,
        };
        while let Some(option) = words.next() {
            if option == "--skip-negotiation" {
                args.skip_negotiation = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("`{option}` is not known, or has no value"))?;
            match option.as_str() {
                "--url" => url = Some(value),
                "--runtime" => args.runtime = Runtime::parse(&value)?,
                "--mode" => args.mode = Mode::parse(&value)?,
                "--count" => args.count = positive(&option, &value)?,
                "--records-per-frame" => args.records_per_frame = positive(&option, &value)?,
                "--reps" => args.reps = positive(&option, &value)?,
                "--connections" => args.connections = positive(&option, &value)?,
                "--threads" => args.threads = positive(&option, &value)?,
                _ => return Err(format!("`{option}` is not known")),
            }
        }
        args.url = url.ok_or("`--url` is missing")?;
        let fits = match task {
            Task::Flood => true,
            Task::Echo => matches!(args.mode, Mode::On | Mode::Raw),
            Task::Idle => args.mode == Mode::On,
        };
        if fits { Ok(args) } else { Err(format!("there is no mode `{}` here", args.mode)) }
    }

    /// The repetitions to run, the warm-up first: a tenth of a flood, or 500 calls.
    pub(crate) fn repetitions(&self) -> impl Iterator<Item = Repetition> + Send + use<> {
        let warm_up = if self.task == Task::Echo { 500 } else { (self.count / 10).max(1) };
        let count = self.count;
        let warm_up = std::iter::once(Repetition { count: warm_up, is_warm_up: true });
        warm_up.chain((0..self.reps).map(move |_| Repetition { count, is_warm_up: false }))
    }
}

impl Runtime {
    fn parse(name: &str) -> Result<Self, String> {
        match name {
            "tokio" => Ok(Self::Tokio),
            "async-std" => Ok(Self::AsyncStd),
            _ => Err(format!("`{name}` is neither tokio nor async-std")),
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokio => "tokio",
            Self::AsyncStd => "async-std",
        })
    }
}

impl Mode {
    fn parse(name: &str) -> Result<Self, String> {
        let all = [Self::On, Self::Inline, Self::Typed, Self::Raw, Self::Borrowed, Self::Owned];
        all.into_iter().find(|mode| mode.name() == name).ok_or_else(|| format!("`{name}` is no mode"))
    }

    fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Inline => "inline",
            Self::Typed => "typed",
            Self::Raw => "raw",
            Self::Borrowed => "borrowed",
            Self::Owned => "owned",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn positive<N: TryFrom<u64>>(option: &str, value: &str) -> Result<N, String> {
    let number: Option<u64> = value.parse().ok().filter(|number| *number > 0);
    number
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| format!("`{option}` is a positive number, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn reads_every_option() {
        let args = parse(
            "flood --url http://h/raw/hub --runtime async-std --mode owned --count 20 --records-per-frame 50 --reps 3 \
             --threads 2 --connections 7 --skip-negotiation",
        );
        let expected = Args {
            task: Task::Flood,
            url: "http://h/raw/hub".into(),
            runtime: Runtime::AsyncStd,
            mode: Mode::Owned,
            count: 20,
            records_per_frame: 50,
            reps: 3,
            connections: 7,
            threads: 2,
            skip_negotiation: true,
        };
        assert_eq!(args, Ok(expected));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "",
            "rain --url u",
            "flood",
            "flood --url",
            "flood --url u --count 0",
            "flood --url u --count many",
            "flood --url u --mode swift",
            "flood --url u --runtime smol",
            "flood --url u --fast yes",
            "echo --url u --mode owned",
            "idle --url u --mode raw",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn warms_up_first() {
        let counts = |line| parse(line).map(|args| args.repetitions().map(|one| one.count).collect::<Vec<_>>());
        assert_eq!(counts("flood --url u --count 100 --reps 2"), Ok(vec![10, 100, 100]));
        assert_eq!(counts("echo --url u --count 100"), Ok(vec![500, 100]));
    }
}
