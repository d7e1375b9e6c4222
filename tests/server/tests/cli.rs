//! The binary: its flags, its one line of output, its errors.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everwire-server"));
    command.env_remove("EVERWIRE_JWT_SECRET").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ready_url(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}"));
    url.to_owned()
}

#[tokio::test]
async fn prints_the_ready_line_and_serves_the_page_with_its_paths() {
    let www = std::env::temp_dir().join(format!("everwire-server-www-{}", std::process::id()));
    std::fs::create_dir_all(&www).unwrap();
    std::fs::write(www.join("index.html"), "<title>page</title>").unwrap();
    std::fs::write(www.join("app.js"), "1").unwrap();
    let mut running = Running(server().args(["--dev", "--port", "0", "--www"]).arg(&www).spawn().unwrap());
    let url = ready_url(&mut running);
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with('/'), "{url}");
    let get = async |path: &str| reqwest::get(format!("{url}{path}")).await.unwrap();
    assert_eq!(get("app.js").await.text().await.unwrap(), "1");
    for path in ["", "chat/7"] {
        let response = get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.text().await.unwrap(), "<title>page</title>", "{path}");
    }
    assert_eq!(get("api/nothing").await.status(), 404);
    assert_eq!(get("dev/nothing").await.status(), 404);
    std::fs::remove_dir_all(&www).unwrap();
}

#[test]
fn without_dev_a_secret_is_needed() {
    let output = server().args(["--port", "0"]).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("EVERWIRE_JWT_SECRET"), "{message}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_secret_can_come_from_the_environment_and_is_not_shown() {
    let mut command = server();
    command.args(["--port", "0"]).env("EVERWIRE_JWT_SECRET", "from-the-environment");
    let mut running = Running(command.spawn().unwrap());
    ready_url(&mut running);
    let mut stderr = running.0.stderr.take().unwrap();
    drop(running);
    let mut logs = String::new();
    stderr.read_to_string(&mut logs).unwrap();
    assert!(!logs.contains("from-the-environment"), "{logs}");
}

#[test]
fn a_port_in_use_is_said_with_the_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = server().args(["--dev", "--port", &port]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("127.0.0.1:{port}")));
}
