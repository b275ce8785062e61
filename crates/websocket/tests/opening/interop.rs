//! The opening handshake with another implementation on the other side.

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use suda_websocket::{Dialer, Message, Upgrader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::servers::{WAYS, serve};

#[tokio::test]
async fn another_client_connects_over_every_way_in() {
    for way in WAYS {
        let address = serve(way, Upgrader::new().subprotocols(["chat.v1"])).await;
        let mut request = format!("ws://{address}/chat")
            .into_client_request()
            .unwrap();
        let offer = HeaderValue::from_static("chat.v2, chat.v1");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut theirs, response) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        assert_eq!(
            response.headers()[SEC_WEBSOCKET_PROTOCOL],
            "chat.v1",
            "{way:?}"
        );
        theirs.send("수다".into()).await.unwrap();
        let echoed = theirs.next().await.unwrap().unwrap();
        assert_eq!(echoed.to_text().unwrap(), "수다", "{way:?}");
    }
}

#[tokio::test]
async fn the_dialer_connects_to_another_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[allow(clippy::result_large_err)]
        let choose =
            |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                assert_eq!(request.headers()[SEC_WEBSOCKET_PROTOCOL], "chat.v1");
                let chosen = HeaderValue::from_static("chat.v1");
                response
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_PROTOCOL, chosen);
                Ok(response)
            };
        let mut theirs = tokio_tungstenite::accept_hdr_async(stream, choose)
            .await
            .unwrap();
        while let Some(Ok(message)) = theirs.next().await {
            if theirs.send(message).await.is_err() {
                break;
            }
        }
    });
    let dialer = Dialer::new().subprotocols(["chat.v1"]);
    let (mut ours, _) = dialer.dial(&format!("ws://{address}/")).await.unwrap();
    assert_eq!(ours.subprotocol(), Some("chat.v1"));
    ours.write_message("수다").await.unwrap();
    assert_eq!(ours.read_message().await.unwrap(), Message::text("수다"));
}
