//! A plan from a seed.

use everwire::proto::Overflow;
use everwire::proto::time::FOREVER;
use everwire::session::ChatKind;
use fastrand::Rng;

use crate::downward_frame::Limits;
use crate::run_plan::{
    Act, ChatAct, ChatSetup, DeviceSetup, Note, PageEnd, Plan, Restart, ServerSetup, Setup, Step, Target,
};

/// The run that a seed stands for.
pub fn plan(seed: u64) -> Plan {
    let mut rng = Rng::with_seed(seed);
    let mut devices: Vec<_> = (0..count_of_devices(&mut rng)).map(|number| device(&mut rng, number)).collect();
    for number in 1..devices.len() {
        // Another tab of the same browser.
        if rng.u8(0..3) == 0 {
            (devices[number].user, devices[number].disk) = (devices[number - 1].user, devices[number - 1].disk);
        }
    }
    let calm_at = rng.u64(3_000..40_000);
    let setup = Setup { server: server(&mut rng), chat: None, devices, calm_at, calm_is_announced: rng.u8(0..4) > 0 };
    let mut generator = Generator { rng, setup };
    let mut steps: Vec<_> = (0..generator.rng.usize(30..140)).map(|_| generator.step()).collect();
    converse(&mut generator, &mut steps);
    steps.sort_by_key(|step| step.at);
    Plan { seed, setup: generator.setup, steps }
}

/// Some plans have a conversation. One with a byzantine server would show nothing that is true.
fn converse(Generator { rng, setup }: &mut Generator, steps: &mut Vec<Step>) {
    if rng.u8(0..6) > 0 || setup.server.byzantine_every > 0 {
        return;
    }
    let kind = if rng.bool() { ChatKind::Session } else { ChatKind::Match };
    setup.chat = Some(ChatSetup { kind, can_load_missed: rng.bool(), names_members: rng.bool() });
    for _ in 0..rng.usize(8..40) {
        let act = match rng.u8(0..20) {
            0..11 => ChatAct::Write,
            11..14 => ChatAct::Press,
            14..17 => ChatAct::Read,
            17 => ChatAct::LoadEarlier,
            _ => ChatAct::Retry,
        };
        let (at, device) = (rng.u64(0..setup.calm_at), rng.usize(0..setup.devices.len()));
        steps.push(Step { at, act: Act::Chat { device, act } });
    }
}

fn count_of_devices(rng: &mut Rng) -> usize {
    [1, 1, 2, 2, 3, 4, 6][rng.usize(0..7)]
}

fn device(rng: &mut Rng, number: usize) -> DeviceSetup {
    let latency_ms = [0, 1, 20, 100, 400][rng.usize(0..5)];
    let jitter_ms = if rng.bool() { 0 } else { rng.u64(0..latency_ms + 5) };
    let high = if rng.u8(0..3) == 0 { rng.u32(100..4_000) } else { 256 << 10 };
    DeviceSetup {
        user: rng.u32(0..3),
        disk: number,
        latency_ms,
        jitter_ms,
        bandwidth: (rng.u8(0..3) == 0).then(|| rng.u32(3..60)),
        max_attempts: [2, 5, 5, u32::MAX][rng.usize(0..4)],
        stable_after_ms: [0, 5_000][rng.usize(0..2)],
        interval_ms: [5_000, 30_000, 30_000, FOREVER][rng.usize(0..4)],
        timeout_ms: [3_000, 10_000, 10_000][rng.usize(0..3)],
        connect_timeout_ms: [5_000, 10_000][rng.usize(0..2)],
        queue: if rng.u8(0..4) == 0 { (rng.u32(2..12), rng.u32(500..4_000)) } else { (1_000, 1 << 20) },
        ttl_ms: (rng.u8(0..5) == 0).then(|| rng.u64(500..20_000)),
        overflow: [Overflow::DropOldest, Overflow::DropNewest, Overflow::Reject][rng.usize(0..3)],
        buffer: (high, high / 4),
        storage_ms: [0, 2, 40][rng.usize(0..3)],
    }
}

fn server(rng: &mut Rng) -> ServerSetup {
    let is_plain = rng.u8(0..12) == 0;
    ServerSetup {
        is_plain,
        is_silent: is_plain && rng.bool(),
        byzantine_every: if rng.u8(0..8) == 0 { rng.u32(2..12) } else { 0 },
        window: [1, 2, 5, 128, 128][rng.usize(0..5)],
        history: [0, 2, 8, 1_000, 1_000][rng.usize(0..5)],
        ack_delay_ms: [0, 0, 30, 400][rng.usize(0..4)],
        reply_delay_ms: [0, 5, 800][rng.usize(0..3)],
        stores_replies: rng.u8(0..4) > 0,
        skips_offsets: rng.u8(0..3) == 0,
        acks_first: rng.bool(),
        refuses_every: if rng.bool() { 0 } else { rng.u32(3..20) },
        supersedes_late: rng.bool(),
        flaw: None,
        limits: Limits {
            max_bytes: if rng.u8(0..5) == 0 { rng.u64(150..1_500) } else { FOREVER },
            remember_ms: if rng.u8(0..3) == 0 { rng.u64(500..12_000) } else { FOREVER },
        },
        leaves_out: rng.u8(0..3) == 0,
        is_frail: rng.u8(0..3) == 0,
        reads_ahead: rng.u8(0..3) == 0,
    }
}

struct Generator {
    rng: Rng,
    setup: Setup,
}

impl Generator {
    fn step(&mut self) -> Step {
        let at = self.rng.u64(0..self.setup.calm_at);
        let device = self.rng.usize(0..self.setup.devices.len());
        let act = match self.rng.u8(0..100) {
            0..58 => self.application(device),
            58..68 => self.page(device),
            68..90 => self.network(device),
            _ => self.server(device),
        };
        Step { at, act }
    }

    fn application(&mut self, device: usize) -> Act {
        // Devices of one user do not join and leave each other's rooms, so that it is clear who has to be where.
        let devices = &self.setup.devices;
        let twins = devices.iter().take(device).filter(|other| other.user == devices[device].user).count();
        let room = 3 * twins as u32 + self.rng.u32(0..3);
        match self.rng.u8(0..100) {
            0..55 => Act::Send { device, note: self.note() },
            55..72 => Act::Burst { device, count: self.rng.u32(2..12), note: self.note() },
            72..77 => Act::Volatile { device },
            77..85 => Act::Join { device, room },
            85..88 => Act::Leave { device, room },
            88..94 => Act::Cancel { device, back: self.rng.usize(0..4) },
            94..96 => Act::Connect { device },
            96..98 => Act::Disconnect { device },
            _ => Act::Reconnect { device },
        }
    }

    fn note(&mut self) -> Note {
        let durable = self.rng.u8(0..3) == 0;
        let most = if self.rng.u8(0..5) == 0 { 2_000 } else { 300 };
        Note {
            bytes: self.rng.u32(60..most),
            durable,
            ttl_ms: (self.rng.u8(0..6) == 0).then(|| self.rng.u64(1..8_000)),
            key: (self.rng.u8(0..6) == 0).then(|| self.rng.u32(0..3)),
            reply_within_ms: (self.rng.u8(0..5) == 0).then(|| self.rng.u64(100..15_000)),
            to_room: self.rng.u8(0..3) == 0,
            poison: (self.rng.u8(0..25) == 0).then(|| [1003, 1007, 1009, 1011, 4400, 4409][self.rng.usize(0..6)]),
        }
    }

    fn page(&mut self, device: usize) -> Act {
        let rng = &mut self.rng;
        match rng.u8(0..100) {
            0..40 => Act::Reload {
                device,
                away_ms: if rng.u8(0..6) == 0 { rng.u64(3_000..40_000) } else { rng.u64(0..3_000) },
                restore_ms: if rng.bool() { 0 } else { rng.u64(0..1_500) },
                share: rng.u16(..),
                end: match rng.u8(0..3) {
                    0 => PageEnd::Orderly,
                    1 => PageEnd::Crash,
                    _ => PageEnd::Linger(rng.u64(0..10_000)),
                },
            },
            40..60 => Act::Suspend {
                device,
                ms: rng.u64(100..40_000),
                clock_stops: rng.u8(0..3) == 0,
                frames_first: rng.bool(),
            },
            60..68 => Act::ClockJump { device, ms: rng.u64(500..60_000) },
            68..80 => Act::Cache { device, ms: rng.u64(10..20_000), alarm_first: rng.bool() },
            80..88 => Act::Visible { device },
            _ => Act::Offline { device, ms: rng.u64(10..20_000), is_real: rng.bool() },
        }
    }

    fn network(&mut self, device: usize) -> Act {
        let rng = &mut self.rng;
        match rng.u8(0..100) {
            0..40 => Act::Cut {
                device,
                up: share(rng),
                down: share(rng),
                client_learns_ms: (rng.u8(0..6) > 0).then(|| rng.u64(0..800)),
                server_learns_ms: rng.bool().then(|| rng.u64(0..5_000)),
                closing_ms: if rng.u8(0..3) == 0 { rng.u64(0..1_500) } else { 0 },
            },
            40..52 => Act::Linger { device, ms: rng.u64(0..15_000) },
            52..68 => {
                let direction = rng.u8(0..3);
                let (up, down) = (direction != 1, direction != 0);
                Act::BlackHole { device, up, down, ms: rng.u64(50..6_000), is_told: rng.u8(0..4) > 0 }
            }
            68..80 => {
                let direction = rng.u8(0..3);
                Act::Stall { device, up: direction != 1, down: direction != 0, ms: rng.u64(50..12_000) }
            }
            80..88 => Act::Silence { device, ms: rng.u64(500..15_000), late: rng.bool() },
            88..93 => Act::Refuse { device, ms: rng.u64(200..12_000) },
            93..96 => Act::NoToken { device, count: rng.u32(1..4) },
            _ => Act::RefuseToken { device, count: rng.u32(1..3), code: [1008, 4401][rng.usize(0..2)] },
        }
    }

    fn server(&mut self, device: usize) -> Act {
        let (rng, is_frail) = (&mut self.rng, self.setup.server.is_frail);
        match rng.u8(0..100) {
            0..30 => {
                let kind = match rng.u8(0..40) {
                    0..16 => Restart::Kill,
                    16..24 => Restart::Vanish,
                    24..35 => Restart::Drain,
                    35..38 => Restart::Amnesia,
                    _ => Restart::Becomes { plain: rng.bool() },
                };
                Act::Restart { down_ms: rng.u64(10..6_000), kind, share: share(rng) }
            }
            30..38 => {
                let code = [1000, 1001, 1012, 1013, 4410, 1011, 4409][rng.usize(0..if is_frail { 7 } else { 5 })];
                Act::CloseConnection { device, code }
            }
            38..42 => Act::Shout { device },
            42..50 => Act::Forget { streams: rng.bool() },
            52..58 => Act::HoldBack { ms: rng.u64(500..25_000) },
            50..52 => Act::ServerClock { ms: rng.i64(-20_000..20_000) },
            _ => {
                let stream = if rng.bool() { Target::User(rng.u32(0..3)) } else { Target::Room(rng.u32(0..3)) };
                Act::Push { stream, count: rng.u32(1..8) }
            }
        }
    }
}

/// A share that is often all or nothing.
fn share(rng: &mut Rng) -> u16 {
    match rng.u8(0..4) {
        0 => 0,
        1 => u16::MAX,
        _ => rng.u16(..),
    }
}
