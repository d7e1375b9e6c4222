//! What happens in one run, as the fuzzer makes it up.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::fuzzed_run::Run;
use super::options::Options;
use super::server_frame_drafts::{FrameDraft, Listed};
use super::text_drafts::TextDraft;

/// One run. Its bytes are a head and steps of fixed length, so that steps can be moved about without becoming others.
#[derive(Clone, Debug)]
pub struct Script {
    options: Options,
    seed: u64,
    /// Whether wild steps are taken; the others would seldom be asked for long otherwise.
    is_wild: bool,
    steps: Vec<Step>,
}

impl Script {
    /// Plays the script; panics when something does not hold.
    pub fn run(self) {
        let mut run = Run::new(self.options.config(), self.seed);
        let mut last = Step::Timeout;
        let mut left = MOST_STEPS;
        for step in self.steps.into_iter().filter(|step| self.is_wild || !matches!(step, Step::Wild(_))) {
            let times = match step {
                Step::Again(times) => burst(times),
                _ => {
                    last = step;
                    1
                }
            };
            for _ in 0..times.min(left) {
                run.take(&last);
            }
            left = left.saturating_sub(times);
        }
    }
}

/// Mostly a few times, because long bursts cost time.
fn burst(times: u8) -> usize {
    usize::from(if times < 224 { times % 8 } else { times })
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut head = Unstructured::new(bytes.bytes(HEAD_BYTES.min(bytes.len()))?);
        let mut steps = Vec::new();
        while !bytes.is_empty() {
            let step = bytes.bytes(STEP_BYTES.min(bytes.len()))?;
            steps.push(Step::arbitrary(&mut Unstructured::new(step))?);
        }
        Ok(Self { options: head.arbitrary()?, seed: head.arbitrary()?, is_wild: head.arbitrary()?, steps })
    }
}

/// Something that happens.
#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Step {
    Connect,
    Disconnect,
    Reconnect(Why),
    Send(Draft),
    /// The same through the driver.
    Submit(Draft),
    Cancel(Number),
    Stored(Number),
    /// Messages that one previous client instance has left, in order.
    Restore(Vec<Leftover>),
    Forget,
    Opened(Which),
    Closed(Which, u16),
    Failed(Which, Failure),
    Frame(Which, FrameDraft),
    Text(Which, TextDraft),
    Buffered(Which, Number),
    /// The browser takes no more messages on the live socket.
    StopAccepting,
    Timeout,
    Online,
    Offline,
    Visible,
    PageRestored,
    Wait(u16),
    /// The deadline, or so many milliseconds later.
    Alarm(u16),
    TurnBack(u16),
    /// An opened connection, with a server of the reliable mode that tells the truth.
    Welcomed(u8, Listed),
    /// The next attempt, opened and welcomed, and then ended by the server with a code that can mean a message.
    Struck(u8),
    /// What the application does when it is told of something the next time.
    React(u8),
    /// The step before, so many times.
    Again(u8),
    /// What no driver does.
    Wild(Wild),
}

#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Wild {
    Undelivered(Which, Vec<Draft>),
    Restore(Vec<(Draft, Number, Option<u8>)>),
    Jump(u64),
}

/// Why the application connects anew.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Why {
    Asked,
    TokenChanged,
}

/// Why an attempt has no token.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Failure {
    NoToken,
    LoggedOut,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Which {
    Live,
    Back(u8),
}

/// A message that the application sends.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Draft {
    pub bytes: Size,
    pub purpose: Purpose,
    pub ttl: Option<Span>,
    pub key: Option<u8>,
    pub rank: u8,
    pub awaits_storage: bool,
    pub reply_within: Option<Span>,
}

#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Leftover {
    pub draft: Draft,
    /// How many numbers lie between it and the one before.
    pub skipped: u8,
    pub age: Option<Span>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Size {
    Small(u8),
    Any(u32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Purpose {
    Ordinary,
    Volatile,
    Join(u8),
    /// A session that no other message is about.
    JoinAnother,
    Leave(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Span {
    Short(u8),
    Long(u16),
    Any(u64),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Number {
    Small(u8),
    /// Beside the number that was sent last.
    Sent(i8),
    /// Beside the number that was accepted last.
    Latest(i8),
    /// The largest that JavaScript can count to.
    Safe,
    Most,
    Any(u64),
}

/// The lengths of what a script is made of.
pub(super) const HEAD_BYTES: usize = 64;
pub(super) const STEP_BYTES: usize = 64;
/// Enough to reach every bound, and few enough to be quick.
const MOST_STEPS: usize = 2_000;
