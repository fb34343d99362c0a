//! The time as .NET prints a `DateTimeOffset`.

use time::UtcDateTime;

/// Now, with the seven fraction digits of .NET's 100 ns ticks.
pub(crate) fn now() -> String {
    let now = UtcDateTime::now();
    format!("{}.{:07}+00:00", to_the_second(now), now.nanosecond() / 100)
}

/// Now, with three fraction digits.
pub(crate) fn now_in_milliseconds() -> String {
    let now = UtcDateTime::now();
    format!("{}.{:03}+00:00", to_the_second(now), now.millisecond())
}

fn to_the_second(at: UtcDateTime) -> String {
    let month = u8::from(at.month());
    format!("{:04}-{month:02}-{:02}T{:02}:{:02}:{:02}", at.year(), at.day(), at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_the_width_of_dotnet() {
        assert_eq!(now().len(), "2026-11-20T14:30:00.1234567+00:00".len());
        assert_eq!(now_in_milliseconds().len(), "2026-11-20T14:30:00.123+00:00".len());
        assert_eq!(to_the_second(UtcDateTime::UNIX_EPOCH), "1970-01-01T00:00:00");
    }
}
