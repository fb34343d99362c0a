//! What an echo is made of.

/// The record of the call with this number.
pub(crate) fn request(number: u64) -> String {
    format!(r#"{{"type":1,"invocationId":"{number}","target":"Echo","arguments":[{number}]}}"#) + "\u{1e}"
}

/// Where the same server returns each message of a bare WebSocket.
pub(crate) fn raw_url(url: &str) -> String {
    match url.strip_suffix("/hub") {
        Some(folder) => format!("{folder}/echo"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_is_beside_the_hub() {
        assert_eq!(raw_url("http://127.0.0.1:1/raw/hub"), "http://127.0.0.1:1/raw/echo");
        assert_eq!(raw_url("http://127.0.0.1:1/raw/echo"), "http://127.0.0.1:1/raw/echo");
    }
}
