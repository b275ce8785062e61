//! What the operator asks of the server: from flags, the environment, a file, and the defaults, in this order of strength.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Deserialize;
use suda_server::{Config, SignUp};

use super::file::File;
use crate::exit::Failure;

/// Where the data goes if nobody says: below the folder that the server is started in.
const DATA_DEFAULT: &str = "data";

/// Run the chat server.
///
/// Each setting can also stand in the environment or, under its long name with _ for -, in the configuration file.
/// A flag is stronger than the environment, which is stronger than the file.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Where to listen [default: 127.0.0.1:7300; 0.0.0.0:$PORT where only PORT is set]
    #[arg(long, value_name = "ADDR:PORT", env = "SUDA_LISTEN")]
    pub(super) listen: Option<SocketAddr>,
    /// The folder that holds everything; made where it is missing [default: data]
    #[arg(long, value_name = "DIR", env = "SUDA_DATA")]
    pub(super) data: Option<PathBuf>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE", env = "SUDA_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// The address that people reach the server under, if a proxy stands before it: https://chat.example.org
    #[arg(long, value_name = "URL", env = "SUDA_PUBLIC_URL")]
    pub(super) public_url: Option<String>,
    /// A proxy whose X-Forwarded-For is believed; may be given several times (trusted_proxies in the file)
    #[arg(
        long = "trusted-proxy",
        value_name = "IP",
        env = "SUDA_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    pub(super) trusted_proxies: Vec<IpAddr>,
    /// Threads for chat connections [default: one for each core]
    #[arg(long, value_name = "COUNT", env = "SUDA_WORKERS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
    /// Who may make an account once there is an administrator [default: open]
    #[arg(long, env = "SUDA_SIGN_UP")]
    pub(super) sign_up: Option<SignUpChoice>,
    /// Whether long messages are compressed for clients that can read them so [default: on]
    #[arg(long, env = "SUDA_COMPRESSION")]
    pub(super) compression: Option<Switch>,
    /// How large the database may become, in bytes; over that, posts are refused [default: as large as the disk allows]
    #[arg(long, value_name = "BYTES", env = "SUDA_DATABASE_BYTES_MAX")]
    pub(super) database_bytes_max: Option<u64>,
    /// How the log on stderr is written [default: text]
    #[arg(long, env = "SUDA_LOG")]
    pub(super) log: Option<LogFormat>,
    /// What is logged, as level or target=level, separated by commas [default: info]
    #[arg(long, value_name = "FILTER", env = "SUDA_LOG_FILTER")]
    pub(super) log_filter: Option<String>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignUpChoice {
    /// Everybody who can reach the server.
    Open,
    /// Nobody.
    Closed,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// All that `suda serve` needs to know.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) server: Config,
    pub(super) log: LogFormat,
    pub(super) log_filter: String,
}

impl Settings {
    /// Brings the sources together. `port` is the variable `PORT`, by which hosting platforms say where they send traffic.
    pub(super) fn gather(args: Args, port: Option<&str>) -> Result<Settings, Failure> {
        let file = match &args.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        let data = args
            .data
            .or(file.data)
            .unwrap_or_else(|| DATA_DEFAULT.into());
        let mut server = Config::new(data);
        let listen = match (args.listen, port.filter(|port| !port.is_empty())) {
            (Some(listen), _) => Some(listen),
            (None, Some(port)) => Some(any_address(port)?),
            (None, None) => file.listen,
        };
        if let Some(listen) = listen {
            server.listen = listen;
        }
        server.public_url = args.public_url.or(file.public_url);
        server.trusted_proxies = if args.trusted_proxies.is_empty() {
            file.trusted_proxies
        } else {
            args.trusted_proxies
        };
        if let Some(workers) = args.workers.or(file.workers.map(Into::into)) {
            server.workers = workers.into();
        }
        if let Some(sign_up) = args.sign_up.or(file.sign_up) {
            server.sign_up = match sign_up {
                SignUpChoice::Open => SignUp::Open,
                SignUpChoice::Closed => SignUp::Closed,
            };
        }
        if let Some(compression) = args.compression.or(file.compression) {
            server.compression = compression == Switch::On;
        }
        server.limits.database_bytes_max = args.database_bytes_max.or(file.database_bytes_max);
        Ok(Settings {
            server,
            log: args.log.or(file.log).unwrap_or_default(),
            log_filter: args
                .log_filter
                .or(file.log_filter)
                .unwrap_or_else(|| "info".into()),
        })
    }
}

fn any_address(port: &str) -> Result<SocketAddr, Failure> {
    let port: u16 = port.parse().map_err(|_| {
        Failure::usage(format!(
            "the variable PORT is {port:?}, which is no port: a number from 0 to 65535 is meant"
        ))
    })?;
    Ok((Ipv4Addr::UNSPECIFIED, port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Args {
        let path = std::env::temp_dir().join(format!("suda-{}.toml", uuid::Uuid::new_v4()));
        std::fs::write(&path, text).unwrap();
        Args {
            config: Some(path),
            ..Args::default()
        }
    }

    fn listen(args: Args, port: Option<&str>) -> String {
        let settings = Settings::gather(args, port).unwrap();
        settings.server.listen.to_string()
    }

    #[test]
    fn a_flag_beats_port_and_port_beats_the_file() {
        let text = "listen = \"127.0.0.1:3\"";
        assert_eq!(listen(file(text), None), "127.0.0.1:3");
        assert_eq!(listen(file(text), Some("")), "127.0.0.1:3");
        assert_eq!(listen(file(text), Some("2")), "0.0.0.0:2");
        let flag = Args {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            ..file(text)
        };
        assert_eq!(listen(flag, Some("2")), "127.0.0.1:1");
        assert_eq!(listen(Args::default(), None), "127.0.0.1:7300");
    }

    #[test]
    fn a_port_that_is_none_is_said() {
        let failure = Settings::gather(Args::default(), Some("http")).unwrap_err();
        assert!(failure.to_string().contains("PORT"));
    }

    #[test]
    fn every_setting_can_stand_in_the_file() {
        let settings = Settings::gather(
            file(
                r#"
                listen = "0.0.0.0:80"
                data = "/srv/suda"
                public_url = "https://chat.example.org"
                trusted_proxies = ["10.0.0.1", "::1"]
                workers = 3
                sign_up = "closed"
                compression = "off"
                database_bytes_max = 1000000
                log = "json"
                log_filter = "debug"
                "#,
            ),
            None,
        )
        .unwrap();
        assert_eq!(settings.server.listen.to_string(), "0.0.0.0:80");
        assert_eq!(settings.server.data_dir, PathBuf::from("/srv/suda"));
        assert_eq!(
            settings.server.public_url.as_deref(),
            Some("https://chat.example.org")
        );
        assert_eq!(settings.server.trusted_proxies.len(), 2);
        assert_eq!(settings.server.workers, 3);
        assert_eq!(settings.server.sign_up, SignUp::Closed);
        assert!(!settings.server.compression);
        assert_eq!(settings.server.limits.database_bytes_max, Some(1_000_000));
        assert_eq!(settings.log, LogFormat::Json);
        assert_eq!(settings.log_filter, "debug");
    }
}
