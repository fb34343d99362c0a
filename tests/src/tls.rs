//! A server behind TLS that answers every request with the same text.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use adapter_core::tls_config_with_roots;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// The server; its threads end with the process.
pub struct TlsServer {
    port: u16,
    client: Arc<ClientConfig>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TlsServer {
    /// Answers each request with status 200 and this body, then closes.
    pub fn start(body: String) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();

        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (config, seen) = (Arc::new(config), requests.clone());
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (config, seen, body) = (config.clone(), seen.clone(), body.clone());
                thread::spawn(move || answer(config, socket, &body, &seen));
            }
        });
        Self { port, client: Arc::new(tls_config_with_roots(roots)), requests }
    }

    /// The URL of a path, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// What trusts this server alone.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client.clone()
    }

    /// The heads of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(config: Arc<ServerConfig>, socket: TcpStream, body: &str, seen: &Mutex<Vec<String>>) {
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match tls.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let length = body.len();
    // A client that has gone does not want the answer.
    let _ = write!(tls, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    tls.conn.send_close_notify();
    let _ = tls.flush();
}
