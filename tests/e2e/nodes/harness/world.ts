import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options } from "everwire";
import { expect } from "vitest";
import { say, type Tally, tally } from "../../delivery/harness/tally";
import { ReverseProxy } from "../../deploy/harness/reverseProxy";
import { FaultProxy } from "../../harness/faultProxy";
import { Server } from "../../harness/server";
import { Person } from "./person";
import { Services } from "./services";

/** Two nodes on one PostgreSQL and one Redis behind nginx, and people in pairs, who come through it to whichever node it likes. */
export class World {
  readonly services: Services;
  /** What node `a` reaches Redis through; node `b` has the straight way. */
  readonly redisOfA: FaultProxy;
  readonly nodes: { readonly a: Server; readonly b: Server };
  readonly #proxy: ReverseProxy;
  readonly #directory: string;
  readonly #people: Person[] = [];

  private constructor(
    services: Services,
    redisOfA: FaultProxy,
    nodes: World["nodes"],
    proxy: ReverseProxy,
    directory: string,
  ) {
    this.services = services;
    this.redisOfA = redisOfA;
    this.nodes = nodes;
    this.#proxy = proxy;
    this.#directory = directory;
  }

  static async start(): Promise<World> {
    const services = await Services.start();
    const redisOfA = await FaultProxy.start(services.redis);
    const node = (name: string, redis: string) =>
      Server.start(["--node", name, "--database", services.postgres, "--redis", redis]);
    const a = await node("a", redisOfA.origin.replace("http:", "redis:"));
    const b = await node("b", services.redis);
    const directory = await mkdtemp(join(tmpdir(), "everwire-"));
    const proxy = await ReverseProxy.start("nginx", directory, [a, b]);
    return new World(services, redisOfA, { a, b }, proxy, directory);
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.nodes.a.kill();
    await this.nodes.b.kill();
    this.redisOfA.stop();
    await this.services.stop();
    await rm(this.#directory, { recursive: true });
  }

  /** Two of them write to each other, and two more, and so on; they are in their sessions and connected to both nodes. */
  async people(scenario: string): Promise<readonly Pair[]> {
    const pairs = await Promise.all(
      Array.from({ length: PAIRS }, async (_, pair) => {
        const session = `${scenario}-${pair}`;
        const [ada, ben] = await Promise.all(
          ["ada", "ben"].map((name) => this.#through(`${name}-${session}`, session)),
        );
        if (ada === undefined || ben === undefined) throw new Error("a pair is two");
        return [ada, ben] as const;
      }),
    );
    for (const person of pairs.flat()) await person.untilOpen();
    // Whoever writes before the other has joined would write to nobody.
    for (const person of pairs.flat()) await this.#untilProcessed(person, ["join_session"]);
    const [onA, onB] = [await this.#connectionsOf(this.nodes.a, pairs), await this.#connectionsOf(this.nodes.b, pairs)];
    expect(onA).toBeGreaterThan(0);
    expect(onB).toBeGreaterThan(0);
    expect(onA + onB).toBe(2 * PAIRS);
    return pairs;
  }

  /** Two in one session who are connected to one node each, whatever happens: the first to `a`, the second to `b`. */
  async onBoth(session: string): Promise<Pair> {
    const at = async (node: Server, name: string) => {
      const user = `${name}-${session}`;
      const person = this.#enter(user, session, undefined, { url: node.origin, token: await this.#token(user) });
      await person.untilOpen();
      return person;
    };
    return [await at(this.nodes.a, "eve"), await at(this.nodes.b, "adam")];
  }

  everybodyLeaves(): void {
    for (const person of this.#people.splice(0)) person.leave();
  }

  /** What the nodes answer to those who ask for their health. */
  health(): Promise<number[]> {
    const nodes = [this.nodes.a, this.nodes.b];
    return Promise.all(nodes.map(async ({ origin }) => (await fetch(`${origin}/healthz`)).status));
  }

  /**
   * Has everybody write while something is done to the nodes, and until a moment after; then everything has to be processed and delivered
   * exactly once and in order, and everybody back within 10 s of the moment at which all was there again.
   */
  async whileTalking(scenario: string, pairs: readonly Pair[], disturb: () => Promise<void>): Promise<void> {
    const people = pairs.flat();
    for (const person of people) person.startTalking();
    await this.#untilEverybodyIsHeard(people, 10);
    const began = Date.now();
    await disturb();
    const whole = Date.now();
    for (const person of people) await person.untilOpen();
    await this.#untilEverybodyIsHeard(people, 10);
    for (const person of people) person.stopTalking();
    const late = Math.max(0, Math.max(...people.map((person) => person.backAfter(began))) - (whole - began));
    const [processed, delivered] = [new Count("processed"), new Count("delivered")];
    for (const pair of pairs) await this.#audit(pair, processed, delivered);
    const away = people.filter(({ outages }) => outages.length > 0).length;
    const longest = Math.max(...people.map((person) => person.longestOutage()));
    say(`${scenario}: ${processed}; ${delivered}`);
    say(
      `  ${away} of ${people.length} lost their connection, for ${seconds(longest)} at most; back ${seconds(late)} after all was there`,
    );
    expect(processed.faults).toEqual(NO_FAULTS);
    expect(delivered.faults).toEqual(NO_FAULTS);
    expect(late).toBeLessThan(BACK_LIMIT_MS);
    for (const person of people) expect(person.troubles, person.user).toEqual([]);
  }

  /** Compares what one has sent with what was processed, and with what the other was given. */
  async #audit([one, other]: Pair, processed: Count, delivered: Count): Promise<void> {
    for (const [writer, reader] of [
      [one, other],
      [other, one],
    ] as const) {
      const arrived = { message: `what ${reader.user} has heard` };
      await expect.poll(() => reader.received.length, arrived).toBeGreaterThanOrEqual(writer.sent.length);
      await expect.poll(() => writer.client.getSnapshot().queued).toBe(0);
      const messages = await this.nodes.b.processed(writer.user);
      const ids = messages.flatMap(({ data, refused }) =>
        data.message && refused === undefined ? [data.message.id] : [],
      );
      processed.add(writer.sent, ids);
      delivered.add(writer.sent, reader.received);
    }
  }

  async #through(user: string, session: string): Promise<Person> {
    const { origin, certificate } = this.#proxy;
    return this.#enter(user, session, certificate.pem, { url: origin, token: await this.#token(user) });
  }

  #enter(user: string, session: string, certificate: string | undefined, options: Options): Person {
    const person = new Person(user, session, certificate, options);
    this.#people.push(person);
    return person;
  }

  async #token(user: string): Promise<string> {
    return this.nodes.b.token(user);
  }

  async #untilProcessed({ user }: Person, types: readonly string[]): Promise<void> {
    await expect.poll(async () => (await this.nodes.b.processed(user)).map(({ type }) => type)).toEqual(types);
  }

  /** Until each has been heard so many times more by the other. */
  async #untilEverybodyIsHeard(people: readonly Person[], times: number): Promise<void> {
    const wanted = people.map(({ received }) => received.length + times);
    const heard = () => people.filter(({ received }, index) => received.length >= Number(wanted[index])).length;
    await expect.poll(heard).toBe(people.length);
  }

  async #connectionsOf(node: Server, pairs: readonly Pair[]): Promise<number> {
    const asked = pairs.flat().map(({ user }) => node.ask<{ open: number }>("GET", "connections", { user_id: user }));
    return (await Promise.all(asked)).reduce((sum, { open }) => sum + open, 0);
  }
}

/** What became of the messages of several people. */
class Count {
  readonly #verb: string;
  #messages = 0;
  #faults: Tally = NO_FAULTS;

  constructor(verb: string) {
    this.#verb = verb;
  }

  get faults(): Tally {
    return this.#faults;
  }

  add(sent: readonly string[], arrived: readonly string[]): void {
    const { lost, doubled, reordered } = tally(sent, arrived);
    const { lost: l, doubled: d, reordered: r } = this.#faults;
    this.#faults = { lost: l + lost, doubled: d + doubled, reordered: r + reordered };
    this.#messages += arrived.length;
  }

  toString(): string {
    const { lost, doubled, reordered } = this.#faults;
    return `${this.#messages} ${this.#verb}, ${lost} lost, ${doubled} doubled, ${reordered} reordered`;
  }
}

export type Pair = readonly [Person, Person];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const NO_FAULTS: Tally = { lost: 0, doubled: 0, reordered: 0 };
const PAIRS = 4;
const BACK_LIMIT_MS = 10_000;
