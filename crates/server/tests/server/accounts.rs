//! Accounts over HTTP: setting up, signing up, in and out, and every way in which they are refused.

use crate::support::{PASSWORD, Running, request};
use serde_json::json;
use suda_server::SignUp;

#[tokio::test]
async fn the_setup_token_makes_the_first_administrator_and_nobody_else() {
    let running = Running::new().await;
    let setup_token = running.server.setup_token().unwrap();

    let early = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        (early.status, early.error()),
        (403, "wrong_setup_token".into())
    );
    let wrong = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다", "password": PASSWORD, "setup_token": "wrong"}),
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.error()),
        (403, "wrong_setup_token".into())
    );

    let first = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "하늘", "password": PASSWORD, "setup_token": setup_token}),
        )
        .await;
    assert_eq!(first.status, 201);
    assert_eq!(first.json()["user"]["name"], "하늘");
    assert_eq!(first.json()["user"]["administrator"], true);

    assert_eq!(running.server.setup_token(), None);
    let again = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다", "password": PASSWORD, "setup_token": setup_token}),
        )
        .await;
    assert_eq!(
        (again.status, again.error()),
        (403, "wrong_setup_token".into())
    );
    let other = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다", "password": PASSWORD}),
        )
        .await;
    assert_eq!(other.status, 201);
    assert_eq!(other.json()["user"]["administrator"], false);
}

#[tokio::test]
async fn two_who_hold_the_setup_link_do_not_both_become_administrator() {
    let running = Running::new().await;
    let setup_token = running.server.setup_token().unwrap();
    let attempt = |name: &'static str| {
        let body = json!({"name": name, "password": PASSWORD, "setup_token": setup_token});
        running.post("/api/v1/sign-up", body)
    };
    let (one, other) = tokio::join!(attempt("하늘"), attempt("바다"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
}

#[tokio::test]
async fn a_setup_token_lives_as_long_as_its_start_and_there_is_none_with_an_administrator() {
    let running = Running::new().await;
    let first = running.server.setup_token();
    let running = running.restart(|_| {}).await;
    let second = running.server.setup_token();
    assert!(first.is_some() && second.is_some() && first != second);
    running.set_up().await;
    let running = running.restart(|_| {}).await;
    assert_eq!(running.server.setup_token(), None);
    running.sign_in("하늘").await;
}

#[tokio::test]
async fn a_token_says_who_one_is_until_it_is_signed_out() {
    let running = Running::new().await;
    let first = running.set_up().await;
    let second = running.sign_in("하늘").await;
    assert_ne!(first, second);

    let authorization = format!("Bearer {second}");
    let me = running
        .get("/api/v1/me", &[("Authorization", &authorization)])
        .await;
    assert_eq!((me.status, &me.json()["name"]), (200, &json!("하늘")));

    assert_eq!(running.sign_out(&second).await.status, 204);
    let me = running
        .get("/api/v1/me", &[("Authorization", &authorization)])
        .await;
    assert_eq!((me.status, me.error()), (401, "unauthenticated".into()));
    assert_eq!(running.sign_out(&second).await.status, 401);

    let authorization = format!("Bearer {first}");
    let other_device = running
        .get("/api/v1/me", &[("Authorization", &authorization)])
        .await;
    assert_eq!(other_device.status, 200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let running = Running::new().await;
    running.set_up().await;
    let wrong = running
        .post(
            "/api/v1/sign-in",
            json!({"name": "하늘", "password": "열려라 들깨 1234"}),
        )
        .await;
    let unknown = running
        .post(
            "/api/v1/sign-in",
            json!({"name": "없는 사람", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.error()),
        (401, "wrong_password".into())
    );
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.status, unknown.status);
}

#[tokio::test]
async fn guessing_is_slowed_down_for_the_name_that_is_guessed_at() {
    let running = Running::new().await;
    running.set_up().await;
    running.sign_up("바다").await;
    let guess = json!({"name": "하늘", "password": "wrong password"});
    let mut last = running.post("/api/v1/sign-in", guess.clone()).await;
    for _ in 0..20 {
        if last.status != 401 {
            break;
        }
        last = running.post("/api/v1/sign-in", guess.clone()).await;
    }
    assert_eq!((last.status, last.error()), (429, "rate_limited".into()));
    assert!(last.header("retry-after").is_some());
    running.sign_in("바다").await;
}

#[tokio::test]
async fn names_and_passwords_have_rules() {
    let running = Running::new().await;
    running.set_up().await;
    let sign_up = |name: &str, password: &str| {
        let body = json!({"name": name, "password": password});
        let running = &running;
        async move {
            let answer = running.post("/api/v1/sign-up", body).await;
            (answer.status, answer.error())
        }
    };
    assert_eq!(sign_up("  ", PASSWORD).await, (400, "invalid_name".into()));
    assert_eq!(
        sign_up(&"가".repeat(100), PASSWORD).await,
        (400, "invalid_name".into())
    );
    assert_eq!(sign_up("바다", "짧다").await, (400, "weak_password".into()));
    assert_eq!(
        sign_up("바다", &"가".repeat(2_000)).await,
        (400, "weak_password".into())
    );
    // The same name, once decomposed.
    assert_eq!(
        sign_up("\u{1112}\u{1161}\u{1102}\u{1173}\u{11af}", PASSWORD).await,
        (409, "name_taken".into())
    );
}

#[tokio::test]
async fn closed_sign_up_takes_nobody_but_the_administrator() {
    let running = Running::with(|config| config.sign_up = SignUp::Closed).await;
    running.set_up().await;
    let refused = running
        .post(
            "/api/v1/sign-up",
            json!({"name": "바다", "password": PASSWORD}),
        )
        .await;
    assert_eq!(
        (refused.status, refused.error()),
        (403, "sign_up_closed".into())
    );
}

#[tokio::test]
async fn bad_requests_get_one_clear_error_each() {
    let running = Running::new().await;
    let to = running.server.local_addr();
    let json = [("Content-Type", "application/json")];
    let broken = request(to, "POST", "/api/v1/sign-in", &json, "{").await;
    assert_eq!((broken.status, broken.error()), (400, "malformed".into()));
    let secret = request(
        to,
        "POST",
        "/api/v1/sign-in",
        &json,
        r#"{"name": 1, "password": "hunter2"}"#,
    )
    .await;
    assert_eq!(secret.status, 422);
    assert!(!secret.body.contains("hunter2"));
    let no_type = request(to, "POST", "/api/v1/sign-in", &[], "{}").await;
    assert_eq!(no_type.status, 415);
    let large = request(to, "POST", "/api/v1/sign-in", &json, &" ".repeat(20_000)).await;
    assert_eq!(large.status, 413);
    let method = request(to, "DELETE", "/api/v1/sign-in", &[], "").await;
    assert_eq!((method.status, method.error()), (405, "malformed".into()));
    let path = request(to, "GET", "/no/such/path", &[], "").await;
    assert_eq!((path.status, path.error()), (404, "malformed".into()));
    let no_token = request(to, "GET", "/api/v1/me", &[], "").await;
    assert_eq!(
        (no_token.status, no_token.error()),
        (401, "unauthenticated".into())
    );
    assert_eq!(running.get("/healthz", &[]).await.status, 200);
}
