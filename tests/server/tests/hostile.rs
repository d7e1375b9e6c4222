//! Bytes that no honest client sends. Each is answered with its code, and the others notice nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, PATIENCE, World};
use futures_util::SinkExt as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

/// A connection whose frames are written by hand, beside another client that must not notice.
struct Raw {
    stream: TcpStream,
    witness: Client,
    world: World,
}

impl Raw {
    async fn new() -> Self {
        Self::with(&["--rate-limit-per-minute", "0"]).await
    }

    async fn with(flags: &[&str]) -> Self {
        let world = World::new(flags).await;
        let witness = world.connect("witness").await;
        let mut stream = TcpStream::connect(world.server.addr()).await.unwrap();
        let token = world.token("eve").await;
        let request = format!(
            "GET /api/ws?token={token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"));
        let mut raw = Self { stream, witness, world };
        let (opcode, _) = raw.frame().await;
        assert_eq!(opcode, 0x1, "the greeting");
        raw
    }

    /// Writes a frame with the given first byte, masked with zeros.
    async fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len @ 126..65536 => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        // A server that has closed already may not take it all.
        let _ = self.stream.write_all(&frame).await;
    }

    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let reading = async {
            let first = self.stream.read_u8().await.unwrap();
            let len = match self.stream.read_u8().await.unwrap() {
                126 => self.stream.read_u16().await.unwrap().into(),
                len => usize::from(len),
            };
            let mut payload = vec![0; len];
            self.stream.read_exact(&mut payload).await.unwrap();
            (first & 0x0f, payload)
        };
        timeout(PATIENCE, reading).await.expect("no frame")
    }

    /// The next data or close frame is a close frame with this code, and nobody else is disturbed.
    async fn expect_close(mut self, code: u16) {
        let closed = loop {
            match self.frame().await {
                (0xa, _) => {}
                frame => break frame,
            }
        };
        assert_eq!(closed.0, 0x8, "{closed:?}");
        assert_eq!(u16::from_be_bytes([closed.1[0], closed.1[1]]), code);
        self.witness.settle().await;
        self.world.until("forgotten", async || self.world.server.connections() == 1).await;
    }
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const FIRST_FRAGMENT: u8 = 0x01;
const FRAGMENT: u8 = 0x00;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

#[tokio::test]
async fn a_binary_frame_closes_with_1003() {
    let mut raw = Raw::new().await;
    raw.send(BINARY, b"{}").await;
    raw.expect_close(1003).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    let mut raw = Raw::new().await;
    raw.send(TEXT, b"{\"type\":\"\xff\"}").await;
    raw.expect_close(1007).await;
}

#[tokio::test]
async fn a_character_cut_in_two_by_fragments_is_fine_and_a_broken_one_is_not() {
    let mut raw = Raw::new().await;
    let text = br#"{"type":"echo","data":{"x":"#.to_vec();
    raw.send(FIRST_FRAGMENT, &[&text[..], b"\"\xc3"].concat()).await;
    raw.send(FRAGMENT | 0x80, b"\xa9\"}}").await;
    let (opcode, payload) = raw.frame().await;
    assert_eq!(opcode, 0x1);
    assert!(String::from_utf8(payload).unwrap().contains("é"));
    raw.send(FIRST_FRAGMENT, b"\"\xc3").await;
    raw.send(FRAGMENT | 0x80, b"\"").await;
    raw.expect_close(1007).await;
}

#[tokio::test]
async fn a_frame_of_a_megabyte_closes_with_1009() {
    let mut raw = Raw::new().await;
    raw.send(TEXT, &vec![b'x'; 1_000_000]).await;
    raw.expect_close(1009).await;
}

#[tokio::test]
async fn what_comes_behind_a_violation_is_read_so_that_no_reset_overtakes_the_goodbye() {
    let mut raw = Raw::new().await;
    raw.stream.write_all(&[TEXT, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    for _ in 0..64 {
        raw.stream.write_all(&[b'x'; 65_536]).await.unwrap();
        tokio::task::yield_now().await;
    }
    raw.expect_close(1009).await;
}

#[tokio::test]
async fn a_frame_that_claims_to_be_endless_closes_with_1009() {
    let mut raw = Raw::new().await;
    raw.stream.write_all(&[TEXT, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]).await.unwrap();
    raw.expect_close(1009).await;
}

#[tokio::test]
async fn fragments_that_add_up_to_too_much_close_with_1009() {
    let mut complete = Raw::new().await;
    complete.send(FIRST_FRAGMENT, &[b'x'; 8000]).await;
    complete.send(FRAGMENT | 0x80, &[b'x'; 8000]).await;
    complete.expect_close(1009).await;
    // Until it is complete its number may come, by which it would be refused.
    let mut endless = Raw::new().await;
    endless.send(FIRST_FRAGMENT, &[b'x'; 8000]).await;
    for _ in 0..1_048_576 / 8000 {
        endless.send(FRAGMENT, &[b'x'; 8000]).await;
    }
    endless.expect_close(1009).await;
}

#[tokio::test]
async fn a_flood_of_empty_fragments_closes_with_1008() {
    let mut raw = Raw::new().await;
    raw.send(FIRST_FRAGMENT, b"").await;
    for _ in 0..30_000 {
        raw.send(FRAGMENT, b"").await;
    }
    raw.expect_close(1008).await;
}

#[tokio::test]
async fn a_flood_of_pongs_closes_with_1008() {
    let mut raw = Raw::new().await;
    for _ in 0..30_000 {
        raw.send(PONG, b"").await;
    }
    raw.expect_close(1008).await;
}

#[tokio::test]
async fn a_flood_of_ping_frames_closes_with_1008() {
    let world = World::new(&[]).await;
    let mut eve = world.connect("eve").await;
    for _ in 0..1000 {
        if eve.socket.send(Message::Ping("".into())).await.is_err() {
            break;
        }
    }
    let closed = loop {
        match eve.frame().await {
            Message::Pong(_) => {}
            Message::Close(frame) => break frame.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(closed.code), 1008);
}

#[tokio::test]
async fn violations_of_the_framing_close_with_1002() {
    let unmasked = [TEXT, 0x02, b'{', b'}'];
    let mut raw = Raw::new().await;
    raw.stream.write_all(&unmasked).await.unwrap();
    raw.expect_close(1002).await;

    for (first, payload) in
        [(TEXT | 0x40, &b"{}"[..]), (0x83, b"{}"), (FRAGMENT | 0x80, b"{}"), (PING & 0x0f, b""), (PING, &[0; 126])]
    {
        let mut raw = Raw::new().await;
        raw.send(first, payload).await;
        raw.expect_close(1002).await;
    }
}

#[tokio::test]
async fn text_that_is_json_but_hostile_is_answered_and_the_connection_stays() {
    let world = World::new(&[]).await;
    let mut eve = world.connect("eve").await;
    for text in [
        format!(r#"{{"type":"echo","data":{{"x":{}{}}}}}"#, "[".repeat(4000), "]".repeat(4000)),
        format!("{}{}", "[".repeat(5000), "]".repeat(5000)),
        "{\"a\":".repeat(2000),
        r#"{"type":"echo","data":{"x":1e999}}"#.to_owned(),
        format!(r#"{{"type":"echo","data":{{}},"timestamp":{}}}"#, "9".repeat(400)),
        r#"{"type":"echo","data":{"x":"\ud800"}}"#.to_owned(),
        format!(r#"{{"type":"{}"}}"#, "x".repeat(9000)),
        "\u{0}".to_owned(),
    ] {
        eve.send_text(&text).await;
        let error = eve.event("error").await;
        assert_eq!(error["code"], "malformed", "{}", &text[..text.len().min(60)]);
        assert!(error["message"].as_str().unwrap().len() < 400);
    }
    eve.settle().await;
}

#[tokio::test]
async fn a_close_frame_with_an_invalid_code_is_a_violation() {
    let mut raw = Raw::new().await;
    raw.send(0x88, &1005_u16.to_be_bytes()).await;
    raw.expect_close(1002).await;
}

#[tokio::test]
async fn a_frame_that_drips_in_and_never_ends_is_idle() {
    let mut raw = Raw::with(&["--idle-timeout-s", "0.5"]).await;
    raw.stream.write_all(&[TEXT, 0x80 | 126, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let drip = async {
        while raw.stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, drip).await.expect("still open");
    assert_eq!(raw.world.server.connections(), 0);
}

#[tokio::test]
async fn random_bytes_after_the_handshake_harm_nobody() {
    let world = World::new(&["--rate-limit-per-minute", "0"]).await;
    let mut witness = world.connect("witness").await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..50 {
        let mut eve = world.connect("eve").await;
        let noise = std::iter::from_fn(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((state >> 56) as u8)
        });
        let noise: Vec<u8> = noise.take(2000).collect();
        let tokio_tungstenite::MaybeTlsStream::Plain(stream) = eve.socket.get_mut() else { panic!() };
        let _ = stream.write_all(&noise).await;
        drop(eve);
        witness.settle().await;
    }
    world.until("one left", async || world.server.connections() == 1).await;
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_refused() {
    let secret = "the secret of the server";
    let world = World::new(&["--secret", secret]).await;
    let claims = |exp: i64| json!({ "sub": "ada", "exp": exp });
    let sign = |secret: &str, claims: &serde_json::Value| {
        encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let future = 4_000_000_000;
    world.connect_with(&sign(secret, &claims(future))).await.event("connected").await;

    let good = sign(secret, &claims(future));
    let parts: Vec<&str> = good.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let cut = &good[..good.len() - 2];
    for token in [
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        sign("another secret", &claims(future)),
        HS384_TOKEN.to_owned(),
        HS512_TOKEN.to_owned(),
        sign(secret, &claims(1)),
        sign(secret, &json!({ "exp": future })),
        sign(secret, &json!({ "sub": "ada" })),
        sign(secret, &json!({ "sub": "", "exp": future })),
        sign(secret, &json!({ "sub": 7, "exp": future })),
        sign(secret, &json!({ "sub": "x".repeat(129), "exp": future })),
        cut.to_owned(),
        "..".to_owned(),
        "%00%ff".to_owned(),
    ] {
        let mut client = world.connect_with(&token).await;
        assert_eq!(client.closed().await.0, 1008, "{token}");
    }
}

/// Tokens that are right but for the algorithm: the same claims and secret as above.
const HS384_TOKEN: &str = "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjQwMDAwMDAwMDB9.\
    G_GwvQ7N6HD9YV0qXktLQFrlYK6mRPa1UrkmacBoiMSn7hoqMrhOF-bmAmTlEF9I";
const HS512_TOKEN: &str = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjQwMDAwMDAwMDB9.\
    NNet1a06tnMIIOlTu6k2QZpu7VTd7qSgyQ9LhJGxQUNbwgWSbGiVA5vDJNgubehMy3fcFBRv3XmCB-bIxDykGg";
