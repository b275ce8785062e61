//! A server with its data folder, and accounts on it.

use super::{Answer, Chat, TempDir, request};
use serde_json::json;
use suda_protocol::Codec;
use suda_server::{Config, Server};

pub(crate) const PASSWORD: &str = "열려라 참깨 1234";

pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) data: TempDir,
}

impl Running {
    /// A new server on a free port.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, configured otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data = TempDir::new();
        let server = start(&data, change).await;
        Self { server, data }
    }

    /// A server over data that is there already.
    pub(crate) async fn over(data: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let server = start(&data, change).await;
        Self { server, data }
    }

    /// Stops it and starts another one over the same data.
    pub(crate) async fn restart(self, change: impl FnOnce(&mut Config)) -> Self {
        self.server.stop().await;
        let server = start(&self.data, change).await;
        Self {
            server,
            data: self.data,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: serde_json::Value) -> Answer {
        let headers = [("Content-Type", "application/json")];
        request(
            self.server.local_addr(),
            "POST",
            path,
            &headers,
            &body.to_string(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        request(self.server.local_addr(), "GET", path, headers, "").await
    }

    /// The first sign-up: makes the administrator and gives its token.
    pub(crate) async fn set_up(&self) -> String {
        let setup_token = self.server.setup_token().expect("no administrator yet");
        let body = json!({"name": "하늘", "password": PASSWORD, "setup_token": setup_token});
        token(self.post("/api/v1/sign-up", body).await)
    }

    pub(crate) async fn sign_up(&self, name: &str) -> String {
        let body = json!({"name": name, "password": PASSWORD});
        token(self.post("/api/v1/sign-up", body).await)
    }

    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let body = json!({"name": name, "password": PASSWORD});
        token(self.post("/api/v1/sign-in", body).await)
    }

    pub(crate) async fn chat(&self, codec: Codec, token: &str) -> Chat {
        Chat::connect(self.server.local_addr(), codec, token).await
    }

    pub(crate) async fn sign_out(&self, token: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("Authorization", authorization.as_str())];
        request(
            self.server.local_addr(),
            "POST",
            "/api/v1/sign-out",
            &headers,
            "",
        )
        .await
    }
}

async fn start(data: &TempDir, change: impl FnOnce(&mut Config)) -> Server {
    let mut config = Config::new(data.path().join("data"));
    config.listen.set_port(0);
    config.workers = 2;
    change(&mut config);
    Server::start(config).await.expect("the server starts")
}

fn token(answer: Answer) -> String {
    answer.json()["token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token in {answer:?}"))
        .to_owned()
}
