//! The tokens that open a door: those a test listed, and those the hub issued.

mod jwt;
mod state;

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;

use crate::lock::lock;
use state::State;

/// Whom a good token names, and until when it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) user: String,
    /// The session that the token belongs to; a token that a test listed has none.
    pub(crate) session: Option<Session>,
    pub(crate) expires: Option<Instant>,
}

/// What a login begins and the next login of the same user ends (the `sid` claim).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// Whether `loginKey` began it. A token from a test's hand takes no part in the fight of logins.
    pub(crate) is_login: bool,
}

/// All tokens of one hub. Its `Debug` tells none of them.
pub(crate) struct Tokens {
    state: Mutex<State>,
}

impl Tokens {
    /// `listed` are good besides those issued and name `first_user`; `None` asks for no token.
    pub(crate) fn new(listed: Option<Vec<String>>, first_user: &str) -> Self {
        Self { state: Mutex::new(State::new(listed, first_user)) }
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
        lock(&self.state).check(token)
    }

    /// A token of a session of its own, which logs nobody out.
    pub(crate) fn issue(&self, user: &str, lifetime: Duration) -> String {
        lock(&self.state).issue(user, Session { id: session_id(), is_login: false }, lifetime)
    }

    /// The token of a new login; what the user's earlier login had is no good any more.
    pub(crate) fn log_in(&self, user: &str, lifetime: Duration) -> (String, Session) {
        let session = Session { id: session_id(), is_login: true };
        let mut state = lock(&self.state);
        state.forget(|bearer| bearer.user == user && bearer.is_login());
        (state.issue(user, session.clone(), lifetime), session)
    }

    /// Another token of the same session; the old one stays good until its own end.
    pub(crate) fn renew(&self, bearer: &Bearer, lifetime: Duration) -> String {
        let session = bearer.session.clone().unwrap_or_else(|| Session { id: session_id(), is_login: false });
        lock(&self.state).issue(&bearer.user, session, lifetime)
    }

    pub(crate) fn revoke(&self, token: &str) {
        lock(&self.state).revoke(token);
    }

    /// Ends a session: all its tokens are no good any more.
    pub(crate) fn end_session(&self, session: &Session) {
        lock(&self.state).forget(|bearer| bearer.session.as_ref() == Some(session));
    }

    /// Ends all sessions of a user, or of everybody.
    pub(crate) fn end_sessions_of(&self, user: Option<&str>) {
        lock(&self.state).forget(|bearer| user.is_none_or(|user| bearer.user == user));
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").field("are_required", &self.are_required()).finish_non_exhaustive()
    }
}

impl Bearer {
    fn is_login(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_login)
    }
}

/// Sixteen random bytes in base64url, as ASP.NET Core makes connection ids.
pub(crate) fn random_id() -> String {
    BASE64URL_NOPAD.encode(&fastrand::u128(..).to_be_bytes())
}

/// A GUID, the form of the `sid` claim.
fn session_id() -> String {
    let bits = fastrand::u128(..);
    let part = |shift: u32, digits: usize| {
        let mask = (1_u128 << (4 * digits)) - 1;
        format!("{:0digits$x}", (bits >> shift) & mask)
    };
    format!("{}-{}-4{}-8{}-{}", part(96, 8), part(80, 4), part(68, 3), part(52, 3), part(0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn user(tokens: &Tokens, token: &str) -> Option<String> {
        tokens.check(token).map(|bearer| bearer.user)
    }

    #[test]
    fn listed_and_issued_tokens_are_good_until_they_are_not() {
        let tokens = Tokens::new(Some(vec!["listed".to_owned()]), "first");
        let issued = tokens.issue("ann", LONG);
        assert_eq!(user(&tokens, "listed").as_deref(), Some("first"));
        assert_eq!(user(&tokens, &issued).as_deref(), Some("ann"));
        assert_eq!(tokens.check("other"), None);
        assert_eq!(tokens.check(&tokens.issue("bob", Duration::ZERO)), None);

        tokens.revoke(&issued);
        tokens.set(Some(vec!["new".to_owned()]));
        assert_eq!(tokens.check(&issued), None);
        assert_eq!(tokens.check("listed"), None);
        assert!(tokens.check("new").is_some());
    }

    #[test]
    fn a_login_ends_the_one_before_it_and_nothing_else() {
        let tokens = Tokens::new(None, "first");
        let (first, _) = tokens.log_in("ann", LONG);
        let renewed = tokens.renew(&tokens.check(&first).unwrap(), LONG);
        assert_ne!(first, renewed);
        let (by_hand, other) = (tokens.issue("ann", LONG), tokens.log_in("bob", LONG).0);
        let (second, session) = tokens.log_in("ann", LONG);
        assert_eq!((user(&tokens, &first), user(&tokens, &renewed)), (None, None));
        for good in [&by_hand, &other, &second] {
            assert!(tokens.check(good).is_some());
        }
        tokens.end_session(&session);
        assert_eq!(tokens.check(&second), None);
        tokens.end_sessions_of(Some("ann"));
        assert_eq!(tokens.check(&by_hand), None);
        assert!(tokens.check(&other).is_some());
    }

    #[test]
    fn nothing_that_is_printed_holds_a_token() {
        let tokens = Tokens::new(Some(vec!["listed".to_owned()]), "first");
        let (token, _) = tokens.log_in("ann", LONG);
        let printed = format!("{tokens:?}");
        assert!(!printed.contains("listed") && !printed.contains(&token), "{printed}");
    }

    #[test]
    fn a_session_id_is_a_guid() {
        let id = session_id();
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }
}
