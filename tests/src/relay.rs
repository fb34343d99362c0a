//! A TCP relay that can go silent: the way a network fails when nobody says so.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Relays every connection to one server.
pub struct Relay {
    shared: Arc<Shared>,
    port: u16,
}

struct Shared {
    target: String,
    /// Connections below this number are frozen: their bytes go nowhere, their sockets stay.
    frozen_below: AtomicU64,
    accepted: AtomicU64,
    is_over: AtomicBool,
    ended: (Mutex<bool>, Condvar),
    /// Both ends of each connection that was relayed since the last cut.
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// A relay to `HOST:PORT`, on a port of its own.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            frozen_below: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            ended: (Mutex::new(false), Condvar::new()),
            open: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                relay(&accepting, socket);
            }
        });
        Self { shared, port }
    }

    /// What to connect to in place of the server: `HOST:PORT`.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections came.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Ends the connections that are, at both ends and without a word; later ones work.
    pub fn cut(&self) {
        for socket in self.shared.open.lock().unwrap().drain(..) {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Silences the connections that are; later ones work. No socket is closed.
    pub fn freeze(&self) {
        self.shared.frozen_below.store(self.accepted(), Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        *self.shared.ended.0.lock().unwrap() = true;
        self.shared.ended.1.notify_all();
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.authority()));
    }
}

fn relay(shared: &Arc<Shared>, client: TcpStream) {
    let serial = shared.accepted.fetch_add(1, Ordering::SeqCst);
    let Ok(server) = TcpStream::connect(&shared.target) else { return };
    for socket in [&client, &server] {
        socket.set_nodelay(true).unwrap();
        shared.open.lock().unwrap().push(socket.try_clone().unwrap());
    }
    let ends = [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
    for (from, to) in ends {
        let shared = shared.clone();
        thread::spawn(move || pump(&shared, serial, from, to));
    }
}

fn pump(shared: &Shared, serial: u64, mut from: TcpStream, mut to: TcpStream) {
    let is_frozen = || serial < shared.frozen_below.load(Ordering::SeqCst);
    let mut buffer = [0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        if is_frozen() {
            // The sockets stay open, and nobody hears of them any more, until the test is over.
            let ended = shared.ended.0.lock().unwrap();
            drop(shared.ended.1.wait_while(ended, |ended| !*ended).unwrap());
            return;
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            for socket in [&from, &to] {
                // It may be closed already.
                let _ = socket.shutdown(Shutdown::Both);
            }
            return;
        }
    }
}
