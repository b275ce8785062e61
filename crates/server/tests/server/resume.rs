//! Coming back: all that was missed, or a plain word that it is not.

use crate::support::{Running, TempDir, beginning};
use suda_protocol::Codec;
use suda_protocol::v1::{self, Continuity};
use uuid::Uuid;

#[tokio::test]
async fn after_a_restart_the_stream_goes_on_behind_the_cursor() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    chat.open("lobby", beginning()).await;
    chat.post("lobby", "하나").await;
    chat.entry().await;
    let seen = chat.entry().await;
    chat.post("lobby", "둘").await;

    let running = running.restart(|_| {}).await;
    let mut chat = running.chat(Codec::Json, &token).await;
    let cursor = v1::Cursor {
        seq: seen.seq,
        id: seen.id,
    };
    let opened = chat.open("lobby", Some(cursor)).await;
    assert_eq!(opened.continuity(), Continuity::Continues);
    assert_eq!(opened.room.unwrap().top.unwrap().seq, 3);
    chat.post("lobby", "셋").await;
    assert_eq!(chat.text().await, "둘");
    assert_eq!(chat.text().await, "셋");
}

#[tokio::test]
async fn a_cursor_of_another_past_is_told_so() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    let other_id = v1::Cursor {
        seq: 1,
        id: Uuid::new_v4().to_string(),
    };
    assert_eq!(
        chat.open("lobby", Some(other_id.clone()))
            .await
            .continuity(),
        Continuity::OtherPast
    );
    assert!(!chat.log("lobby", Some(other_id)).await.continues);
    for seq in [2, u64::MAX] {
        let beyond = v1::Cursor {
            seq,
            id: Uuid::new_v4().to_string(),
        };
        assert_eq!(
            chat.open("lobby", Some(beyond)).await.continuity(),
            Continuity::OtherPast
        );
    }
}

#[tokio::test]
async fn without_a_cursor_only_what_is_new_comes() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    chat.post("lobby", "옛말").await;
    chat.open("lobby", None).await;
    chat.post("lobby", "새말").await;
    assert_eq!(chat.text().await, "새말");
}

#[tokio::test]
async fn a_long_gap_is_paged_until_the_stream_can_go_on() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut expected = vec![1_u64];
    // Several connections, since each may post only so fast.
    for _ in 0..4 {
        let mut writer = running.chat(Codec::Proto, &token).await;
        for _ in 0..150 {
            expected.push(writer.post("lobby", "또").await.seq);
        }
    }
    let mut chat = running.chat(Codec::Proto, &token).await;
    assert_eq!(
        chat.open("lobby", beginning()).await.continuity(),
        Continuity::Page
    );
    let mut cursor = v1::Cursor::default();
    let mut seqs = Vec::new();
    loop {
        let page = chat.log("lobby", Some(cursor.clone())).await;
        assert!(page.continues);
        let Some(last) = page.entries.last() else {
            break;
        };
        cursor = v1::Cursor {
            seq: last.seq,
            id: last.id.clone(),
        };
        seqs.extend(page.entries.iter().map(|entry| entry.seq));
    }
    assert_eq!(seqs, expected);
    assert_eq!(
        chat.open("lobby", Some(cursor)).await.continuity(),
        Continuity::Continues
    );
}

#[tokio::test]
async fn a_backup_made_while_running_is_a_whole_server_and_later_cursors_are_of_another_past() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    let kept = chat.post("lobby", "백업 전").await;

    let restored = TempDir::new();
    let data = restored.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let database = running.data.path().join("data/suda.db");
    rusqlite::Connection::open(database)
        .unwrap()
        .execute("VACUUM INTO ?1", [data.join("suda.db").to_str().unwrap()])
        .unwrap();
    let lost = chat.post("lobby", "백업 후").await;
    running.server.stop().await;

    let running = Running::over(restored, |_| {}).await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    let cursor = |posted: &v1::Posted| {
        Some(v1::Cursor {
            seq: posted.seq,
            id: posted.id.clone(),
        })
    };
    assert_eq!(
        chat.open("lobby", cursor(&lost)).await.continuity(),
        Continuity::OtherPast
    );
    chat.post("lobby", "다른 미래").await;
    assert_eq!(
        chat.open("lobby", cursor(&lost)).await.continuity(),
        Continuity::OtherPast
    );
    assert_eq!(
        chat.open("lobby", cursor(&kept)).await.continuity(),
        Continuity::Continues
    );
    assert_eq!(chat.text().await, "다른 미래");
}
