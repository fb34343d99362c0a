//! The handshake request and what ASP.NET Core answers to a bad one.

use super::dotnet::{Members, Text};

/// The newest version of the hub protocol that a server of .NET 8 or later takes: the one with stateful reconnect.
pub(crate) const NEWEST_VERSION: i32 = 2;

/// Checks a handshake request and yields the version of the hub protocol that it asks for.
///
/// The error is the text of the answer (HubProtocol.md, Overview; texts seen live).
pub(crate) fn check(record: &[u8], detailed_errors: bool) -> Result<i32, String> {
    let text = Text::new(record);
    let (protocol, version) = parse(&text).map_err(|detail| {
        let said = "An unexpected error occurred during connection handshake.";
        if detailed_errors { format!("{said} {detail}") } else { said.to_owned() }
    })?;
    if !protocol.eq_ignore_ascii_case("json") {
        return Err(format!("The protocol '{protocol}' is not supported."));
    }
    // Zero and less are accepted.
    if version > NEWEST_VERSION {
        return Err(format!("The server does not support version {version} of the 'json' protocol."));
    }
    Ok(version)
}

fn parse(text: &Text<'_>) -> Result<(String, i32), String> {
    let (mut protocol, mut version) = (None, None);
    let mut members = Members::of(text)?;
    while let Some(name) = members.next_name()? {
        match &*name {
            "protocol" => protocol = Some(members.string("protocol")?.into_owned()),
            "version" => version = members.int32("version")?,
            _ => _ = members.skip()?,
        }
    }
    let missing = |name: &str| {
        let content = text.as_str();
        format!("InvalidDataException: Missing required property '{name}'. Message content: {content}")
    };
    Ok((protocol.ok_or_else(|| missing("protocol"))?, version.ok_or_else(|| missing("version"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_judged_as_aspnetcore_judges_them() {
        let unexpected = "An unexpected error occurred during connection handshake.";
        let cases = [
            (r#"{"protocol":"json","version":1}"#, ""),
            (r#"{"version":-3,"more":[1],"protocol":"JSON"}"#, ""),
            (r#" {"protocol":"json","version":9,"version":2} rubbish"#, ""),
            (r#"{"protocol":"messagepack","version":1}"#, "The protocol 'messagepack' is not supported."),
            (r#"{"protocol":"json","version":3}"#, "The server does not support version 3 of the 'json' protocol."),
            (r#"{"protocol":"json","version":1.0}"#, unexpected),
            (r#"{"protocol":null,"version":1}"#, unexpected),
            (r#"{"protocol":"json"}"#, unexpected),
            (r#"{"type":6}"#, unexpected),
            ("[]", unexpected),
            ("", unexpected),
            ("\u{feff}{\"protocol\":\"json\",\"version\":1}", unexpected),
        ];
        for (request, expected) in cases {
            let error = check(request.as_bytes(), false).err().unwrap_or_default();
            assert_eq!(error, expected, "{request}");
        }
        assert_eq!(check(br#"{"protocol":"json","version":2}"#, false), Ok(2));
    }

    #[test]
    fn details_are_told_when_asked_for() {
        let error = check(br#"{"version":1}"#, true).unwrap_err();
        assert!(
            error.ends_with(
                "InvalidDataException: Missing required property 'protocol'. Message content: {\"version\":1}"
            )
        );
    }
}
