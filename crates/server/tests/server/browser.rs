//! The session as a browser has it: a cookie, and an `Origin` on everything that changes something. And the pages.

use crate::support::{Answer, Chat, PASSWORD, Running, request};
use serde_json::json;
use suda_protocol::{CloseCode, Codec};

const EVIL: &str = "https://evil.example";

async fn post(running: &Running, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend(headers);
    request(running.server.local_addr(), "POST", path, &all, body).await
}

fn origin(running: &Running) -> String {
    format!("http://{}", running.server.local_addr())
}

/// Signs up as the first person, as our page does; gives the cookie.
async fn set_up(running: &Running) -> String {
    let setup_token = running.server.setup_token().expect("no administrator yet");
    let body =
        json!({"name": "하늘", "password": PASSWORD, "setup_token": setup_token, "cookie": true});
    let headers = [("Origin", origin(running))];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    cookie(&post(running, "/api/v1/sign-up", &headers, &body.to_string()).await)
}

/// `name=value` of the cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    let set = answer
        .header("set-cookie")
        .unwrap_or_else(|| panic!("no cookie in {answer:?}"));
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cookie_session_tells_no_token_and_opens_the_chat() {
    let running = Running::new().await;
    let cookie = set_up(&running).await;
    let body = json!({"name": "하늘", "password": PASSWORD, "cookie": true}).to_string();
    let origin = origin(&running);
    let signed_in = post(&running, "/api/v1/sign-in", &[("Origin", &origin)], &body).await;
    assert_eq!(signed_in.status, 200);
    assert!(signed_in.json()["token"].is_null());
    assert_eq!(signed_in.json()["user"]["name"], "하늘");
    let set = signed_in.header("set-cookie").unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("Secure"));

    let me = running.get("/api/v1/me", &[("Cookie", &cookie)]).await;
    assert_eq!((me.status, me.json()["name"].as_str()), (200, Some("하늘")));
    let page = [("Cookie", cookie.as_str()), ("Origin", origin.as_str())];
    let mut chat = Chat::dial_with_headers(running.server.local_addr(), Codec::Proto, &page).await;
    assert_eq!(chat.hello("").await.user.unwrap().name, "하늘");
}

#[tokio::test]
async fn nothing_is_done_for_a_page_of_another_origin() {
    let running = Running::new().await;
    let cookie = set_up(&running).await;
    let body = json!({"name": "하늘", "password": PASSWORD, "cookie": true}).to_string();
    for origin in [None, Some(EVIL), Some("null")] {
        let origin: Vec<_> = origin
            .map(|origin| ("Origin", origin))
            .into_iter()
            .collect();
        let mut with_cookie = origin.clone();
        with_cookie.push(("Cookie", &cookie));
        for (path, headers, body) in [
            ("/api/v1/sign-in", &origin, body.as_str()),
            ("/api/v1/sign-up", &origin, body.as_str()),
            ("/api/v1/sign-out", &with_cookie, ""),
        ] {
            let answer = post(&running, path, headers, body).await;
            assert_eq!(
                (answer.status, answer.error()),
                (403, "forbidden".into()),
                "{path} {origin:?}"
            );
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    assert_eq!(
        running
            .get("/api/v1/me", &[("Cookie", &cookie)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_and_closes_the_sockets() {
    let running = Running::new().await;
    let cookie = set_up(&running).await;
    let origin = origin(&running);
    let page = [("Cookie", cookie.as_str()), ("Origin", origin.as_str())];
    let mut tab = Chat::dial_with_headers(running.server.local_addr(), Codec::Json, &page).await;
    tab.hello("").await;
    let answer = post(&running, "/api/v1/sign-out", &page, "").await;
    assert_eq!(answer.status, 204);
    assert!(
        answer
            .header("set-cookie")
            .unwrap()
            .starts_with("suda=; Path=/; Max-Age=0")
    );
    assert_eq!(tab.closed().await, CloseCode::SignedOut.number());
    assert_eq!(
        running
            .get("/api/v1/me", &[("Cookie", &cookie)])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn behind_https_the_cookie_goes_over_nothing_else() {
    let url = "https://chat.example.org";
    let running = Running::with(|config| config.public_url = Some(url.into())).await;
    running.set_up().await;
    let body = json!({"name": "하늘", "password": PASSWORD, "cookie": true}).to_string();
    let answer = post(&running, "/api/v1/sign-in", &[("Origin", url)], &body).await;
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-suda=") && set.ends_with("; Secure"));
}

#[tokio::test]
async fn the_pages_load_nothing_from_elsewhere() {
    let running = Running::new().await;
    for path in ["/", "/setup"] {
        let page = running.get(path, &[]).await;
        assert_eq!(page.status, 200);
        assert!(
            page.header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!page.body.contains("http://") && !page.body.contains("https://"));
    }
}
