//! Reads events as JSON lines and prints what this crate makes of them.
//!
//! Each line of standard input is `{"target":T,"arguments":[...]}`, and gets one line of standard output:
//! `{"values":[...],"malformed":[{"place":P,"message":M}]}`. A value has the names of the wire, exact decimals as strings in
//! plain notation, and times in UTC; a user's event has the envelope's `action` beside them, a market's event its `contractId`.
//! What is not there is left out. A row that does not fit is malformed, and so is a line: the program never stops at one.
//!
//! ```sh
//! echo '{"target":"GatewayQuote","arguments":["CON.F.US.EP.U25",{"bestBid":5e3}]}' | cargo run -p topstep-model --example decode
//! ```

use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use topstep_model::{AnyEvent, Code, Shown, Target};

/// The longest line that is read, in bytes; a longer one is malformed.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    target: Cow<'a, str>,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

#[derive(Default, Serialize)]
struct Decoded {
    values: Vec<Value>,
    malformed: Vec<Malformed>,
}

#[derive(Serialize)]
struct Malformed {
    place: String,
    message: String,
}

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let is_whole = line.last() == Some(&b'\n') || (line.len() as u64) < LONGEST_LINE;
        let decoded = if is_whole { decode(&line) } else { malformed("", "the line is too long") };
        if !is_whole {
            input.skip_until(b'\n')?;
        }
        serde_json::to_writer(&mut output, &decoded)?;
        output.write_all(b"\n")?;
        // Whoever talks to this program line by line waits for the answer.
        output.flush()?;
    }
}

fn decode(line: &[u8]) -> Decoded {
    // serde takes an array for a struct.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return malformed("", "the line is not a JSON object");
    }
    let line: Line<'_> = match serde_json::from_slice(line) {
        Ok(line) => line,
        Err(error) => return malformed("", error),
    };
    let target: Target = match line.target.parse() {
        Ok(target) => target,
        Err(error) => return malformed("target", error),
    };
    let rows = match AnyEvent::decode(target, line.arguments.get()) {
        Ok(rows) => rows,
        Err(error) => return malformed("arguments", error),
    };
    let mut decoded = Decoded::default();
    for row in rows {
        match row {
            Ok(event) => decoded.values.push(value(&event)),
            Err(error) => {
                let place = format!("arguments{}", error.place());
                decoded.malformed.push(Malformed { place, message: error.message().to_owned() });
            }
        }
    }
    decoded
}

fn malformed(place: &str, error: impl ToString) -> Decoded {
    // What a line repeats of itself is kept short.
    let message = error.to_string().chars().take(320).collect();
    Decoded { values: Vec::new(), malformed: vec![Malformed { place: place.to_owned(), message }] }
}

fn value(event: &AnyEvent) -> Value {
    let mut members = Map::new();
    if let AnyEvent::Logout(logout) = event
        && let Some(reason) = &logout.reason
    {
        members.insert("reason".to_owned(), json!(reason.as_str()));
    }
    event.visit(&mut |member, shown| {
        let value = match shown {
            Shown::Integer(number) => json!(number),
            Shown::Decimal(price) => json!(price.to_string()),
            Shown::Text(text) => json!(text),
            Shown::Time(time) => json!(time.to_string()),
            Shown::Flag(flag) => json!(flag),
            _ => Value::Null,
        };
        members.insert(member.name.to_owned(), value);
    });
    if let Some(action) = event.action() {
        members.insert("action".to_owned(), json!(action.code()));
    }
    if let Some(contract) = event.contract_id() {
        // It counts more than what the row says of itself.
        members.insert("contractId".to_owned(), json!(contract.as_str()));
    }
    Value::Object(members)
}
