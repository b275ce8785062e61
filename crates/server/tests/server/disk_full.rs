//! A full disk, by means of the cap on the database: authors are told, nothing acknowledged is lost, and it works again
//! once there is space.

use crate::support::{Running, beginning};
use serde_json::json;
use suda_protocol::v1::{Continuity, reply};
use suda_protocol::{Codec, ErrorCode};

use crate::support::{PASSWORD, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let database = running.data.path().join("data/suda.db");
    running.server.stop().await;

    // Ballast makes the file large; its removal is the space that returns.
    let other_program = rusqlite::Connection::open(&database).unwrap();
    other_program
        .execute_batch("CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast VALUES (zeroblob(4000000)); PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    let file_bytes = std::fs::metadata(&database).unwrap().len();
    let running = Running::over(running.data, |config| {
        config.limits.database_bytes_max = Some(file_bytes + 64 * 1024);
    })
    .await;

    let mut reader = running.chat(Codec::Json, &token).await;
    reader.open("lobby", beginning()).await;
    let mut writer = running.chat(Codec::Proto, &token).await;
    let text = "가".repeat(1_000);
    let mut acknowledged = 1;
    let refused = loop {
        match writer.call(post("lobby", &text)).await {
            reply::Result::Posted(posted) => {
                acknowledged += 1;
                assert_eq!(posted.seq, acknowledged);
            }
            reply::Result::Error(error) => break error,
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!(refused.code(), ErrorCode::StorageFull);
    assert!(refused.retryable);
    let sign_up = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다".repeat(16), "password": PASSWORD}),
        )
        .await;
    assert!(
        matches!(
            (sign_up.status, sign_up.error().as_str()),
            (201, _) | (507, "storage_full")
        ),
        "{sign_up:?}"
    );

    // Reading goes on, on this connection and on others, and so does the process.
    for seq in 1..=acknowledged {
        assert_eq!(reader.entry().await.seq, seq);
    }
    assert_eq!(running.get("/healthz", &[]).await.status, 200);
    let mut late = running.chat(Codec::Json, &token).await;
    assert_eq!(
        late.open("lobby", beginning()).await.continuity(),
        Continuity::Continues
    );

    other_program.execute_batch("DELETE FROM ballast").unwrap();
    assert_eq!(
        writer.post("lobby", "다시 됩니다").await.seq,
        acknowledged + 1
    );
    assert_eq!(reader.entry().await.seq, acknowledged + 1);

    let running = running.restart(|_| {}).await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    assert_eq!(
        chat.log("lobby", None).await.top.unwrap().seq,
        acknowledged + 1
    );
}
