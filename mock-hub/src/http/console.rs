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
