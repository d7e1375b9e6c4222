export { type Database, type Row, type Sql, TransactionLost } from "./database.js";
export { type Context, type Data, type Everwire, everwire, type Handler, type Options, Refusal } from "./everwire.js";
export { type PostgresConnection, type PostgresPool, postgres } from "./postgres.js";
export { type SqliteConnection, sqlite } from "./sqlite.js";
