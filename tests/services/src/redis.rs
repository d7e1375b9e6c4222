//! Redis, which keeps nothing.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use anyhow::Result;

use crate::{
    place::Place,
    service::{Service, free_port},
};

pub fn service(place: &Place, program: &Path) -> Result<Service> {
    let port = free_port()?;
    let mut command = place.command(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    Ok(Service::new("Redis", port, command, answers, place.join("redis.log")))
}

pub fn url(service: &Service) -> String {
    format!("redis://127.0.0.1:{}/0", service.port)
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| &answer == b"+PONG")
}
