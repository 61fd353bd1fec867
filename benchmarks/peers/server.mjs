// What a Node team would write: socket.io, a pool of pg, one INSERT a message, the ack after it is committed.
// GROUP_COMMIT=1: what arrives while an INSERT is under way goes in together with the next.
import { createServer } from "node:http";
import pg from "pg";
import { Server } from "socket.io";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
await pool.query(`CREATE TABLE IF NOT EXISTS message (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conversation text NOT NULL,
  sender text NOT NULL,
  client_id uuid NOT NULL,
  body text NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (sender, client_id))`);
await pool.query("CREATE INDEX IF NOT EXISTS message_conversation ON message (conversation, id)");

const insert = {
  name: "insert",
  text: `INSERT INTO message (conversation, sender, client_id, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (sender, client_id) DO NOTHING RETURNING id, sent_at`,
};

const groupInsert = {
  name: "group",
  text: `INSERT INTO message (conversation, sender, client_id, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[])
    ON CONFLICT (sender, client_id) DO NOTHING RETURNING id, client_id, sent_at`,
};
let waiting = [];
let writing = false;

async function writeAll() {
  writing = true;
  while (waiting.length) {
    const batch = waiting;
    waiting = [];
    const columns = [0, 1, 2, 3].map((column) => batch.map(({ values }) => values[column]));
    try {
      const { rows } = await pool.query({ ...groupInsert, values: columns });
      const written = new Map(rows.map((row) => [row.client_id, row]));
      for (const { values, done } of batch) done({ rows: written.has(values[2]) ? [written.get(values[2])] : [] });
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
  writing = false;
}

function write(values) {
  if (!process.env.GROUP_COMMIT) return pool.query({ ...insert, values });
  const written = new Promise((done, failed) => waiting.push({ values, done, failed }));
  if (!writing) void writeAll();
  return written;
}

const http = createServer((request, response) => response.end("ok"));
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => {
  const user = socket.handshake.auth.user;
  socket.join(user);
  socket.on("send", async ({ to, id, body }, acknowledge) => {
    const conversation = [user, to].sort().join(":");
    const { rows } = await write([conversation, user, id, body]);
    acknowledge({ id });
    if (rows.length) io.to(to).emit("message", { id, from: user, body, seq: rows[0].id, at: rows[0].sent_at });
  });
});
http.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
