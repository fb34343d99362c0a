//! The tokens that open a door: those a test listed, and those the hub issued.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;

use crate::lock::lock;

/// The tokens issued that are remembered.
const MAX_ISSUED: usize = 10_000;

/// Whom a good token names, and until when it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) user: String,
    pub(crate) expires: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    listed: Option<Vec<String>>,
    issued: HashMap<String, Bearer>,
}

impl Tokens {
    pub(crate) fn new(listed: Option<Vec<String>>) -> Self {
        Self { state: Mutex::new(State { listed, issued: HashMap::new() }) }
    }

    /// Replaces the list; `None` asks for no token.
    pub(crate) fn set(&self, listed: Option<Vec<String>>) {
        lock(&self.state).listed = listed;
    }

    pub(crate) fn are_required(&self) -> bool {
        lock(&self.state).listed.is_some()
    }

    /// Whose token this is, or `None` for one that is not good now.
    pub(crate) fn check(&self, token: &str) -> Option<Bearer> {
        let state = lock(&self.state);
        if let Some(bearer) = state.issued.get(token) {
            return bearer.expires.is_none_or(|at| at > Instant::now()).then(|| bearer.clone());
        }
        let is_listed = state.listed.as_ref().is_some_and(|listed| listed.iter().any(|good| good == token));
        is_listed.then(|| Bearer { user: "user".to_owned(), expires: None })
    }

    /// A new token in the shape of a JWT; its signature is random, for nobody checks it.
    pub(crate) fn issue(&self, user: &str, lifetime: Duration) -> String {
        let expires = SystemTime::now() + lifetime;
        let exp = expires.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
        let claims = serde_json::json!({ "sub": user, "jti": random_id(), "exp": exp });
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let token = format!("{header}.{}.{}", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()), random_id());
        let bearer = Bearer { user: user.to_owned(), expires: Instant::now().checked_add(lifetime) };
        let mut state = lock(&self.state);
        if state.issued.len() >= MAX_ISSUED {
            let now = Instant::now();
            state.issued.retain(|_, bearer| bearer.expires.is_none_or(|at| at > now));
        }
        if state.issued.len() < MAX_ISSUED {
            state.issued.insert(token.clone(), bearer);
        }
        token
    }

    pub(crate) fn revoke(&self, token: &str) {
        let mut state = lock(&self.state);
        state.issued.remove(token);
        if let Some(listed) = &mut state.listed {
            listed.retain(|good| good != token);
        }
    }
}

/// Sixteen random bytes in base64url, as ASP.NET Core makes connection ids.
pub(crate) fn random_id() -> String {
    BASE64URL_NOPAD.encode(&fastrand::u128(..).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_and_issued_tokens_are_good_until_they_are_not() {
        let tokens = Tokens::new(Some(vec!["listed".to_owned()]));
        let issued = tokens.issue("ann", Duration::from_secs(60));
        assert_eq!(tokens.check("listed").map(|bearer| bearer.user), Some("user".to_owned()));
        assert_eq!(tokens.check(&issued).map(|bearer| bearer.user), Some("ann".to_owned()));
        assert_eq!(tokens.check("other"), None);
        assert_eq!(tokens.check(&tokens.issue("bob", Duration::ZERO)), None);

        tokens.revoke(&issued);
        tokens.set(Some(vec!["new".to_owned()]));
        assert_eq!(tokens.check(&issued), None);
        assert_eq!(tokens.check("listed"), None);
        assert!(tokens.check("new").is_some());
    }
}
