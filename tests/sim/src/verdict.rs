//! What a run can break.

use core::fmt;

/// The rules that hold in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each has its text")]
pub enum Rule {
    Lost,
    Doubled,
    Reordered,
    StaysOnDisk,
    SaidSent,
    TakenForPlain,
    WronglyBlamed,
    PoisonBlocks,
    Oversized,
    RoomDenied,
    Impatient,
    SentAfterItsEnd,
    AcknowledgedUnprocessed,
    StatusBackwards,
    EndsTwice,
    WronglyReplaced,
    EventRepeated,
    EventMissed,
    BogusGap,
    PositionsDiffer,
    StreamIncomplete,
    RequestEndedTwice,
    RequestNeverEnded,
    NotOpen,
    Stuck,
    Unbounded,
    HonestServerAccused,
    UntruthAccepted,
    IrrelevantActedOn,
    OwnEventDelivered,
    AnswerMixedUp,
    ReportedTooOften,
    WindowExceeded,
    ClientBrokeProtocol,
    NotRejoined,
    DriverContract,
    AlarmMissing,
    Unannounced,
    ChatDoubled,
    ChatDisordered,
    ChatStatusBackwards,
    ChatForgets,
    ChatUnread,
    ChatIncomplete,
    ChatsDiffer,
    TypingStays,
    ChatAlarms,
    ConnectedTwice,
    DeadLinkUnnoticed,
    NotWanted,
    ForeignNamespace,
    AnswerOutOfTime,
    FlawsBorne,
    Spins,
    Panic,
}

impl Rule {
    /// What must hold.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Lost => "every accepted message that has not ended otherwise is processed",
            Self::Doubled => "no message is processed twice",
            Self::Reordered => "the messages of one sender are processed in order",
            Self::StaysOnDisk => "what was sent to a plain server, or has ended, does not stay on disk",
            Self::SaidSent => "a message that is said to be sent was handed to a socket, and does not wait",
            Self::TakenForPlain => "a server of the reliable mode is not taken for a plain one",
            Self::WronglyBlamed => {
                "only a message that its server ends connections over is given up as poisoned, never for the network's sake"
            }
            Self::PoisonBlocks => "a message that its server ends connections over is given up after a few",
            Self::Oversized => "what is larger than the server takes is not sent to it",
            Self::RoomDenied => "where there is room a message is taken, and in the end there is room",
            Self::Impatient => "a client does not leave a healthy connection whose server answers",
            Self::SentAfterItsEnd => "a message that was reported as dropped, expired or cancelled is not sent",
            Self::AcknowledgedUnprocessed => "what is acknowledged was processed",
            Self::StatusBackwards => "the status of a message moves only forward",
            Self::EndsTwice => "a message ends once: sent at most once, acknowledged, dropped or cancelled",
            Self::WronglyReplaced => "a message makes way only for one with the same key that says no less",
            Self::EventRepeated => "no stored event is delivered twice, or after a later one",
            Self::EventMissed => "no stored event is skipped without a gap",
            Self::BogusGap => "a gap covers exactly what cannot be had",
            Self::PositionsDiffer => "the client's positions are where its events and gaps have led",
            Self::StreamIncomplete => "in the end each stream has arrived to its end",
            Self::RequestEndedTwice => "a request ends at most once",
            Self::RequestNeverEnded => "a request ends",
            Self::NotOpen => "in the end every client is open",
            Self::Stuck => "in the end nothing waits, is unacknowledged or under way",
            Self::Unbounded => "queues are bounded and outputs drained",
            Self::HonestServerAccused => "an honest server is not accused",
            Self::UntruthAccepted => "what is not true is counted, and nothing else comes of it",
            Self::IrrelevantActedOn => "what concerns nobody here changes nothing",
            Self::OwnEventDelivered => "a client does not deliver what it has done itself",
            Self::AnswerMixedUp => "an answer is that of the server to the message that it names",
            Self::ReportedTooOften => "at most ten protocol errors of a connection are reported",
            Self::WindowExceeded => "no more messages are unacknowledged than the window allows",
            Self::ClientBrokeProtocol => "the client keeps to the protocol",
            Self::NotRejoined => "joined rooms are joined again before anything is sent to them, and left ones are not",
            Self::DriverContract => {
                "what the driver asks for and reports makes sense, and texts are those of the application"
            }
            Self::AlarmMissing => "the alarm goes off when something is due",
            Self::Unannounced => "what the snapshot shows is announced when it changes",
            Self::ChatDoubled => {
                "a conversation shows no message twice, and none that the server does not have as its own"
            }
            Self::ChatDisordered => "the messages of a conversation are shown in the server's order",
            Self::ChatStatusBackwards => {
                "the status of an own message in a conversation moves only forward, or fails before it has arrived"
            }
            Self::ChatForgets => {
                "what was written in a conversation stays in its list, at least until the server has it"
            }
            Self::ChatUnread => "in the end a page shows as read what another user has read of its messages",
            Self::ChatIncomplete => "in the end a conversation has fetched what it has missed",
            Self::ChatsDiffer => {
                "in the end every page shows what the server has of the conversation, and nothing else as sent"
            }
            Self::TypingStays => "in the end nobody types",
            Self::ChatAlarms => "the alarm of a conversation goes off when something is due, and seldom",
            Self::ConnectedTwice => {
                "a client asks once on a connection to be let into its namespace, until it is refused"
            }
            Self::DeadLinkUnnoticed => "a connection is left whose server has not pinged for longer than it has said",
            Self::NotWanted => "a client that its server has put out, or its application has disconnected, stays away",
            Self::ForeignNamespace => "nothing of another namespace comes to a client, or from it",
            Self::AnswerOutOfTime => {
                "an acknowledgement comes in its time, or its event fails then or with the connection that has carried it"
            }
            Self::FlawsBorne => "a connection is left after 100 flaws, and after one if its server is not known",
            Self::Spins => "the client never spins",
            Self::Panic => "nothing panics",
        }
    }
}

/// A rule that was broken, when and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    /// The rule.
    pub rule: Rule,
    /// The virtual time, in milliseconds.
    pub at: u64,
    /// Who did what.
    pub detail: String,
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {} ms: {} — {}", self.rule, self.at, self.rule.text(), self.detail)
    }
}
