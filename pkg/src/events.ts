// Generated from the Rust types by `cargo xtask codegen`.

/** The names of emotions that MasterX uses. A server may send others. */
export const EMOTIONS = [
  "admiration",
  "amusement",
  "anger",
  "annoyance",
  "approval",
  "caring",
  "confusion",
  "curiosity",
  "desire",
  "disappointment",
  "disapproval",
  "disgust",
  "embarrassment",
  "excitement",
  "fear",
  "gratitude",
  "grief",
  "joy",
  "love",
  "nervousness",
  "optimism",
  "pride",
  "realization",
  "relief",
  "remorse",
  "sadness",
  "surprise",
] as const;

/** One of {@link EMOTIONS}. */
export type EmotionName = (typeof EMOTIONS)[number];

/** A message on its way to the server. */
export type OutgoingMessage = {
  /** The id that the sender gave it. */
  id: string;
  /** The text. */
  content: string;
  [field: string]: unknown;
};

/** A message from the server. */
export type IncomingMessage = {
  /** The id that the sender gave it. */
  id: string;
  /** The text. */
  content: string;
  /** Who speaks, such as `user` or `assistant`. */
  role: string;
  /** When, in ISO 8601. */
  timestamp: string;
  /** The session, if the server names it. */
  session_id?: string;
  /** Who wrote it, if the server names the user. */
  user_id?: string;
};

/** Pleasure, arousal and dominance, the axes of the PAD model. */
export type PadValues = {
  /** How pleasant. */
  pleasure: number;
  /** How intense. */
  arousal: number;
  /** How much in control. */
  dominance: number;
};

/** A measure that back ends give as a number or as a name. */
export type Level = number | string;

/** An emotion and what it means for learning. */
export type Emotion = {
  /** The strongest emotion: one of {@link EMOTIONS}, `neutral`, or another word of the server's. */
  primary_emotion: string;
  /** Its strength, from 0 to 1. */
  intensity: number;
  /** The emotion in three dimensions. */
  pad_values: PadValues;
  /** How ready the learner is. */
  learning_readiness?: Level;
  /** How loaded the learner is. */
  cognitive_load?: Level;
  [field: string]: unknown;
};

/** One member of a session. */
export type Member = {
  /** The user. */
  user_id: string;
  /** Whether the user is there, on any device. */
  online: boolean;
};

/** What the tutor says of an answer. */
export type AnswerFeedback = {
  /** Whether the answer was right. */
  correct?: boolean;
  /** The tutor's words. */
  text?: string;
  [field: string]: unknown;
};

/** What clients send in MasterX, an emotion-aware learning platform. */
export interface MasterXClientEvents {
  /** Enters a session; the client enters it again after every reconnect. */
  join_session: {
    /** The session. */
    session_id: string;
  };
  /** Leaves a session. */
  leave_session: {
    /** The session. */
    session_id: string;
  };
  /** Says that the user types, or has stopped. Sent at once or not at all. */
  user_typing: {
    /** The session. */
    session_id: string;
    /** Whether the user types. */
    isTyping: boolean;
  };
  /** A message to the other members of a session. */
  message_sent: {
    /** The session. */
    session_id: string;
    /** The message. */
    message: OutgoingMessage;
  };
  /** Asks for a sign of life. */
  ping: Record<string, never>;
}

/** What the server sends in MasterX, an emotion-aware learning platform. */
export interface MasterXServerEvents {
  /** The sign of life. */
  pong: {
    /** When the server answered, in ISO 8601. */
    timestamp: string;
  };
  /** What the server makes of the emotion in a message. */
  emotion_update: {
    /** The message. */
    message_id: string;
    /** The emotion. */
    emotion: Emotion;
  };
  /** Another member types, or has stopped. */
  typing_indicator: {
    /** The member. */
    user_id: string;
    /** The session, if the server names it. */
    session_id?: string;
    /** Whether the member types. */
    isTyping: boolean;
  };
  /** A message in a joined session. */
  message_received: {
    /** The message. */
    message: IncomingMessage;
  };
  /** What is written so far of a message that will come whole, as `message_received` with this id. */
  message_delta: {
    /** The session. */
    session_id: string;
    /** The id that the whole message will have. */
    message_id: string;
    /** Whether the writer is still thinking, and nothing is written. */
    thinking?: boolean;
    /** All that is written so far; it holds what earlier ones held. */
    text?: string;
  };
  /** Who is in a session, and who of them is there. */
  session_members: {
    /** The session. */
    session_id: string;
    /** The members. */
    members: Array<Member>;
  };
  /** Something changed in a session. */
  session_update: {
    /** The session, if the server names it. */
    session_id?: string;
    /** How hard the questions are now. */
    difficulty?: Level;
    /** How much of the session is done, from 0 to 1. */
    progress?: number;
    /** What the tutor says of an answer. */
    feedback?: AnswerFeedback;
    [field: string]: unknown;
  };
  /** Something the user should know. */
  notification: {
    /** What it is about, in a few words. */
    title?: string;
    /** The whole text. */
    text?: string;
    /** How urgent it is: `info`, `success`, `warning`, `error`, or another word of the server's. */
    level?: string;
    /** Where to read on. */
    link?: string;
    [field: string]: unknown;
  };
  /** The server could not do what was asked. */
  error: {
    /** Why, for people. */
    message: string;
    /** Why, for programs, such as `not_joined`. */
    code?: string;
    /** The type of the message that was refused. */
    about?: string;
    /** The session that the refused message has named, if it had no number. */
    session_id?: string;
    /** The id of the refused message, if it had no number. */
    message_id?: string;
  };
}

/** Every event of MasterX, an emotion-aware learning platform. */
export interface MasterXEvents extends MasterXClientEvents, MasterXServerEvents {}

/** What clients send in CoLabMatch, one-to-one chat between matched people. */
export interface CoLabMatchClientEvents {
  /** Enters a match; refused unless the user belongs to it. The client enters it again after every reconnect. */
  join_match: {
    /** The match. */
    match_id: string;
  };
  /** A message to the match. */
  send_message: {
    /** The match. */
    match_id: string;
    /** The text. */
    content: string;
    /** The sender's own id of the message, by which the server knows it when it is sent again. */
    client_id?: string;
  };
  /** Says that the user types, or has stopped. Sent at once or not at all. */
  typing: {
    /** The match. */
    match_id: string;
    /** Whether the user types. */
    is_typing: boolean;
  };
  /** Says that the user has read a message. */
  read_message: {
    /** The message. */
    message_id: string;
    /** The match. */
    match_id: string;
  };
}

/** What the server sends in CoLabMatch, one-to-one chat between matched people. */
export interface CoLabMatchServerEvents {
  /** The first event of a connection: who the server thinks the user is. */
  connected: Record<string, unknown>;
  /** A message, to everyone in the match, the sender included. */
  new_message: {
    /** The id that the server gave it. */
    id: string;
    /** The match. */
    matchId: string;
    /** Who sent it. */
    senderId: string;
    /** The text. */
    content: string;
    /** When it was stored, in ISO 8601. */
    createdAt: string;
    /** When it was read, in ISO 8601. */
    readAt: string | null;
    /** The sender's own id of the message, if it came with one. */
    clientId?: string;
  };
  /** Another member types. */
  user_typing: {
    /** The match. */
    match_id: string;
    /** The member. */
    user_id: string;
  };
  /** Another member has stopped typing. */
  typing_stopped: {
    /** The match. */
    match_id: string;
    /** The member. */
    user_id: string;
  };
  /** Somebody came or went. */
  user_online_status: {
    /** The user. */
    user_id: string;
    /** Whether the user is there, on any device. */
    online: boolean;
  };
  /** A message was read. */
  message_read: {
    /** The message. */
    message_id: string;
    /** The match. */
    match_id: string;
    /** When, in ISO 8601. */
    readAt: string;
    /** Whether every message before it is read as well. */
    up_to?: boolean;
  };
  /** Who is in a match, joined or not, and who of them is there. */
  session_members: {
    /** The match, under the name that MasterX has for it. */
    session_id: string;
    /** The match. */
    match_id: string;
    /** Both users. */
    members: Array<Member>;
  };
  /** A match has another status. */
  session_update: {
    /** The match, under the name that MasterX has for it. */
    session_id: string;
    /** The match. */
    match_id: string;
    /** `pending`, `active` or `ended`. Only an active match can be joined and written to. */
    status: string;
  };
  /** The server could not do what was asked. */
  error: {
    /** Why, for people. */
    message: string;
    /** Why, for programs, such as `not_allowed`. */
    code?: string;
    /** The type of the message that was refused. */
    about?: string;
    /** The match that the refused message has named, if it had no number. */
    match_id?: string;
    /** The id of the refused message, if it had no number. */
    message_id?: string;
  };
}

/** Every event of CoLabMatch, one-to-one chat between matched people. */
export interface CoLabMatchEvents extends CoLabMatchClientEvents, CoLabMatchServerEvents {}
