import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** A name server, as Docker's: every name has the addresses that it is told, for ten minutes. */
export class NameServer {
  addresses: readonly string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (query, { port, address }) => socket.send(this.#answer(query), port, address));
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new NameServer(socket);
  }

  get host(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  stop(): void {
    this.#socket.close();
  }

  // RFC 1035: a head of 12 bytes, the question as it came, and for each address a record whose name is that of the question.
  #answer(query: Buffer): Buffer {
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(this.addresses.length > 0 ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(this.addresses.length, 6);
    head.writeUInt32BE(0, 8);
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const records = this.addresses.map((address) => {
      const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4]);
      return Buffer.concat([record, Buffer.from(address.split(".").map(Number))]);
    });
    return Buffer.concat([head, question, ...records]);
  }
}
