//! Accounts, and what their errors say.

use suda_client::account::{self, AccountError};
use suda_client::{Event, OfflineReason};
use suda_protocol::{Codec, ErrorCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{PASSWORD, Running, address, connect, wait_for};

async fn refusal<T>(asking: impl Future<Output = Result<T, AccountError>>) -> ErrorCode {
    match asking.await {
        Err(AccountError::Refused(error)) => error.code(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn an_account_is_made_signed_in_and_signed_out() {
    let mut running = Running::start().await;
    let server = running.address();
    assert_eq!(
        refusal(account::sign_up(&server, "하늘", PASSWORD, Some("wrong"))).await,
        ErrorCode::WrongSetupToken
    );
    let haneul = running.set_up().await;
    assert!(haneul.user.administrator);
    assert_eq!(
        refusal(account::sign_in(&server, "하늘", "틀린 비밀번호")).await,
        ErrorCode::WrongPassword
    );
    let again = account::sign_in(&server, "하늘", PASSWORD).await.unwrap();
    assert_eq!(
        account::me(&server, &again.token).await.unwrap(),
        haneul.user
    );
    assert!(
        !format!("{again:?}").contains(&again.token),
        "no log shows a token"
    );

    let (client, mut events) = connect(running.address(), &again, Codec::Proto);
    wait_for(&mut events, |event| {
        matches!(event, Event::Online { .. }).then_some(())
    })
    .await;
    account::sign_out(&server, &again.token).await.unwrap();
    wait_for(&mut events, |event| {
        matches!(event, Event::SignedOut { .. }).then_some(())
    })
    .await;
    assert!(client.post("lobby", "아직 있나요?").await.is_err());
    assert_eq!(
        refusal(account::me(&server, &again.token)).await,
        ErrorCode::Unauthenticated
    );

    // Who was signed out while away learns it when coming back.
    let (_client, mut events) = connect(running.address(), &again, Codec::Json);
    wait_for(&mut events, |event| {
        matches!(event, Event::SignedOut { .. }).then_some(())
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let error = account::sign_in(&address(port), "하늘", PASSWORD)
        .await
        .unwrap_err();
    assert!(matches!(error, AccountError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");

    let nobody = account::Account {
        token: "x".into(),
        user: Default::default(),
    };
    let (_client, mut events) = connect(address(port), &nobody, Codec::Proto);
    let reason = |event| match event {
        Event::Offline { reason, .. } => Some(reason),
        _ => None,
    };
    let reason = wait_for(&mut events, reason).await;
    assert!(
        matches!(&reason, OfflineReason::Unreachable { message } if !message.is_empty()),
        "{reason}"
    );
}

#[tokio::test]
async fn something_else_at_the_address_is_not_taken_for_the_chat() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        let page = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        stream.write_all(page.as_bytes()).await.unwrap();
    });
    let error = account::sign_in(&address(port), "하늘", PASSWORD)
        .await
        .unwrap_err();
    assert!(
        matches!(error, AccountError::NotSuda { status: 200, .. }),
        "{error}"
    );
}
