//! The table for those who come from gorilla/websocket: no empty cell, no name left out, no test named that is not there.
#![allow(clippy::unwrap_used)]

use std::{collections::HashSet, fs, path::Path};

const TABLE: &str = include_str!("../docs/coming-from-gorilla.md");

/// What gorilla/websocket 1.5.3 exports.
const EXPORTED: &str = "
    BinaryMessage BufferPool BufferPool.Get BufferPool.Put CloseAbnormalClosure CloseError CloseError.Code
    CloseError.Error CloseError.Text CloseGoingAway CloseInternalServerErr CloseInvalidFramePayloadData
    CloseMandatoryExtension CloseMessage CloseMessageTooBig CloseNoStatusReceived CloseNormalClosure
    ClosePolicyViolation CloseProtocolError CloseServiceRestart CloseTLSHandshake CloseTryAgainLater
    CloseUnsupportedData Conn Conn.Close Conn.CloseHandler Conn.EnableWriteCompression Conn.LocalAddr Conn.NetConn
    Conn.NextReader Conn.NextWriter Conn.PingHandler Conn.PongHandler Conn.ReadJSON Conn.ReadMessage Conn.RemoteAddr
    Conn.SetCloseHandler Conn.SetCompressionLevel Conn.SetPingHandler Conn.SetPongHandler Conn.SetReadDeadline
    Conn.SetReadLimit Conn.SetWriteDeadline Conn.Subprotocol Conn.UnderlyingConn Conn.WriteControl Conn.WriteJSON
    Conn.WriteMessage Conn.WritePreparedMessage DefaultDialer Dialer Dialer.Dial Dialer.DialContext
    Dialer.EnableCompression Dialer.HandshakeTimeout Dialer.Jar Dialer.NetDial Dialer.NetDialContext
    Dialer.NetDialTLSContext Dialer.Proxy Dialer.ReadBufferSize Dialer.Subprotocols Dialer.TLSClientConfig
    Dialer.WriteBufferPool Dialer.WriteBufferSize ErrBadHandshake ErrCloseSent ErrReadLimit FormatCloseMessage
    HandshakeError HandshakeError.Error IsCloseError IsUnexpectedCloseError IsWebSocketUpgrade JoinMessages NewClient
    NewPreparedMessage PingMessage PongMessage PreparedMessage ReadJSON Subprotocols TextMessage Upgrade Upgrader
    Upgrader.CheckOrigin Upgrader.EnableCompression Upgrader.Error Upgrader.HandshakeTimeout Upgrader.ReadBufferSize
    Upgrader.Subprotocols Upgrader.Upgrade Upgrader.WriteBufferPool Upgrader.WriteBufferSize WriteJSON";

fn rows() -> Vec<Vec<&'static str>> {
    TABLE
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| gorilla") && !line.starts_with("| there")
        })
        .map(|line| {
            let inside = line.strip_prefix('|').unwrap().strip_suffix('|').unwrap();
            inside.split('|').map(str::trim).collect()
        })
        .collect()
}

fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_row_says_what_it_is_here_and_what_shows_it() {
    for row in rows() {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(
            row[2] != "none" && !row[1].contains("not there yet"),
            "{row:?}"
        );
    }
}

#[test]
fn every_exported_name_has_a_row() {
    let told: HashSet<_> = rows()
        .into_iter()
        .flat_map(|row| in_backticks(row[0]).collect::<Vec<_>>())
        .collect();
    let left_out: Vec<_> = EXPORTED
        .split_whitespace()
        .filter(|name| !told.contains(name))
        .collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[test]
fn every_test_that_is_named_exists() {
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        read(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut sources,
        );
    }
    for row in rows() {
        let tests: Vec<_> = in_backticks(row[2]).collect();
        assert!(!tests.is_empty(), "no test is named: {row:?}");
        for test in tests {
            // `src/file.rs` stands for the documentation tests in it.
            if test.ends_with(".rs") {
                assert!(has_documentation_test(test), "{test}");
            } else {
                assert!(sources.contains(&format!("fn {test}(")), "{test}");
            }
        }
    }
}

fn has_documentation_test(file: &str) -> bool {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    source.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("/// ```") || line.starts_with("//! ```")
    })
}

fn read(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
