//! The envelope around every answer.

/// An answer: its own members first, then whether it went well, as the gateway orders them.
pub(super) fn answer(members: &[(&str, &str)], code: i32, message: Option<&str>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        text.push_str(&format!("\"{name}\":{value},"));
    }
    let message = message.map_or_else(|| "null".to_owned(), string);
    text.push_str(&format!("\"success\":{},\"errorCode\":{code},\"errorMessage\":{message}}}", code == 0));
    text
}

/// An answer whose only member is a list of objects.
pub(super) fn list(name: &str, items: impl IntoIterator<Item = String>, code: i32) -> String {
    answer(&[(name, &array(items))], code, None)
}

pub(super) fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// A text as JSON.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_before_the_verdict() {
        assert_eq!(answer(&[], 0, None), r#"{"success":true,"errorCode":0,"errorMessage":null}"#);
        assert_eq!(
            answer(&[("orderId", "7")], 2, Some("\"no\"")),
            r#"{"orderId":7,"success":false,"errorCode":2,"errorMessage":"\"no\""}"#
        );
        assert_eq!(
            list("a", ["1".to_owned(), "2".to_owned()], 0),
            r#"{"a":[1,2],"success":true,"errorCode":0,"errorMessage":null}"#
        );
    }
}
