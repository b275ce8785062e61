//! A server with its data folder, and accounts on it.

use super::{Answer, TempDir, request};
use serde_json::json;
use suda_server::{Config, Server};

pub const PASSWORD: &str = "열려라 참깨 1234";

pub struct Running {
    pub server: Server,
    pub data: TempDir,
}

impl Running {
    /// A new server on a free port.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, configured otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data = TempDir::new();
        let server = start(&data, change).await;
        Self { server, data }
    }

    /// Stops it and starts another one over the same data.
    pub async fn restart(self, change: impl FnOnce(&mut Config)) -> Self {
        self.server.stop().await;
        let server = start(&self.data, change).await;
        Self {
            server,
            data: self.data,
        }
    }

    pub async fn post(&self, path: &str, body: serde_json::Value) -> Answer {
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

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        request(self.server.local_addr(), "GET", path, headers, "").await
    }

    /// The first sign-up: makes the administrator and gives its token.
    pub async fn set_up(&self) -> String {
        let setup_token = self.server.setup_token().expect("no administrator yet");
        let body = json!({"name": "하늘", "password": PASSWORD, "setup_token": setup_token});
        token(self.post("/api/v1/sign-up", body).await)
    }

    pub async fn sign_up(&self, name: &str) -> String {
        let body = json!({"name": name, "password": PASSWORD});
        token(self.post("/api/v1/sign-up", body).await)
    }

    pub async fn sign_in(&self, name: &str) -> String {
        let body = json!({"name": name, "password": PASSWORD});
        token(self.post("/api/v1/sign-in", body).await)
    }

    pub async fn sign_out(&self, token: &str) -> Answer {
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
