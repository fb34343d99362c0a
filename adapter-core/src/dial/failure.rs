//! What went wrong, in the few kinds that a policy tells apart.
//!
//! Words come from the operating system, rustls, hyper and tungstenite, and only from errors of theirs that quote nothing of a request or an
//! answer. Payloads, URLs and headers never get here.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::iter::successors;
use std::time::SystemTime;

use rustls::CertificateError;
use signalr_proto::io::{IoFailure, IoFailureKind};
use tungstenite::error::ProtocolError;

/// EMFILE and ENFILE, for which the standard library has no kind.
#[cfg(unix)]
const OUT_OF_SOCKETS: [i32; 2] = [24, 23];
/// WSAEMFILE.
#[cfg(not(unix))]
const OUT_OF_SOCKETS: [i32; 1] = [10024];

/// A failure of name service, socket or TLS; `otherwise` where the error itself does not say what it is.
pub(super) fn from_io(context: impl fmt::Display, error: &io::Error, otherwise: IoFailureKind) -> IoFailure {
    from_chain(context, error, otherwise)
}

/// A failure of an HTTP exchange.
pub(super) fn from_hyper(context: impl fmt::Display, error: &hyper::Error) -> IoFailure {
    let has_io = causes(error).any(|cause| cause.is::<io::Error>());
    let breaks_rules = causes(error).any(|cause| {
        // So hyper reports a malformed chunk.
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(kind, Some(ErrorKind::InvalidData | ErrorKind::InvalidInput))
    });
    let is_over = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    let otherwise = if breaks_rules || !(has_io || is_over) { IoFailureKind::Protocol } else { IoFailureKind::Lost };
    from_chain(context, error, otherwise)
}

/// The failure of an open WebSocket.
///
/// Whatever ends the transport without a close frame is [`IoFailureKind::Lost`], TLS that ends without its close_notify included: an end that
/// somebody on the way may have made up is no clean one.
pub fn websocket_failure(error: tungstenite::Error) -> IoFailure {
    use tungstenite::Error as Ws;
    let (kind, message) = match error {
        Ws::Capacity(error) => (IoFailureKind::Oversize, error.to_string()),
        Ws::Protocol(error @ (ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing)) => {
            (IoFailureKind::Lost, error.to_string())
        }
        Ws::Protocol(error) => (IoFailureKind::Protocol, error.to_string()),
        Ws::Utf8(_) => (IoFailureKind::Protocol, "a text message is not UTF-8".to_owned()),
        Ws::WriteBufferFull(_) => (IoFailureKind::Local, "a message is larger than the write buffer".to_owned()),
        Ws::ConnectionClosed | Ws::AlreadyClosed => (IoFailureKind::Lost, "the WebSocket is closed".to_owned()),
        Ws::Io(error) => {
            let is_local = kind_of(&error) == Some(IoFailureKind::Local);
            (if is_local { IoFailureKind::Local } else { IoFailureKind::Lost }, innermost(&error).to_string())
        }
        Ws::Tls(_) => (IoFailureKind::Lost, "TLS failed".to_owned()),
        Ws::AttackAttempt | Ws::Url(_) | Ws::Http(_) | Ws::HttpFormat(_) => {
            (IoFailureKind::Protocol, "the peer broke the rules of WebSocket".to_owned())
        }
    };
    IoFailure::new(kind, message)
}

fn from_chain(context: impl fmt::Display, error: &(dyn Error + 'static), otherwise: IoFailureKind) -> IoFailure {
    let kind = kind_of(error).unwrap_or(otherwise);
    let mut message = format!("{context}: {}", innermost(error));
    if causes(error).filter_map(|cause| cause.downcast_ref()).any(is_about_time) {
        let now = httpdate::fmt_http_date(SystemTime::now());
        message.push_str(&format!("; the local clock says {now}"));
    }
    IoFailure::new(kind, message)
}

/// What the error and its causes say for certain.
fn kind_of(error: &(dyn Error + 'static)) -> Option<IoFailureKind> {
    causes(error).find_map(|cause| {
        if cause.is::<rustls::Error>() {
            return Some(IoFailureKind::Tls);
        }
        let io = cause.downcast_ref::<io::Error>()?;
        if io.raw_os_error().is_some_and(|code| OUT_OF_SOCKETS.contains(&code)) {
            return Some(IoFailureKind::Local);
        }
        match io.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                Some(IoFailureKind::Refused)
            }
            ErrorKind::TimedOut => Some(IoFailureKind::TimedOut),
            ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
            | ErrorKind::AddrInUse
            | ErrorKind::PermissionDenied
            | ErrorKind::OutOfMemory => Some(IoFailureKind::Local),
            _ => None,
        }
    })
}

fn is_about_time(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    )
}

/// The error and what caused it, outermost first. An `io::Error` hides what it wraps from `source`, so it is asked itself.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use tungstenite::error::CapacityError;

    use super::*;

    fn kind(error: io::Error) -> IoFailureKind {
        from_io("", &error, IoFailureKind::Lost).kind
    }

    #[test]
    fn the_system_s_errors_keep_their_kind_however_deep_they_are() {
        for (error, expected) in [
            (io::Error::from(ErrorKind::ConnectionRefused), IoFailureKind::Refused),
            (ErrorKind::NetworkUnreachable.into(), IoFailureKind::Refused),
            (ErrorKind::HostUnreachable.into(), IoFailureKind::Refused),
            (ErrorKind::NetworkDown.into(), IoFailureKind::Local),
            (ErrorKind::TimedOut.into(), IoFailureKind::TimedOut),
            (ErrorKind::AddrNotAvailable.into(), IoFailureKind::Local),
            (ErrorKind::PermissionDenied.into(), IoFailureKind::Local),
            (io::Error::from_raw_os_error(OUT_OF_SOCKETS[0]), IoFailureKind::Local),
            (ErrorKind::ConnectionReset.into(), IoFailureKind::Lost),
            (ErrorKind::UnexpectedEof.into(), IoFailureKind::Lost),
            (io::Error::new(ErrorKind::InvalidData, rustls::Error::DecryptError), IoFailureKind::Tls),
        ] {
            assert_eq!(kind(io::Error::other(io::Error::other(error))), expected);
        }
    }

    #[test]
    fn a_certificate_out_of_its_time_names_the_local_clock() {
        for (error, expected) in [(CertificateError::Expired, true), (CertificateError::UnknownIssuer, false)] {
            let error = io::Error::new(ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error));
            let failure = from_io("TLS with h:1", &error, IoFailureKind::Lost);
            assert_eq!(failure.kind, IoFailureKind::Tls);
            assert_eq!(failure.message.contains("local clock"), expected, "{failure}");
        }
    }

    #[test]
    fn every_end_of_a_websocket_has_a_kind() {
        use tungstenite::Error as Ws;
        let io = |kind: ErrorKind| Ws::Io(kind.into());
        for (error, expected) in [
            (Ws::Capacity(CapacityError::MessageTooLong { size: 2, max_size: 1 }), IoFailureKind::Oversize),
            (Ws::Protocol(ProtocolError::MaskedFrameFromServer), IoFailureKind::Protocol),
            (Ws::Protocol(ProtocolError::ResetWithoutClosingHandshake), IoFailureKind::Lost),
            (Ws::Utf8("canary".to_owned()), IoFailureKind::Protocol),
            (Ws::ConnectionClosed, IoFailureKind::Lost),
            (Ws::WriteBufferFull(Box::new("canary".into())), IoFailureKind::Local),
            (io(ErrorKind::UnexpectedEof), IoFailureKind::Lost),
            (io(ErrorKind::TimedOut), IoFailureKind::Lost),
            (io(ErrorKind::PermissionDenied), IoFailureKind::Local),
            (Ws::Io(io::Error::other(rustls::Error::DecryptError)), IoFailureKind::Lost),
        ] {
            let text = format!("{error:?}");
            let failure = websocket_failure(error);
            assert_eq!(failure.kind, expected, "{text}");
            assert!(!failure.message.contains("canary"), "{failure}");
        }
    }
}
