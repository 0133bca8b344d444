//! TLS to a PostgreSQL that insists on it: encrypted only to a server that proves its name, and never silently in the clear.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on has to fail")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use domain::{StoreHealth, TimeSource, Unready};
use postgres_adapter::{MigrateError, PgSettings, PgStore, migrate};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use throwaway_postgres::Cluster;

/// The name in the server's certificate.
const NAME: &str = "db.rowlock.example";

/// A server that takes connections by TLS only, and the certificate of those who signed its own.
struct World {
    cluster: Cluster,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        tokio::task::spawn_blocking(|| {
            let cluster = Cluster::start().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let (ca, certificate, key) = certificates();
            fs::write(folder.path().join("ca.pem"), ca).unwrap();
            let data = cluster.data_directory();
            put(&data, "server.crt", &certificate);
            put(&data, "server.key", &key);
            put(&data, "pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
            cluster.psql("postgres", "ALTER SYSTEM SET ssl = on").unwrap();
            cluster.stop();
            cluster.start_again().unwrap();
            Self { cluster, folder }
        })
        .await
        .unwrap()
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// How to reach it by this name, wherever the name leads elsewhere.
    fn settings(&self, name: &str, mode: &str, ca_file: Option<PathBuf>) -> PgSettings {
        let port = self.cluster.port();
        let url = format!("postgres://postgres@{name}:{port}/postgres?hostaddr=127.0.0.1&sslmode={mode}");
        PgSettings { ca_file, ..PgSettings::new(url) }
    }
}

/// An authority's certificate, and a certificate for [`NAME`] that it has signed, with its key.
fn certificates() -> (String, String, String) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "an authority nobody else knows");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([NAME.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    (ca, certificate.pem(), key.serialize_pem())
}

/// Writes a file as the user whom the data directory belongs to.
fn put(data: &Path, name: &str, text: &str) {
    let file = data.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(data).unwrap();
    chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// Why neither a migration nor a store can reach the database.
async fn refusal(settings: &PgSettings) -> String {
    let Err(MigrateError::Unreachable(text)) = migrate(settings).await else { panic!("a migration got through") };
    let store = PgStore::new(settings, TimeSource::Store).unwrap();
    assert!(matches!(store.health().ready().await, Err(Unready::Unreachable(_))), "a store got through");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_believed_that_has_a_trusted_certificate_for_its_name_and_no_other() {
    let world = World::new().await;

    for mode in ["require", "verify-ca", "verify-full"] {
        let settings = world.settings(NAME, mode, Some(world.ca_file()));
        migrate(&settings).await.unwrap();
        let store = PgStore::new(&settings, TimeSource::Store).unwrap();
        store.health().ready().await.unwrap();
        let encrypted = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                         WHERE application_name = 'rowlock'";
        assert_eq!(world.cluster.psql("postgres", encrypted).unwrap(), "t", "{mode}");
    }

    for mode in ["require", "prefer"] {
        let text = refusal(&world.settings(NAME, mode, None)).await;
        assert!(text.contains("UnknownIssuer"), "{mode}: {text}");
        let text = refusal(&world.settings("elsewhere.example", mode, Some(world.ca_file()))).await;
        assert!(text.contains("not valid for name"), "{mode}: {text}");
    }

    let text = refusal(&world.settings(NAME, "disable", Some(world.ca_file()))).await;
    assert!(text.contains("no encryption"), "{text}");
}
