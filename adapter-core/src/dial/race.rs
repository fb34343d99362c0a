//! Happy eyeballs: one dead address family must not cost the whole connect deadline (RFC 8305, simplified).

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;

/// How long one address has before the next is tried beside it (RFC 8305, section 5: Connection Attempt Delay).
const STAGGER: Duration = Duration::from_millis(250);

/// Dials the addresses, the next one after [`STAGGER`] or as soon as one fails; the first that connects wins and the rest are dropped.
///
/// When all fail, the last failure is returned: a family without a route fails at once, so the slowest says most.
pub(super) async fn race<T, D, S>(
    addresses: Vec<SocketAddr>,
    dial: impl Fn(SocketAddr) -> D,
    sleep: impl Fn(Duration) -> S,
) -> io::Result<T>
where
    D: Future<Output = io::Result<T>>,
    S: Future<Output = ()>,
{
    let mut waiting = interleaved(addresses).into_iter();
    let mut dials = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    loop {
        if let Some(address) = waiting.next() {
            dials.push(dial(address));
        } else if dials.is_empty() {
            return Err(failure);
        }
        let has_more = waiting.len() > 0;
        let stagger = pin!(async { if has_more { sleep(STAGGER).await } else { pending().await } });
        match select(dials.next(), stagger).await {
            Either::Left((Some(Ok(io)), _)) => return Ok(io),
            Either::Left((Some(Err(error)), _)) => failure = error,
            Either::Left((None, _)) | Either::Right(_) => {}
        }
    }
}

/// Alternates between the address families, beginning with that of the first address (RFC 8305, section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let total = addresses.len();
    let begins_with_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == begins_with_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::with_capacity(total);
    while mixed.len() < total {
        mixed.extend(first.next());
        mixed.extend(second.next());
    }
    mixed
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::ready;

    use futures_util::FutureExt as _;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// What a scripted address does when dialled, by its port: 1 never answers, 2 is refused, 3 connects.
    async fn scripted(address: SocketAddr) -> io::Result<SocketAddr> {
        match address.port() {
            1 => pending().await,
            2 => Err(io::ErrorKind::ConnectionRefused.into()),
            _ => Ok(address),
        }
    }

    #[test]
    fn the_families_take_turns_and_each_keeps_its_order() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(interleaved(given), expected);
        let one_family = addresses(&["1.1.1.1:1", "2.2.2.2:1"]);
        assert_eq!(interleaved(one_family.clone()), one_family);
    }

    #[test]
    fn a_silent_address_costs_one_stagger() {
        let won = race(addresses(&["[::1]:1", "1.1.1.1:3"]), scripted, |_| ready(())).now_or_never();
        assert_eq!(won.unwrap().unwrap(), addresses(&["1.1.1.1:3"])[0]);
    }

    #[test]
    fn before_the_stagger_is_over_only_one_address_is_dialled() {
        let dialled = RefCell::new(Vec::new());
        let dial = |address| {
            dialled.borrow_mut().push(address);
            scripted(address)
        };
        let ended = race(addresses(&["[::1]:1", "1.1.1.1:3"]), dial, |delay| {
            assert_eq!(delay, STAGGER);
            pending::<()>()
        });
        assert!(ended.now_or_never().is_none());
        assert_eq!(dialled.into_inner(), addresses(&["[::1]:1"]));
    }

    #[test]
    fn a_refusal_costs_no_stagger() {
        let won = race(addresses(&["[::1]:2", "1.1.1.1:3"]), scripted, |_| pending()).now_or_never();
        assert_eq!(won.unwrap().unwrap(), addresses(&["1.1.1.1:3"])[0]);
    }

    #[test]
    fn an_older_dial_may_still_win() {
        let polls = RefCell::new(0);
        let dial = |address: SocketAddr| {
            let polls = &polls;
            std::future::poll_fn(move |cx| {
                if address.port() == 1 {
                    return std::task::Poll::Pending;
                }
                *polls.borrow_mut() += 1;
                if *polls.borrow() < 3 {
                    cx.waker().wake_by_ref();
                    return std::task::Poll::Pending;
                }
                std::task::Poll::Ready(Ok::<_, io::Error>(address))
            })
        };
        let mut racing = pin!(race(addresses(&["[::1]:9", "1.1.1.1:1"]), dial, |_| ready(())));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let won = (0..10).find_map(|_| match racing.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(won) => Some(won.unwrap()),
            std::task::Poll::Pending => None,
        });
        assert_eq!(won, Some(addresses(&["[::1]:9"])[0]));
    }

    #[test]
    fn when_all_fail_the_failure_is_told() {
        let lost = race(addresses(&["[::1]:2", "1.1.1.1:2"]), scripted, |_| ready(())).now_or_never();
        assert_eq!(lost.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
