//! Which hubs are watched: one of our own, or the real ones.

use std::sync::Arc;
use std::time::Duration;

use adapter_core::Secret;
use mock_hub::{How, MockHub, Options};
use topstep_model::ContractId;

use crate::trader;

/// What TopstepX documents (ProjectX Gateway API, Real Time Data Overview).
const REAL_MARKET_HUB: &str = "https://rtc.topstepx.com/hubs/market";
const REAL_USER_HUB: &str = "https://rtc.topstepx.com/hubs/user";

/// The token that our own hub asks for.
const REHEARSAL_TOKEN: &str = "a-token-for-the-rehearsal";

/// The hubs, and what to watch there.
pub(crate) struct Place {
    pub(crate) market_url: String,
    pub(crate) user_url: String,
    pub(crate) token: Secret,
    pub(crate) contracts: Vec<ContractId>,
    pub(crate) account: Option<i64>,
    rehearsal: Option<Arc<MockHub>>,
}

impl Place {
    /// Our own hub, unless the environment has a TopstepX login: then the real hubs, with
    ///
    /// | variable | what it holds |
    /// |---|---|
    /// | `TOPSTEPX_USERNAME`, `TOPSTEPX_API_KEY` | the login; this version does not log in by itself |
    /// | `TOPSTEPX_TOKEN` | the token that `POST /api/Auth/loginKey` gives for that login |
    /// | `TOPSTEPX_CONTRACTS` | contract ids, separated by commas |
    /// | `TOPSTEPX_ACCOUNT` | the id of an account; without it only the list of accounts is watched |
    pub(crate) fn choose() -> Result<Self, String> {
        Self::from_variables(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        if variable("TOPSTEPX_USERNAME").is_some() && variable("TOPSTEPX_API_KEY").is_some() {
            Self::real(variable)
        } else {
            Self::rehearsal().map_err(|error| format!("the embedded hub does not start: {error}"))
        }
    }

    /// Our own hub, on a free port.
    pub(crate) fn rehearsal() -> std::io::Result<Self> {
        let hub = Arc::new(MockHub::start(Options {
            require_token: Some(vec![REHEARSAL_TOKEN.to_owned()]),
            // So that a quote that was missed shows.
            counted_quotes: true,
            quotes_per_second: 20.0,
            ..Options::default()
        })?);
        let account = trader::start(&hub)?;
        Ok(Self {
            market_url: hub.hub_url("market"),
            user_url: hub.hub_url("user"),
            token: REHEARSAL_TOKEN.into(),
            contracts: ["CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"].map(ContractId::new).to_vec(),
            account: Some(account),
            rehearsal: Some(hub),
        })
    }

    fn real(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let token = variable("TOPSTEPX_TOKEN").ok_or(
            "TOPSTEPX_USERNAME and TOPSTEPX_API_KEY are set, so this is about the real hubs. This version cannot \
             log in by itself yet: put the token that POST https://api.topstepx.com/api/Auth/loginKey gives into \
             TOPSTEPX_TOKEN.",
        )?;
        let contracts: Vec<_> = variable("TOPSTEPX_CONTRACTS")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|contract| !contract.is_empty())
            .map(ContractId::new)
            .collect();
        if contracts.is_empty() {
            let problem = "TOPSTEPX_CONTRACTS is missing: contract ids separated by commas, as in CON.F.US.EP.Z26";
            return Err(problem.to_owned());
        }
        let account = match variable("TOPSTEPX_ACCOUNT") {
            None => None,
            Some(text) => {
                Some(text.trim().parse().map_err(|_| "TOPSTEPX_ACCOUNT is no account id: a whole number is wanted")?)
            }
        };
        Ok(Self {
            market_url: REAL_MARKET_HUB.to_owned(),
            user_url: REAL_USER_HUB.to_owned(),
            token: Secret::new(token.trim()),
            contracts,
            account,
            rehearsal: None,
        })
    }

    /// Whether the hub is our own: then the connection is lost on purpose, and the quotes carry serials.
    pub(crate) fn is_rehearsal(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// When, in a run of this length, the connections are cut.
    pub(crate) fn cut_after(&self, length: Duration) -> Duration {
        length * 2 / 5
    }

    /// Resets every connection, without a word, and lets nobody back in.
    pub(crate) fn cut(&self) {
        let Some(hub) = &self.rehearsal else { return };
        hub.refuse_upgrades(None, 503);
        hub.drop_all(How::Reset);
    }

    /// Lets clients in again.
    pub(crate) fn mend(&self) {
        if let Some(hub) = &self.rehearsal {
            hub.accept_upgrades();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(variables: &[(&str, &str)]) -> Result<Place, String> {
        Place::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_a_login_the_hub_is_our_own() {
        let place = choose(&[("TOPSTEPX_USERNAME", "ann")]).unwrap();
        assert!(place.is_rehearsal());
        assert!(place.market_url.starts_with("http://127.0.0.1:"));
    }

    #[test]
    fn a_login_wants_a_token_and_contracts() {
        let login = [("TOPSTEPX_USERNAME", "ann"), ("TOPSTEPX_API_KEY", "key")];
        let with = |more: &[(&'static str, &'static str)]| choose(&[&login, more].concat());
        assert!(with(&[]).err().unwrap().contains("TOPSTEPX_TOKEN"));
        assert!(with(&[("TOPSTEPX_TOKEN", "t")]).err().unwrap().contains("TOPSTEPX_CONTRACTS"));
        let place =
            with(&[("TOPSTEPX_TOKEN", "t"), ("TOPSTEPX_CONTRACTS", "A, B,"), ("TOPSTEPX_ACCOUNT", "7")]).unwrap();
        assert!(!place.is_rehearsal());
        assert_eq!((place.market_url.as_str(), place.contracts.len(), place.account), (REAL_MARKET_HUB, 2, Some(7)));
        assert!(with(&[("TOPSTEPX_TOKEN", "t"), ("TOPSTEPX_CONTRACTS", "A"), ("TOPSTEPX_ACCOUNT", "x")]).is_err());
    }
}
