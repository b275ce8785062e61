//! A `curl` command, as far as the document uses it.

use reqwest::{Client, Method};

/// Runs the command; the address in it is the document's and is replaced by the server's.
pub(crate) async fn run(command: &str, from: &str, to: &str) -> (u16, String) {
    let mut words = words(command).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"));
    let (mut method, mut url, mut body, mut headers) = (None, None, None, Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => method = words.next(),
            "--json" => body = words.next(),
            "-H" => headers.push(words.next().unwrap()),
            _ => url = Some(word.replace(from, to)),
        }
    }
    let method = method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Client::new().request(method, url.unwrap());
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request
            .header("Content-Type", "application/json")
            .body(body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The words of a shell command: parted by spaces, except within single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}
