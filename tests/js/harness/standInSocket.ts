/** A frame as the client sends it. */
export interface Frame {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly timestamp: number;
}

/** Takes the place of `WebSocket`; the test plays the network and the server. */
export class StandInSocket {
  static made: StandInSocket[] = [];

  static get newest(): StandInSocket {
    const newest = StandInSocket.made.at(-1);
    if (newest === undefined) throw new Error("no socket was opened");
    return newest;
  }

  /** Sockets that nobody has begun to close. */
  static get live(): StandInSocket[] {
    return StandInSocket.made.filter((socket) => socket.readyState <= 1);
  }

  readyState = 0;
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  closedWith: number | undefined;
  /** What the browser has taken and not handed to the network yet. */
  bufferedAmount = 0;
  readonly texts: string[] = [];
  readonly url: string;
  readonly protocols: string | string[] | undefined;

  constructor(url: string, protocols?: string | string[]) {
    this.url = url;
    this.protocols = protocols;
    StandInSocket.made.push(this);
  }

  send(text: string): void {
    if (this.readyState !== 1) throw new Error("sent on a socket that is not open");
    this.texts.push(text);
  }

  close(code?: number): void {
    this.readyState = 2;
    this.closedWith = code;
  }

  get frames(): Frame[] {
    return this.texts.map((text) => JSON.parse(text) as Frame);
  }

  get types(): string[] {
    return this.frames.map((frame) => frame.type);
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.({});
  }

  says(type: string, data?: unknown, more?: object): void {
    this.saysText(JSON.stringify({ type, data, ...more }));
  }

  saysText(data: unknown): void {
    this.onmessage?.({ data });
  }

  ends(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason, wasClean: code !== 1006 });
  }
}

/** A socket whose every callback runs inside the call that causes it. */
export class SynchronousSocket extends StandInSocket {
  override send(text: string): void {
    super.send(text);
    const { type, data } = JSON.parse(text) as Frame;
    if (type === "echo") this.says("echoed", data);
  }

  override close(code?: number): void {
    super.close(code);
    this.ends(code);
  }
}
