//! What a run has exercised.

use core::fmt;

macro_rules! counts {
    ($($name:ident => $text:literal,)*) => {
        /// What is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Count { $(#[doc = $text] $name,)* }

        const COUNTS: &[(Count, &str)] = &[$((Count::$name, $text),)*];
    };
}

counts! {
    Accepted => "messages accepted",
    Durable => "durable messages",
    Refused => "messages refused at the call",
    Processed => "messages processed",
    Duplicates => "duplicates dropped by the server",
    Retransmitted => "messages sent again",
    Replaced => "messages replaced by key",
    Expired => "messages expired",
    Overflowed => "messages dropped for room",
    Cancelled => "messages cancelled",
    Poisoned => "messages given up as poisoned",
    Oversized => "messages given up as too large",
    Unknowable => "messages whose outcome the server has forgotten",
    Unconfirmed => "messages given up as unconfirmed",
    EndedOver => "connections ended over a message",
    ServerRefused => "messages refused by the server",
    Volatile => "volatile messages",
    Undelivered => "messages a closing socket refused",
    Restored => "messages restored after a reload",
    Adopted => "messages taken over from a tab that died",
    SecondHellos => "hellos for a previous client instance",
    Requests => "requests",
    Replies => "replies",
    TimedOut => "requests timed out",
    Abandoned => "requests abandoned",
    LateReplies => "replies after the end of their request",
    Receipts => "receipts",
    Joins => "joins",
    Rejoins => "rejoins",
    ToPastRooms => "messages to rooms joined before an absence",
    Blocked => "looks at a full send buffer",
    HeldBack => "messages that the server held back",
    FullWindows => "full windows",
    Events => "stored events delivered",
    OwnEvents => "events about the client's own messages",
    Gaps => "gaps",
    LeftOut => "streams no longer carried",
    EndlessGaps => "gaps without an end",
    EarlyEvents => "stored events before the welcome",
    Opened => "connections opened",
    Resumed => "connections resumed",
    Cuts => "connections cut",
    CutFrames => "frames lost in cuts",
    Swallowed => "black holes",
    HalfOpen => "ends that the client was not notified of",
    Lingering => "connections whose frames arrived after their end",
    LateHellos => "hellos on abandoned connections",
    Superseded => "connections superseded",
    Stalls => "stalls",
    Silences => "connects never answered",
    Restarts => "server restarts",
    Drains => "drains",
    Amnesias => "losses of the server's memory",
    ForgottenClients => "client ids forgotten by the server",
    ForgottenStreams => "streams forgotten by the server",
    PlainWelcomes => "connections to a plain server",
    PlainSent => "messages sent at most once",
    Reloads => "reloads",
    Suspensions => "suspensions",
    ClockJumps => "clock jumps",
    Cached => "stays in the back/forward cache",
    Offline => "offline reports",
    TokensRefused => "tokens refused",
    NoTokens => "tokens that could not be had",
    LoggedOut => "pages that nobody was logged in to",
    GaveUp => "clients that gave up",
    Fatal => "fatal closes",
    AckTimeouts => "acknowledgement timeouts",
    PongTimeouts => "pong timeouts",
    NeverAnswered => "pongs of servers that have never answered",
    Unwelcomed => "hellos without an answer in time",
    PresumedPlain => "connections opened to a server that has answered nothing",
    ConnectTimeouts => "connect timeouts",
    StaleEvents => "events of replaced sockets",
    Untrue => "untrue frames",
    Malformed => "frames with wrong fields",
    Irrelevant => "frames that concern nobody",
    NoEnvelopes => "texts that are no envelopes",
    OddWelcomes => "welcomes with impossible windows and streams",
    TakenBack => "positions taken back",
    Violations => "protocol errors counted",
    Conversations => "pages in a conversation",
    ChatMessages => "messages of conversations",
    Typing => "signs that somebody types",
    Fetches => "pages of history",
    FailedFetches => "pages of history that could not be had",
    LeftForViolations => "connections left for protocol errors",
    PacketConnections => "Socket.IO: connections",
    PacketAttempts => "Socket.IO: attempts",
    SharedConnections => "Socket.IO: clients that came to a connection of others",
    LeftOthers => "Socket.IO: clients that left one to others",
    LeftNamespaces => "Socket.IO: namespaces left",
    InvalidStates => "Socket.IO: connections closed over a packet from nobody",
    PutOut => "Socket.IO: clients put out",
    KeptOut => "Socket.IO: clients kept out",
    ConnectErrors => "Socket.IO: refusals",
    NewSessions => "Socket.IO: new sessions",
    Claims => "Socket.IO: sessions claimed",
    RecoveredSessions => "Socket.IO: sessions recovered",
    MissedEvents => "Socket.IO: missed events sent again",
    FirstSessions => "Socket.IO: first joins",
    ContinuedSessions => "Socket.IO: joins without a gap",
    LostSessions => "Socket.IO: joins with a gap",
    PacketsSent => "Socket.IO: events accepted",
    PacketsRefused => "Socket.IO: events refused",
    PacketsProcessed => "Socket.IO: events processed",
    PacketsDropped => "Socket.IO: events dropped",
    PacketAcks => "Socket.IO: acknowledgements",
    PacketTimeouts => "Socket.IO: acknowledgements too late",
    PacketsAbandoned => "Socket.IO: acknowledgements abandoned",
    PacketEvents => "Socket.IO: events delivered",
    Attachments => "Socket.IO: attachments",
    AnswersToServer => "Socket.IO: answers to the server",
    LateAnswers => "Socket.IO: answers of an earlier connection",
    Probes => "Socket.IO: probes",
    ServerPingTimeouts => "Socket.IO: clients that the server has given up",
    PacketLies => "Socket.IO: frames that no server may send",
    PacketReports => "Socket.IO: flaws reported",
}

/// How often each thing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally([u64; COUNTS.len()]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; COUNTS.len()])
    }
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, count: Count) {
        self.add_many(count, 1);
    }

    /// Counts some.
    pub fn add_many(&mut self, count: Count, times: usize) {
        self.0[count as usize] += times as u64;
    }

    /// Adds what another run has exercised.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// How often it happened.
    pub const fn get(&self, count: Count) -> u64 {
        self.0[count as usize]
    }

    /// What never happened.
    pub fn missing(&self) -> Vec<&'static str> {
        COUNTS.iter().filter(|(count, _)| self.get(*count) == 0).map(|(_, text)| *text).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (count, text)) in COUNTS.iter().enumerate() {
            let end = if number % 2 == 1 || number + 1 == COUNTS.len() { "\n" } else { "" };
            write!(f, "{:>12}  {text:<48}{end}", self.get(*count))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, Count, Tally};

    #[test]
    fn counts_add_up_and_name_what_is_missing() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        one.add(Count::Cuts);
        other.add_many(Count::Cuts, 2);
        one.merge(&other);
        assert_eq!(one.get(Count::Cuts), 3);
        assert_eq!(one.missing().len(), COUNTS.len() - 1);
        assert!(one.to_string().contains("3  connections cut"));
    }
}
