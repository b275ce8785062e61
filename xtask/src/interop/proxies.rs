//! Reverse proxies between the client and our server, set up as their manuals say.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::{Server, ensure_program, free_port, write};
use crate::process::Running;

pub(super) const NAMES: [&str; 2] = ["nginx", "haproxy"];
const START_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Starts the proxy in front of the server at `address`.
pub(super) fn start(name: &str, folder: &Path, address: &str) -> Result<Server> {
    ensure_program(name, &[if name == "nginx" { "nginx-light" } else { name }])?;
    let folder = folder.join(name);
    fs::create_dir_all(&folder)?;
    let port = free_port()?;
    let config = folder.join("config");
    let command = if name == "nginx" {
        write(&config, &nginx(&folder, port, address))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&config);
        // Until it has read its configuration, it writes to a log of the system's.
        command.arg("-e").arg(folder.join("error.log"));
        command
    } else {
        write(&config, &haproxy(port, address))?;
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&config);
        command
    };
    start_and_wait(command, &folder, port)
}

fn start_and_wait(mut command: Command, folder: &Path, port: u16) -> Result<Server> {
    let log = folder.join("log");
    let out = fs::File::create(&log)?;
    command
        // Programs like these live where only root looks.
        .env("PATH", path_with_sbin())
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out);
    let mut process = Running::start(&mut command)?;
    let address = format!("127.0.0.1:{port}");
    let start = Instant::now();
    while TcpStream::connect(&address).is_err() {
        if process.has_ended()? || start.elapsed() > START_MAX {
            bail!("it did not start: {}", fs::read_to_string(&log)?);
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(Server {
        _process: process,
        address,
    })
}

fn path_with_sbin() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

fn nginx(folder: &Path, port: u16, address: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{address};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"
    )
}

fn haproxy(port: u16, address: &str) -> String {
    format!(
        "defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 1h
frontend web
    bind 127.0.0.1:{port}
    default_backend websockets
backend websockets
    server one {address}
"
    )
}
