//! Where the hub may answer otherwise than ASP.NET Core, and why. Whatever is not here must be the same.

/// The names of conversations and requests, each with its reason.
pub(crate) const ALLOWED: &[(&str, &str)] = &[(
    "replacement_character_echo",
    "U+FFFD is written as an escape, always: .NET does so only where it stands for bytes that were no UTF-8.",
)];

const READER: &str = "The text is that of .NET's own JSON reader, with the place where it stumbled.";

/// The same with detailed errors.
pub(crate) const ALLOWED_DETAILS: &[(&str, &str)] = &[
    ("handshake_bom", READER),
    ("handshake_depth_64", READER),
    ("handshake_empty", READER),
    ("handshake_text", READER),
    ("handshake_unclosed", READER),
    ("hs_empty", READER),
];

/// Requests to HTTP.
pub(crate) const ALLOWED_REQUESTS: &[(&str, &str)] =
    &[("hub_post_fresh_id", "There the body of a POST waits for the WebSocket that comes later; no client sends one.")];

/// Splits what differed into surprises and reasons that no longer hold.
pub(crate) fn surprises(differences: &[(String, String)], allowed: &[(&str, &str)]) -> Vec<String> {
    let is_allowed = |name: &str| allowed.iter().any(|(allowed, _)| *allowed == name);
    let mut surprises: Vec<_> = differences
        .iter()
        .filter(|(name, _)| !is_allowed(name))
        .map(|(name, difference)| format!("{name}: {difference}"))
        .collect();
    for (name, _) in allowed.iter().filter(|(name, _)| !differences.iter().any(|(other, _)| other == name)) {
        surprises.push(format!("{name} is allowed to differ and does not"));
    }
    surprises
}
