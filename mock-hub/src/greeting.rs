//! What the program says once it listens.

use mock_hub::Login;

/// One line of JSON.
pub(crate) fn for_programs(url: &str, login: &Login) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "{{\"url\":{},\"pid\":{},\"userName\":{},\"apiKey\":{}}}",
        text(url),
        std::process::id(),
        text(&login.user),
        text(&login.api_key)
    )
}

/// The addresses, and examples to paste.
pub(crate) fn for_people(url: &str, login: &Login) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let (user, api_key) = (text(&login.user), text(&login.api_key));
    // What the shell would take for the end of the text.
    let login = format!("{{\"userName\":{user},\"apiKey\":{api_key}}}").replace('\'', r"'\''");
    format!(
        r#"A TopstepX gateway for tests listens at {url}
  console  {url}/
  REST     {url}/api
  market   {url}/hubs/market
  user     {url}/hubs/user
  controls {url}/control/...
  metrics  {url}/metrics

Log in and list the accounts:

  TOKEN=$(curl -s {url}/api/Auth/loginKey -H 'content-type: application/json' \
    -d '{login}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -s {url}/api/Account/search -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \
    -d '{{"onlyActiveAccounts":true}}'

Watch quotes from Rust, with adapter-tokio and the token from above:

  let hub = adapter_tokio::HubConnection::builder("{url}/hubs/market").access_token(token).build()?;
  let mut quotes = hub.on::<(String, serde_json::Value)>("GatewayQuote");
  hub.start().await?;
  let contract = ("CON.F.US.EP.Z26",);
  hub.subscribe(("SubscribeContractQuotes", "UnsubscribeContractQuotes"), contract).await?;
  while let Some(quote) = quotes.next().await {{ println!("{{quote:?}}"); }}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_one_json_object_whatever_the_names() {
        let line = for_programs("http://127.0.0.1:1", &Login::new("a\"b", "k\n"));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["userName"], &value["apiKey"]), (&"a\"b".into(), &"k\n".into()));
        assert!(value["pid"].is_u64() && !line.contains('\n'));
        let example = for_people("http://127.0.0.1:1", &Login::new("a\"b", "it's"));
        assert!(example.contains(r#"-d '{"userName":"a\"b","apiKey":"it'\''s"}' |"#), "{example}");
    }
}
