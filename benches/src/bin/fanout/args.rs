//! The command line.

pub(crate) const USAGE: &str = "\
fanout --url URL --pid PID [options]
  --url URL          the hub's root
  --pid PID          the hub's process
  --token T          goes in the query
  --connections N    connections in all                       (10000)
  --subscribers N    of them subscribe to one contract's quotes (1000)
  --contract ID      which                                    (CON.F.US.EP.Z26)
  --rate N           quotes a second that the hub was told    (100)
  --seconds S        how long is measured                     (10)";

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) url: String,
    pub(crate) pid: u32,
    pub(crate) token: Option<String>,
    pub(crate) connections: usize,
    pub(crate) subscribers: usize,
    pub(crate) contract: String,
    pub(crate) rate: f64,
    pub(crate) seconds: f64,
}

impl Args {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut url, mut pid) = (None, None);
        let mut args = Self {
            url: String::new(),
            pid: 0,
            token: None,
            connections: 10_000,
            subscribers: 1_000,
            contract: "CON.F.US.EP.Z26".to_owned(),
            rate: 100.0,
            seconds: 10.0,
        };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--url" => url = Some(value),
                "--pid" => pid = Some(number(&name, &value)?),
                "--token" => args.token = Some(value),
                "--connections" => args.connections = number(&name, &value)?,
                "--subscribers" => args.subscribers = number(&name, &value)?,
                "--contract" => args.contract = value,
                "--rate" => args.rate = number(&name, &value)?,
                "--seconds" => args.seconds = number(&name, &value)?,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        args.url = url.ok_or("--url is missing")?;
        args.pid = pid.ok_or("--pid is missing")?;
        if args.subscribers > args.connections {
            return Err("more subscribers than connections".to_owned());
        }
        Ok(args)
    }
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: {text} is no number for it"))
}
