//! The TCP socket below HTTP and WebSocket, shared so that a fault can reach it while it is in use.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::lock::lock;

/// A throttled socket moves what is due in this time at once: pauses shorter than a timer's tick cannot be kept.
const SLICE: Duration = Duration::from_millis(20);

/// What is written is thrown away.
const SWALLOW_OUT: u8 = 1;
/// What arrives is thrown away.
const SWALLOW_IN: u8 = 2;
/// What is written waits.
const HOLD_OUT: u8 = 4;
/// What arrives is not read.
const HOLD_IN: u8 = 8;
/// Each write carries one byte.
const ONE_BYTE: u8 = 16;
/// Every use is an error, so that whoever uses the socket lets go of it.
const BROKEN: u8 = 32;
/// The WebSocket ends without its close.
const BARE_END: u8 = 64;
/// What a black hole has swallowed stays gone, and so does the rest.
const STICKY: u8 = SWALLOW_OUT | SWALLOW_IN | BROKEN | BARE_END;

/// What faults do to a socket for the time being.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WireFaults {
    pub(crate) swallows_out: bool,
    pub(crate) swallows_in: bool,
    pub(crate) holds_out: bool,
    pub(crate) holds_in: bool,
    pub(crate) writes_single_bytes: bool,
    /// Bytes a second; 0: as fast as it goes.
    pub(crate) out_rate: u64,
    pub(crate) in_rate: u64,
}

/// A shared TCP socket that can be told to misbehave.
#[derive(Debug)]
pub(crate) struct Wire {
    shared: Arc<Shared>,
    write_pause: Option<Pin<Box<Sleep>>>,
    read_pause: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
struct Shared {
    stream: TcpStream,
    bits: AtomicU8,
    out_rate: AtomicU64,
    in_rate: AtomicU64,
    writer: AtomicWaker,
    reader: AtomicWaker,
    close_reason: Mutex<Option<String>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let shared = Shared {
            stream,
            bits: AtomicU8::new(0),
            out_rate: AtomicU64::new(0),
            in_rate: AtomicU64::new(0),
            writer: AtomicWaker::new(),
            reader: AtomicWaker::new(),
            close_reason: Mutex::default(),
        };
        Self { shared: Arc::new(shared), write_pause: None, read_pause: None }
    }

    /// From now on nothing leaves; reading goes on, and the socket stays open.
    pub(crate) fn silence(&self) {
        self.set(SWALLOW_OUT);
    }

    /// Whether nothing leaves now, so that nobody can expect anything of the client.
    pub(crate) fn is_silent(&self) -> bool {
        self.has(SWALLOW_OUT | HOLD_OUT)
    }

    /// Does to the socket what these faults say and no more, black holes aside, which nothing ends.
    pub(crate) fn misbehave(&self, faults: WireFaults) {
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let bits = bit(faults.swallows_out, SWALLOW_OUT)
            | bit(faults.swallows_in, SWALLOW_IN)
            | bit(faults.holds_out, HOLD_OUT)
            | bit(faults.holds_in, HOLD_IN)
            | bit(faults.writes_single_bytes, ONE_BYTE);
        // The closure never refuses, so neither does the update.
        let _ = self.shared.bits.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| Some(old & STICKY | bits));
        self.shared.out_rate.store(faults.out_rate, Ordering::Release);
        self.shared.in_rate.store(faults.in_rate, Ordering::Release);
        self.shared.writer.wake();
        self.shared.reader.wake();
    }

    /// Makes every further use an error: whoever serves the socket drops it, without another byte.
    pub(crate) fn break_off(&self) {
        self.set(BROKEN);
    }

    /// Ends the hub's half of the socket (FIN); what is written from now on goes nowhere.
    pub(crate) fn half_close(&self) {
        self.silence();
        // A socket that is gone already needs no end.
        let _ = socket2::SockRef::from(&self.shared.stream).shutdown(Shutdown::Write);
    }

    /// Makes the coming close a reset (RST) instead of an orderly end (FIN).
    pub(crate) fn reset_on_drop(&self) {
        // A socket that is gone already needs no reset.
        let _ = self.shared.stream.set_zero_linger();
    }

    /// Makes the coming end of the WebSocket one without its close: the socket ends right behind the last record.
    pub(crate) fn end_bare(&self) {
        self.set(BARE_END);
    }

    pub(crate) fn ends_bare(&self) -> bool {
        self.has(BARE_END)
    }

    /// Keeps the reason that the WebSocket's close gives.
    pub(crate) fn set_close_reason(&self, reason: &str) {
        *lock(&self.shared.close_reason) = Some(reason.to_owned());
    }

    pub(crate) fn close_reason(&self) -> String {
        lock(&self.shared.close_reason).clone().unwrap_or_default()
    }

    /// Throws away what has arrived, so that the coming close is an orderly one: a socket closed with bytes unread is reset.
    pub(crate) fn forget_unread(&self) {
        let mut bytes = [0; 4096];
        while self.shared.stream.try_read(&mut bytes).is_ok_and(|read| read > 0) {}
    }

    /// Reads and forgets until the other side has closed.
    pub(crate) async fn read_to_end(&self) {
        let mut bytes = [0; 4096];
        while self.shared.stream.readable().await.is_ok() {
            match self.shared.stream.try_read(&mut bytes) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    /// Writes bytes past the WebSocket above.
    pub(crate) async fn write_raw(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.shared.stream.writable().await?;
            match self.shared.stream.try_write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A way to reach the socket that does not keep it open.
    pub(crate) fn downgrade(&self) -> WeakWire {
        WeakWire(Arc::downgrade(&self.shared))
    }

    fn has(&self, bits: u8) -> bool {
        self.shared.bits.load(Ordering::Acquire) & bits != 0
    }

    fn set(&self, bits: u8) {
        self.shared.bits.fetch_or(bits, Ordering::AcqRel);
        self.shared.writer.wake();
        self.shared.reader.wake();
    }
}

/// A wire whose socket may be gone.
#[derive(Clone, Debug)]
pub(crate) struct WeakWire(Weak<Shared>);

impl WeakWire {
    pub(crate) fn upgrade(&self) -> Option<Wire> {
        let shared = self.0.upgrade()?;
        Some(Wire { shared, write_pause: None, read_pause: None })
    }
}

impl Clone for Wire {
    fn clone(&self) -> Self {
        // A pause is of the one who waits.
        Self { shared: Arc::clone(&self.shared), write_pause: None, read_pause: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Registered before the bits are looked at, so that no change falls between.
        this.shared.reader.register(cx.waker());
        if this.has(BROKEN) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if this.has(HOLD_IN) {
            return Poll::Pending;
        }
        let rate = this.shared.in_rate.load(Ordering::Acquire);
        if rate > 0 {
            ready!(poll_pause(&mut this.read_pause, cx));
        }
        let wanted = buffer.remaining().min(slice(rate));
        loop {
            ready!(this.shared.stream.poll_read_ready(cx))?;
            let Some(room) = buffer.initialize_unfilled().get_mut(..wanted) else {
                return Poll::Ready(Ok(()));
            };
            match this.shared.stream.try_read(room) {
                Ok(read) if read > 0 && this.has(SWALLOW_IN) => {}
                Ok(read) => {
                    buffer.advance(read);
                    this.read_pause = pause(read, rate);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        this.shared.writer.register(cx.waker());
        if this.has(BROKEN) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if this.has(SWALLOW_OUT) {
            return Poll::Ready(Ok(bytes.len()));
        }
        if this.has(HOLD_OUT) {
            return Poll::Pending;
        }
        let rate = this.shared.out_rate.load(Ordering::Acquire);
        if rate > 0 {
            ready!(poll_pause(&mut this.write_pause, cx));
        }
        let length = if this.has(ONE_BYTE) { 1 } else { slice(rate) };
        let bytes = bytes.get(..length).unwrap_or(bytes);
        loop {
            ready!(this.shared.stream.poll_write_ready(cx))?;
            match this.shared.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(written) => {
                    this.write_pause = pause(written, rate);
                    return Poll::Ready(Ok(written));
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The end of the socket is the drop of its last owner.
        Poll::Ready(Ok(()))
    }
}

/// The bytes that a rate allows at once.
fn slice(rate: u64) -> usize {
    if rate == 0 {
        return usize::MAX;
    }
    let bytes = u128::from(rate) * SLICE.as_millis() / 1000;
    usize::try_from(bytes).unwrap_or(usize::MAX).max(1)
}

/// The pause that so many bytes cost.
fn pause(bytes: usize, rate: u64) -> Option<Pin<Box<Sleep>>> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let micros = bytes.saturating_mul(1_000_000).checked_div(rate)?;
    Some(Box::pin(tokio::time::sleep(Duration::from_micros(micros))))
}

fn poll_pause(pause: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(sleep) = pause {
        ready!(sleep.as_mut().poll(cx));
        *pause = None;
    }
    Poll::Ready(())
}
