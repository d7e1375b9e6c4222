import type { LeftFailure, LeftMessage, LeftMessages } from "../chat.js";
import type { StoredMessage } from "../outbox.js";
import { DIALECTS, type Fields, fieldsOf, textOf } from "../session/chatEvents.js";

/** A message of a conversation, and the number that its sender has given it. */
interface Numbered extends LeftMessage {
  readonly clientId: string;
  readonly seq: number;
}

/** What pages that are gone have left in conversations, from its adoption until it is known what became of it. */
export class Left implements LeftMessages {
  #messages: Numbered[] = [];
  #listener: Parameters<LeftMessages["watch"]>[0] = () => {};

  of(kind: string, conversation: string): readonly LeftMessage[] {
    return this.#messages.filter((message) => message.kind === kind && message.conversation === conversation);
  }

  has(id: string | undefined): boolean {
    return this.#messages.some((message) => message.id === id);
  }

  watch(listener: Parameters<LeftMessages["watch"]>[0]): void {
    this.#listener = listener;
  }

  refused(refusal: Fields): void {
    const { seq, message_id } = refusal;
    this.#end((message) => message.seq === seq && message.id === (message_id ?? message.id), {
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

  clear(): void {
    this.#messages = [];
  }

  #end(isOver: (message: Numbered) => boolean, failure?: LeftFailure): void {
    const over = this.#messages.filter(isOver);
    this.#messages = this.#messages.filter((message) => !over.includes(message));
    for (const message of over) this.#listener(message, failure);
  }
}

/** A stored message, if it is one of a conversation. */
function inConversation({ frame, clientId, seq, createdAt: at }: StoredMessage): Numbered[] {
  const envelope = JSON.parse(frame);
  const data = fieldsOf(envelope.data);
  const isMatch = envelope.type === DIALECTS.match.send;
  const kind = isMatch ? "match" : "session";
  const { key, send } = DIALECTS[kind];
  const fields = isMatch ? data : fieldsOf(data.message);
  const [conversation, id, content] = [data[key], isMatch ? fields.client_id : fields.id, fields.content].map(textOf);
  return envelope.type === send && conversation && id && content !== undefined
    ? [{ kind, conversation, id, content, fields, at, clientId, seq }]
    : [];
}
