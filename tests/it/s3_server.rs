//! A real S3 server on loopback over a directory: signed requests, and keys that reach only some objects.

use std::{collections::HashMap, net::SocketAddr, path::Path};

use async_trait::async_trait;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder as Connections,
};
use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    path::S3Path,
    s3_error,
    service::S3ServiceBuilder,
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

/// A key that the server accepts, and the prefix of the objects that it may read.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The access key's name.
    pub id: &'static str,
    /// The access key's secret.
    pub secret: &'static str,
    /// Objects that it may read; empty: all.
    pub prefix: &'static str,
}

/// The key that may read everything.
pub const OWNER: Key = Key { id: "owner", secret: "owner-secret", prefix: "" };

/// A running server; it ends when it is dropped.
pub struct S3Server {
    address: SocketAddr,
    directory: TempDir,
    task: JoinHandle<()>,
}

impl S3Server {
    /// Starts a server that accepts [`OWNER`] and the given keys.
    pub async fn start(keys: &[Key]) -> Self {
        let directory = TempDir::new().unwrap();
        let mut auth = SimpleAuth::from_single(OWNER.id, OWNER.secret);
        let mut prefixes = HashMap::from([(OWNER.id, OWNER.prefix)]);
        for key in keys {
            auth.register(key.id.to_owned(), key.secret.into());
            prefixes.insert(key.id, key.prefix);
        }
        let mut builder = S3ServiceBuilder::new(FileSystem::new(directory.path()).unwrap());
        builder.set_auth(auth);
        builder.set_access(Prefixes(prefixes));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let connections = Connections::new(TokioExecutor::new());
                    // A client that hangs up in the middle is no fault of the server's.
                    let _ = connections.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, directory, task }
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object: `bucket/key`.
    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Where the buckets lie.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Each key's prefix.
struct Prefixes(HashMap<&'static str, &'static str>);

#[async_trait]
impl S3Access for Prefixes {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let key = context.credentials().map(|credentials| credentials.access_key.clone());
        let prefix = key.as_deref().and_then(|key| self.0.get(key));
        let allowed = match (prefix, context.s3_path()) {
            (None, _) => false,
            (Some(prefix), S3Path::Object { key, .. }) => key.starts_with(prefix),
            (Some(prefix), _) => {
                let query = context.uri().query().unwrap_or_default().replace("%2F", "/");
                prefix.is_empty() || query.contains(&format!("prefix={prefix}"))
            }
        };
        if allowed { Ok(()) } else { Err(s3_error!(AccessDenied, "this key may not read that")) }
    }
}
