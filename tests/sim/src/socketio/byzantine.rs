//! What no server may send, or not in this moment (docs/SOCKETIO.md, bad input).

use super::frames::{Downward, Frame};
use super::world::World;
use crate::run_tally::Count;

impl World {
    /// A byzantine server says something else first.
    pub fn lie_now_and_then(&mut self, connection: usize) {
        let every = self.setup.server.byzantine_every;
        if every == 0 || every == u32::MAX || self.rng.u32(0..every) > 0 {
            return;
        }
        let many = if self.rng.u8(0..10) == 0 { self.rng.u32(2..140) } else { 1 };
        for _ in 0..many {
            let (frame, is_flaw) = self.lie();
            self.tally.add(Count::PacketLies);
            self.write_down(connection, Downward::Lie(frame, is_flaw));
        }
    }

    /// A frame, and whether it is a flaw whatever came before it.
    fn lie(&mut self) -> (Frame, bool) {
        let number = self.rng.u64(0..30);
        match self.rng.u8(0..12) {
            0 => (Frame::Binary(vec![1; self.rng.usize(0..4)]), false),
            1 => {
                let namespace = "a".repeat(300);
                (Frame::Text(format!(r#"42/{namespace},["e"]"#)), true)
            }
            2 => (Frame::Text(format!("42[\"e\",{}", "[".repeat(300))), true),
            3 => (Frame::Text(format!("43{number}[\"a\",{number}]")), false),
            4..7 => (Frame::Text(MISPLACED[self.rng.usize(0..MISPLACED.len())].to_owned()), false),
            7..10 => (Frame::Text(BORNE[self.rng.usize(0..BORNE.len())].to_owned()), true),
            _ => (Frame::Text(ENDING[self.rng.usize(0..ENDING.len())].to_owned()), true),
        }
    }
}

/// Right in another moment.
const MISPLACED: &[&str] = &[
    r#"0{"sid":"x","pingInterval":1,"pingTimeout":1}"#,
    r#"0{"sid":"x","pingInterval":25000,"pingTimeout":20000,"maxPayload":1}"#,
    r#"40{"sid":"x"}"#,
    r#"40/admin,{"sid":"x","pid":"y"}"#,
    r#"44"no""#,
    r#"44/admin,{"message":"no"}"#,
    "41",
    "41/admin,",
    "1",
    "2",
    "3",
    "6",
    r#"42["v",{"v":0},"an offset"]"#,
    "42[7]",
    r#"451-["e",{"_placeholder":true,"num":0}]"#,
    r#"4612-3["a"]"#,
];

/// Flaws that a connection survives, unless its server has let nobody in.
const BORNE: &[&str] = &[
    "",
    "<!DOCTYPE html>",
    r#"{"type":"welcome"}"#,
    "5",
    "4",
    "47[]",
    r#"42-1["e"]"#,
    r#"4299999999999999999["e"]"#,
    "43[]",
    r#"42["disconnect"]"#,
    r#"42/foreign,["e"]"#,
    r#"40/foreign,{"sid":"x"}"#,
    "41/foreign,",
];

/// Flaws that end a connection.
const ENDING: &[&str] = &[
    "0{}",
    r#"0{"sid":"x","pingInterval":0,"pingTimeout":1}"#,
    "40",
    r#"40{"pid":"x"}"#,
    "42",
    "42{",
    "42{}",
    "42[]",
    "42[null]",
    "41{}",
    "44",
    r#"45["e"]"#,
    r#"450-["e"]"#,
    r#"45999-["e"]"#,
    r#"451-["e",{"_placeholder":true,"num":1}]"#,
];
