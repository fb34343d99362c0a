//! What lies between a client and its server, and fails as networks do: with a reset, with an end, or without a word.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often a thread looks up from its socket.
const LOOK_UP: Duration = Duration::from_millis(20);

/// Relays every connection to one server.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    port: u16,
}

/// What befalls the connections that are. Later ones work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Reset,
    Fin,
    /// What the server says waits.
    StallDown,
    /// What the client says waits.
    StallUp,
    /// Both ways, for good: the sockets stay.
    BlackHole,
}

struct Shared {
    target: Mutex<String>,
    is_over: AtomicBool,
    links: Mutex<Vec<Arc<Link>>>,
}

#[derive(Default)]
struct Link {
    is_reset: AtomicBool,
    is_ended: AtomicBool,
    is_hole: AtomicBool,
    stalls_down: AtomicBool,
    stalls_up: AtomicBool,
}

impl Proxy {
    /// A relay to `HOST:PORT`, on a port of its own.
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: Mutex::new(target.to_owned()),
            is_over: AtomicBool::new(false),
            links: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                relay(&accepting, client);
            }
        });
        Self { shared, port }
    }

    /// What to connect to in place of the server.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Relays later connections to another server.
    pub(crate) fn turn_to(&self, target: &str) {
        target.clone_into(&mut self.shared.target.lock().unwrap());
    }

    pub(crate) fn strike(&self, trouble: Trouble) {
        let links = self.shared.links.lock().unwrap();
        for link in links.iter() {
            let flag = match trouble {
                Trouble::Reset => &link.is_reset,
                Trouble::Fin => &link.is_ended,
                Trouble::StallDown => &link.stalls_down,
                Trouble::StallUp => &link.stalls_up,
                Trouble::BlackHole => &link.is_hole,
            };
            flag.store(true, Ordering::SeqCst);
        }
    }

    /// What was held up goes on.
    pub(crate) fn heal(&self) {
        for link in self.shared.links.lock().unwrap().iter() {
            link.stalls_down.store(false, Ordering::SeqCst);
            link.stalls_up.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.strike(Trouble::Fin);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Link {
    fn is_over(&self) -> bool {
        self.is_reset.load(Ordering::SeqCst) || self.is_ended.load(Ordering::SeqCst)
    }
}

fn relay(shared: &Arc<Shared>, client: TcpStream) {
    let target = shared.target.lock().unwrap().clone();
    let Ok(server) = TcpStream::connect(target) else { return };
    let link = Arc::new(Link::default());
    shared.links.lock().unwrap().push(link.clone());
    let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    for (from, to, is_down) in [(from_client, server, false), (from_server, client, true)] {
        let (shared, link) = (shared.clone(), link.clone());
        thread::spawn(move || {
            pump(&link, from, to, is_down);
            shared.links.lock().unwrap().retain(|known| !Arc::ptr_eq(known, &link));
        });
    }
}

fn pump(link: &Link, mut from: TcpStream, mut to: TcpStream, is_down: bool) {
    let stalls = if is_down { &link.stalls_down } else { &link.stalls_up };
    from.set_read_timeout(Some(LOOK_UP)).unwrap();
    to.set_nodelay(true).unwrap();
    let mut buffer = [0; 16 << 10];
    while !link.is_over() {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => break,
        };
        while stalls.load(Ordering::SeqCst) && !link.is_over() {
            thread::sleep(LOOK_UP);
        }
        if !link.is_hole.load(Ordering::SeqCst) && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    if link.is_reset.load(Ordering::SeqCst) {
        // Both threads drop their clones of it, and the last one sends the reset.
        let _ = socket2::SockRef::from(&to).set_linger(Some(Duration::ZERO));
        return;
    }
    link.is_ended.store(true, Ordering::SeqCst);
    // It may be closed already.
    let _ = to.shutdown(Shutdown::Both);
}
