//! How long a token is good, as far as can be told from it.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use topstep_model::Timestamp;
use zeroize::Zeroizing;

/// The longest life that a token is believed to have: what the venue documents.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The life of a token that cannot be read, or that would be over already: then the clock here is wrong.
pub(super) const ASSUMED: Duration = Duration::from_secs(60 * 60);
/// A longer text is no token.
const MAX_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// The life of a token from now on: its `exp` less the wall's time, at most [`LONGEST`].
pub(super) fn life(token: &str, wall: Timestamp) -> Duration {
    let Some(exp) = expiry(token) else { return ASSUMED };
    let left = exp - wall.utc().unix_timestamp_nanos() as f64 / 1e9;
    if left <= 0.0 {
        return ASSUMED;
    }
    Duration::try_from_secs_f64(left).map_or(LONGEST, |left| left.min(LONGEST))
}

/// The claim `exp` of a JWT (RFC 7519, section 4.1.4), in seconds since 1970. Its signature is the venue's business.
fn expiry(token: &str) -> Option<f64> {
    let payload = token.split('.').nth(1).filter(|payload| payload.len() <= MAX_BYTES)?;
    let json = Zeroizing::new(BASE64URL_NOPAD.decode(payload.trim_end_matches('=').as_bytes()).ok()?);
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    claims.exp.is_finite().then_some(claims.exp)
}

#[cfg(test)]
pub(super) fn token_until(exp: i64) -> String {
    let payload = BASE64URL_NOPAD.encode(format!(r#"{{"sid":"x","exp":{exp}}}"#).as_bytes());
    format!("e30.{payload}.c2ln")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::try_from(time::UtcDateTime::from_unix_timestamp(seconds).unwrap()).unwrap()
    }

    #[test]
    fn a_life_is_what_is_left_of_it() {
        let now = 1_795_000_000;
        for (exp, expected) in [
            (now + 90, Duration::from_secs(90)),
            (now + 86_400, LONGEST),
            (now + 86_401, LONGEST),
            (i64::MAX, LONGEST),
            (now, ASSUMED),
            (now - 7_200, ASSUMED),
        ] {
            assert_eq!(life(&token_until(exp), wall(now)), expected, "{exp}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_is_given_an_hour() {
        let no_number = format!("a.{}.c", BASE64URL_NOPAD.encode(br#"{"exp":"soon"}"#));
        let none = format!("a.{}.c", BASE64URL_NOPAD.encode(b"{}"));
        for token in ["", "opaque", "a.b.c", "a..c", &no_number, &none, &format!("a.{}.c", "A".repeat(70_000))] {
            assert_eq!(life(token, wall(0)), ASSUMED, "{token:.20}");
        }
    }
}
