//! Starting: each thing that can be in the way gets its own sentence.

use crate::support::{Running, TempDir};
use std::os::unix::fs::PermissionsExt;
use suda_server::{Config, Server, StartError};

fn config(data: &TempDir) -> Config {
    let mut config = Config::new(data.path().join("data"));
    config.listen.set_port(0);
    config
}

#[tokio::test]
async fn the_data_folder_is_made_for_its_owner_alone() {
    let running = Running::new().await;
    let data = running.data.path().join("data");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn folders_above_the_data_folder_are_made_too() {
    let data = TempDir::new();
    let mut config = config(&data);
    config.data_dir = data.path().join("one/two/data");
    let server = Server::start(config).await.unwrap();
    assert!(data.path().join("one/two/data/suda.db").is_file());
    server.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let running = Running::new().await;
    let data = TempDir::new();
    let mut config = config(&data);
    config.listen = running.server.local_addr();
    let error = Server::start(config).await.unwrap_err();
    assert!(
        matches!(error, StartError::AddressInUse { .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains(&running.server.local_addr().to_string())
    );
    assert!(!data.path().join("data").exists());
}

#[tokio::test]
async fn one_data_folder_is_for_one_server() {
    let running = Running::new().await;
    let second = Server::start(config(&running.data)).await.unwrap_err();
    assert!(
        matches!(second, StartError::DataFolderLocked { .. }),
        "{second:?}"
    );
    running.server.stop().await;
    let third = Server::start(config(&running.data)).await;
    assert!(third.is_ok(), "{third:?}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_named() {
    let data = TempDir::new();
    // A file stands where the folder should be: refused for every user, the superuser too.
    std::fs::write(data.path().join("data"), "").unwrap();
    let error = Server::start(config(&data)).await.unwrap_err();
    assert!(matches!(error, StartError::DataFolder { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&data.path().display().to_string())
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let running = Running::new().await;
    let database = running.data.path().join("data/suda.db");
    running.server.stop().await;
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .pragma_update(None, "user_version", 9_999)
        .unwrap();
    drop(connection);
    let before = std::fs::read(&database).unwrap();
    let error = Server::start(config(&running.data)).await.unwrap_err();
    assert!(
        matches!(error, StartError::DatabaseTooNew { found: 9_999, .. }),
        "{error:?}"
    );
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[tokio::test]
async fn a_database_from_before_the_first_release_is_left_alone() {
    let data = TempDir::new();
    std::fs::create_dir(data.path().join("data")).unwrap();
    let database = data.path().join("data/suda.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .execute_batch("CREATE TABLE messages (id); PRAGMA user_version = 1;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&database).unwrap();
    let error = Server::start(config(&data)).await.unwrap_err();
    assert!(
        matches!(error, StartError::DatabaseUnreleased { .. }),
        "{error:?}"
    );
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let data = TempDir::new();
    std::fs::create_dir(data.path().join("data")).unwrap();
    std::fs::write(
        data.path().join("data/suda.db"),
        "no database at all, but long enough".repeat(100),
    )
    .unwrap();
    let error = Server::start(config(&data)).await.unwrap_err();
    assert!(matches!(error, StartError::Database { .. }), "{error:?}");
}

#[tokio::test]
async fn a_public_url_must_be_one() {
    let data = TempDir::new();
    for url in ["chat.example.org", "ftp://chat.example.org"] {
        let mut config = config(&data);
        config.public_url = Some(url.into());
        let error = Server::start(config).await.unwrap_err();
        assert!(
            matches!(
                error,
                StartError::Setting {
                    setting: "public_url",
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_setting_that_cannot_work_is_named() {
    let data = TempDir::new();
    let mut config = config(&data);
    config.limits.heartbeat = std::time::Duration::ZERO;
    let error = Server::start(config).await.unwrap_err();
    assert!(
        matches!(
            error,
            StartError::Setting {
                setting: "heartbeat",
                ..
            }
        ),
        "{error:?}"
    );
}
