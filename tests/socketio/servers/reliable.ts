/** A server of npm `socket.io` with the middleware for the reliable mode, as a process of its own that can be killed. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import Sqlite from "libsql";
import pg from "pg";
import { Server } from "socket.io";
import { everwire, postgres, sqlite } from "../../../servers/socketio/src/index";
import { HANDLERS, TABLES } from "./handlers";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    /** The path of an SQLite file, or the address of a PostgreSQL. */
    database: { type: "string", default: ":memory:" },
  },
});

const isPostgres = flags.database.startsWith("postgres:");
const database = isPostgres
  ? postgres(new pg.Pool({ connectionString: flags.database, max: 8 }))
  : sqlite(new Sqlite(flags.database));
await database.transaction(async (sql) => {
  for (const table of TABLES) await sql(table);
});

const http = createServer();
const io = new Server(http, { pingInterval: 1_000, pingTimeout: 1_000 });
// Stands for a token: the user says who they are.
io.use((socket, next) => {
  const { token } = socket.handshake.auth;
  socket.data.user = token;
  next(typeof token === "string" && token !== "" ? undefined : new Error("Missing authentication token"));
});
const wire = everwire({ database, user: ({ data }) => String(data.user), handlers: HANDLERS, pollMs: 200 });
io.use(wire);

http.on("request", async (request, response) => {
  if (!request.url?.startsWith("/control/")) return;
  const { pathname, searchParams } = new URL(request.url, "http://loopback.invalid");
  const user = searchParams.get("user") ?? "";
  if (pathname === "/control/push") {
    const [first, last] = [Number(searchParams.get("first")), Number(searchParams.get("last"))];
    await wire.transaction(async (_, publish) => {
      for (let n = first; n <= last; n++) await publish(user, "notification", { n });
    });
  }
  const rows = await database.transaction((sql) => sql("SELECT n FROM notes WHERE user_id = ? ORDER BY id", user));
  response.setHeader("content-type", "application/json").end(JSON.stringify(rows.map(({ n }) => Number(n))));
});

http.listen(Number(flags.port), "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});
