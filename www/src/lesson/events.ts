import type { MasterXClientEvents, MasterXServerEvents } from "everwire";

/** What a device sends in a lesson. */
export type LessonSends = MasterXClientEvents;

/** What a device hears in a lesson. */
export type LessonEvents = MasterXServerEvents;

export type IncomingMessage = LessonEvents["message_received"]["message"];
