import type { InheritedFailure, InheritedMessage, InheritedMessages } from "../chat.js";
import type { StoredMessage } from "../outbox.js";
import { DIALECTS, type Fields, fieldsOf, readWritten } from "../session/chatEvents.js";

/** A message of a conversation, and the number that its sender has given it. */
interface Numbered extends InheritedMessage {
  readonly clientId: string;
  readonly seq: number;
}

/** What pages that are gone have left in conversations, from its adoption until it is known what became of it. */
export class Inherited implements InheritedMessages {
  #messages: Numbered[] = [];
  #listener: Parameters<InheritedMessages["watch"]>[0] = () => {};

  of(kind: string, conversation: string): readonly InheritedMessage[] {
    return this.#messages.filter((message) => message.kind === kind && message.conversation === conversation);
  }

  has(id: string | undefined): boolean {
    return this.#messages.some((message) => message.id === id);
  }

  watch(listener: Parameters<InheritedMessages["watch"]>[0]): void {
    this.#listener = listener;
  }

  refused(refusal: Fields): void {
    const { seq, message_id } = refusal;
    // Sender by sender, in order: of several with this number, the first is the one that is under way.
    const refused = this.#messages.find((message) => message.seq === seq && message.id === (message_id ?? message.id));
    this.#end((message) => message === refused, {
      code: "refused",
      message: "the server refused the message (see `cause`)",
      cause: refusal,
    });
  }

  adopted(messages: readonly StoredMessage[]): void {
    this.#messages.push(...messages.flatMap(inConversation));
    this.#listener();
  }

  acknowledged(clientId: string, seq: number): void {
    this.#end((message) => message.clientId === clientId && message.seq <= seq);
  }

  removed(clientId: string, seq: number): void {
    this.#end((message) => message.clientId === clientId && message.seq === seq, {
      code: "unconfirmed",
      message: "the message was dropped",
    });
  }

  #end(isOver: (message: Numbered) => boolean, failure?: InheritedFailure): void {
    const over = this.#messages.filter(isOver);
    this.#messages = this.#messages.filter((message) => !over.includes(message));
    for (const message of over) this.#listener(message, failure);
  }
}

/** A stored message, if it is one of a conversation. */
function inConversation({ frame, clientId, seq, createdAt: at }: StoredMessage): Numbered[] {
  const { type, data } = JSON.parse(frame);
  const kind = type === DIALECTS.match.send ? "match" : "session";
  const written = type === DIALECTS[kind].send && readWritten(kind, fieldsOf(data));
  return written ? [{ kind, ...written, at, clientId, seq }] : [];
}
