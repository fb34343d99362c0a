//! The form of a token: HS256, with the claims that were seen in a TopstepX token and no others.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

const NAME_IDENTIFIER: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
const SESSION_ID: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/sid";
const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/// The key that signs; it lives as long as the process and is never told.
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn random() -> Self {
        let mut key = [0; 32];
        fastrand::fill(&mut key);
        Self(key)
    }

    /// A signed token that ends at `expires`, a count of seconds since 1970.
    pub(super) fn sign(&self, user: &str, session_id: &str, expires: u64) -> String {
        let claims = json!({
            NAME_IDENTIFIER: user_id(user).to_string(),
            SESSION_ID: session_id,
            NAME: user,
            ROLE: ["user", "market:tob"],
            "msd": "CMEGROUP_TOB",
            "mfa": "verified",
            "exp": expires,
        });
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(&mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }
}

/// The end of a life that begins now, in whole seconds since 1970, rounded up.
pub(super) fn seconds_at_end_of(lifetime: Duration) -> u64 {
    let end = SystemTime::now().checked_add(lifetime).and_then(|end| end.duration_since(UNIX_EPOCH).ok());
    end.map_or(i64::MAX as u64, |since| since.as_secs() + u64::from(since.subsec_nanos() > 0))
}

/// A number for a user, the same in every run.
fn user_id(user: &str) -> u32 {
    let hash = user.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    100_000 + hash % 900_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts_the_claims_seen_live_and_a_signature_of_its_content() {
        let key = Key::random();
        let token = key.sign("ann", "an-id", 1_800_000_000);
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { panic!("{token}") };
        let decode = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(decode(header), json!({ "alg": "HS256", "typ": "JWT" }));
        let claims = decode(claims);
        assert_eq!((&claims["exp"], &claims[SESSION_ID]), (&json!(1_800_000_000), &json!("an-id")));
        assert_eq!(claims.as_object().map(|claims| claims.len()), Some(7));
        assert_eq!(signature.len(), 43);
        assert_eq!(key.sign("ann", "an-id", 1_800_000_000), token);
        assert_ne!(key.sign("ann", "an-id", 1_800_000_001).rsplit('.').next(), Some(*signature));
        assert_ne!(Key::random().sign("ann", "an-id", 1_800_000_000), token);
    }
}
