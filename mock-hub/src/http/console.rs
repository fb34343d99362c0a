//! The live console: its files, which are part of the program, and the headers that keep the page to itself.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::gateway::Gateway;

/// Everything the page uses comes from this hub, scripts and sockets alike; nothing may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files by the path they are served at.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", "text/html; charset=utf-8", include_bytes!("../../console/index.html")),
    ("/console/style.css", "text/css; charset=utf-8", include_bytes!("../../console/style.css")),
    ("/console/icon.svg", "image/svg+xml", include_bytes!("../../console/icon.svg")),
    ("/console/signalr.min.js", SCRIPT, include_bytes!("../../console/vendor/signalr.min.js")),
    ("/console/app.js", SCRIPT, include_bytes!("../../console/app.js")),
    ("/console/dom.js", SCRIPT, include_bytes!("../../console/dom.js")),
    ("/console/faults.js", SCRIPT, include_bytes!("../../console/faults.js")),
    ("/console/journal.js", SCRIPT, include_bytes!("../../console/journal.js")),
    ("/console/links.js", SCRIPT, include_bytes!("../../console/links.js")),
    ("/console/market.js", SCRIPT, include_bytes!("../../console/market.js")),
    ("/console/rest.js", SCRIPT, include_bytes!("../../console/rest.js")),
    ("/console/snippets.js", SCRIPT, include_bytes!("../../console/snippets.js")),
    ("/console/trading.js", SCRIPT, include_bytes!("../../console/trading.js")),
    ("/console/view.js", SCRIPT, include_bytes!("../../console/view.js")),
    // What the page makes its form of faults from.
    ("/control/faults/catalogue", "application/json", include_bytes!("../../console/faults.json")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn routes() -> Router<Arc<Gateway>> {
    FILES.iter().fold(Router::new(), |router, (path, media_type, bytes)| {
        router.route(path, get(async move || file(media_type, bytes)))
    })
}

fn file(media_type: &'static str, bytes: &'static [u8]) -> Response {
    let headers: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // A rebuilt hub on the same port shows its own page.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::faults::{Fault, Rule};

    fn catalogue() -> Vec<Value> {
        let bytes = FILES.iter().find(|(path, ..)| path.ends_with("catalogue")).map(|(.., bytes)| *bytes).unwrap();
        let groups: Vec<Value> = serde_json::from_slice(bytes).unwrap();
        groups.iter().flat_map(|group| group["faults"].as_array().unwrap().clone()).collect()
    }

    #[test]
    fn the_catalogue_has_every_fault_and_no_other() {
        let listed: BTreeSet<_> = catalogue().iter().map(|fault| fault["name"].as_str().unwrap().to_owned()).collect();
        let error = serde_json::from_str::<Fault>("\"\"").unwrap_err().to_string();
        let known: BTreeSet<_> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
        assert!(known.len() > 40, "{error}");
        assert_eq!(listed, known);
    }

    #[test]
    fn what_the_form_sends_is_a_rule() {
        for fault in catalogue() {
            let fields = fault["fields"].as_array().cloned().unwrap_or_default();
            // As it is offered, and with every field filled in.
            for filled in [false, true] {
                let mut settings = Map::new();
                for field in &fields {
                    let text = field["initial"].as_str().or(field["choices"][0].as_str()).unwrap_or("1s");
                    let value = match field["kind"].as_str().unwrap() {
                        "number" => json!(field["initial"].as_i64().unwrap_or(1)),
                        "flag" => json!(true),
                        "retry" => json!({ "seconds": 1 }),
                        "lines" => json!(["{}"]),
                        "json" => serde_json::from_str(text).unwrap_or(json!(text)),
                        _ => json!(text),
                    };
                    if filled || field.get("initial").is_some() {
                        settings.insert(field["name"].as_str().unwrap().to_owned(), value);
                    }
                }
                let name = fault["name"].as_str().unwrap();
                let fault = if settings.is_empty() { json!(name) } else { json!({ name: settings }) };
                let rule = json!({ "fault": fault, "lasts": "10s", "times": 1 });
                assert!(serde_json::from_value::<Rule>(rule.clone()).is_ok(), "{rule}");
            }
        }
    }
}
