// The client of every compared server: pairs of people, each keeping so many messages in flight, or sending at a rate.
// With `receivers`, one person sends and all others listen: a group.
// Reads one JSON object from standard input, prints one: what was sent, acknowledged and delivered, and how fast.
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { io } from "socket.io-client";
import WebSocket from "ws";

const plan = JSON.parse(readFileSync(0, "utf8"));
const BODY = "周末去看房吗?我问了一下,首付大概还差一点,理财到期正好能用上。";
const REPLY_LIMIT_MS = 10_000;

// Each opener answers { send(id), close() } and calls acked(id) and delivered(id).
const openers = {
  rongliao(person, acked, delivered) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(person.url ?? plan.url, { origin: plan.origin, headers: { Cookie: person.cookie } });
      socket.on("error", reject);
      socket.on("close", (code) => closed(`rongliao closed a socket: ${code}`));
      socket.on("message", (data) => {
        for (const line of data.toString().split("\n")) {
          const frame = JSON.parse(line);
          if (frame.type === "ack") acked(frame.client_id);
          else if (frame.type === "message") delivered(frame.message.client_id, frame.message.seq);
          else if (frame.type === "probe") socket.send(JSON.stringify({ type: "probed", n: frame.n }));
          else if (frame.type === "error") closed(`rongliao refused: ${frame.code}`);
          else if (frame.type === "ready") {
            resolve({
              send: (id) =>
                socket.send(
                  JSON.stringify({ type: "send", conversation_id: person.conversation, client_id: id, text: BODY }),
                ),
              close: () => socket.close(),
            });
          }
        }
      });
    });
  },
  naive(person, acked, delivered) {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${plan.url}?user=${person.name}`);
      socket.on("error", reject);
      socket.on("close", (code) => closed(`the naive server closed a socket: ${code}`));
      socket.on("message", (data) => {
        const frame = JSON.parse(data.toString());
        if (frame.type === "ack") acked(frame.id);
        else delivered(frame.id);
      });
      socket.on("open", () =>
        resolve({
          send: (id) => socket.send(JSON.stringify({ to: person.peer, id, body: BODY })),
          close: () => socket.close(),
        }),
      );
    });
  },
  node(person, acked, delivered) {
    return new Promise((resolve, reject) => {
      const socket = io(plan.url, { transports: ["websocket"], auth: { user: person.name }, forceNew: true });
      socket.on("connect_error", reject);
      socket.on("message", (message) => delivered(message.id));
      socket.on("connect", () =>
        resolve({
          send: (id) => socket.emit("send", { to: person.peer, id, body: BODY }, (answer) => acked(answer.id)),
          close: () => socket.disconnect(),
        }),
      );
    });
  },
  xmpp(person, acked, delivered) {
    return new Promise((resolve, reject) => {
      const socket = connect(plan.port, "127.0.0.1");
      socket.setNoDelay(true);
      socket.on("error", reject);
      socket.on("close", () => closed("an XMPP server closed a connection"));
      const hello = `<?xml version='1.0'?><stream:stream to='${plan.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
      const secret = Buffer.from(`\0${person.name}\0${plan.password}`).toString("base64");
      const waiting = [];
      let count = 0;
      let text = "";
      let stage = 0;
      const take = (pattern) => {
        const found = pattern.exec(text);
        if (!found) return null;
        text = text.slice(found.index + found[0].length);
        return found;
      };
      const steps = [
        [/<\/stream:features>/, `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${secret}</auth>`],
        [/<success[^>]*\/>/, hello],
        [
          /<\/stream:features>/,
          `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${person.resource ?? "b"}</resource></bind></iq>`,
        ],
        [/<iq[^>]*id='bind'[\s\S]*?<\/iq>/, "<enable xmlns='urn:xmpp:sm:3'/>"],
        [/<enabled[^>]*>/, "<presence/>"],
      ];
      socket.on("data", (data) => {
        text += data.toString();
        while (stage < steps.length) {
          if (!take(steps[stage][0])) return;
          socket.write(steps[stage][1]);
          stage += 1;
          if (stage === steps.length) {
            resolve({
              send: (id) => {
                waiting.push(id);
                socket.write(
                  `<message to='${person.peer}@${plan.domain}' type='chat' id='${id}'><body>${BODY}</body></message><r xmlns='urn:xmpp:sm:3'/>`,
                );
              },
              close: () => socket.destroy(),
            });
          }
        }
        let found;
        let end = 0;
        const stanza = /<a [^>]*?h='(\d+)'[^>]*\/>|<r [^>]*\/>|<message[^>]*?id='([0-9a-f-]{36})'[\s\S]*?<\/message>/g;
        while ((found = stanza.exec(text))) {
          end = stanza.lastIndex;
          if (found[1]) {
            // The first stanza counted is the presence.
            for (let upto = Number(found[1]) - 1; count < upto; count += 1) acked(waiting[count]);
          } else if (found[2]) {
            received += 1;
            delivered(found[2]);
          } else socket.write(`<a xmlns='urn:xmpp:sm:3' h='${received}'/>`);
        }
        if (end) text = text.slice(end);
      });
      let received = 0;
      socket.write(hello);
    });
  },
};

let ending = false;
const troubles = [];
let connected = false;
function closed(what) {
  if (!ending && troubles.length < 20) troubles.push(what);
  if (!connected) {
    console.error(what);
    process.exit(1);
  }
}

function quantile(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] : null;
}

const RECEIVERS = plan.receivers ?? 1;
const messages = new Map(); // id -> { at, acked, delivered: how often, told: when last }
const doubled = { acked: 0, delivered: 0 };
let reordered = 0;
let counting = false;
let finished = false;
const measured = { acked: 0, delivered: 0 };
const ackMs = [];
const deliveryMs = [];

// So many are on their way at a time; `at_once`: that many of the first all together.
const ABREAST = 100;
const OPEN_LIMIT_MS = 120_000;
const people = [];
const openedBy = [];
{
  const began = performance.now();
  let next = 0;
  const late = setTimeout(() => {
    console.error(`${plan.protocol}: only ${people.length} of ${plan.people.length} connections could be opened`);
    process.exit(1);
  }, OPEN_LIMIT_MS);
  const one = async () => {
    while (next < plan.people.length) {
      const place = next++;
      people[place] = await open(plan.people[place]);
      openedBy.push(performance.now() - began);
    }
  };
  await Promise.all(plan.people.slice(0, plan.at_once ?? ABREAST).map(one));
  clearTimeout(late);
}

function open(person) {
  const state = { inFlight: 0 };
  const acked = (id) => {
    const message = messages.get(id);
    if (!message) return;
    if (message.acked) doubled.acked += 1;
    message.acked = performance.now();
    state.inFlight -= 1;
    if (counting) {
      measured.acked += 1;
      ackMs.push(message.acked - message.at);
    }
    if (!plan.rate) fill(state);
  };
  let newest = 0;
  const delivered = (id, seq) => {
    const message = messages.get(id);
    if (!message) return;
    if (seq !== undefined) {
      // One conversation a person: what arrives twice has a number that was there already.
      if (seq === newest) doubled.delivered += 1;
      else if (seq < newest) reordered += 1;
      newest = Math.max(newest, seq);
    }
    message.delivered += 1;
    if (message.delivered > RECEIVERS) doubled.delivered += 1;
    if (counting) {
      measured.delivered += 1;
      deliveryMs.push(performance.now() - message.at);
    }
  };
  return openers[plan.protocol](person, acked, delivered).then((link) => Object.assign(state, { link, ...person }));
}

connected = true;

function send(state, at = performance.now()) {
  const id = randomUUID();
  messages.set(id, { at, acked: 0, delivered: 0 });
  state.inFlight += 1;
  state.link.send(id);
}

function fill(state) {
  while (!finished && state.inFlight < plan.in_flight) send(state);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

if (plan.stay) {
  const { user, system } = process.cpuUsage();
  const client_cpu_ms = (user + system) / 1000;
  console.log(JSON.stringify({ connected: people.length, first_ms: openedBy[0], all_ms: openedBy.at(-1), client_cpu_ms }));
  await new Promise(() => setInterval(() => {}, 60_000));
}

const senders =
  RECEIVERS > 1 ? people.slice(0, 1) : plan.rate ? people : people.filter((_, index) => index % 2 === 0);
const beganCpu = process.cpuUsage();
if (plan.rate) {
  // An open loop: what is late counts from when it was due.
  const began = performance.now();
  let sent = 0;
  const tick = setInterval(() => {
    for (;;) {
      const at = began + (sent / plan.rate) * 1000;
      if (finished || at > performance.now()) return;
      send(senders[sent++ % senders.length], at);
    }
  }, 1);
  await sleep(plan.warm_s * 1000);
  counting = true;
  await sleep(plan.seconds * 1000);
  counting = false;
  finished = true;
  clearInterval(tick);
} else {
  for (const state of senders) fill(state);
  await sleep(plan.warm_s * 1000);
  counting = true;
  await sleep(plan.seconds * 1000);
  counting = false;
  finished = true;
}
const cpu = process.cpuUsage(beganCpu);
const until = performance.now() + REPLY_LIMIT_MS;
const unsettled = () => [...messages.values()].filter((message) => !message.acked || message.delivered < RECEIVERS).length;
while (unsettled() && performance.now() < until) await sleep(50);
ending = true;
for (const state of people) state.link.close();
ackMs.sort((a, b) => a - b);
deliveryMs.sort((a, b) => a - b);
const all = [...messages.values()];
console.log(
  JSON.stringify({
    sent: all.length,
    acked: all.filter((message) => message.acked).length,
    delivered: all.filter((message) => message.delivered >= RECEIVERS).length,
    reordered,
    acked_twice: doubled.acked,
    delivered_twice: doubled.delivered,
    per_second: measured.acked / plan.seconds,
    delivered_per_second: measured.delivered / plan.seconds,
    ack_p50_ms: quantile(ackMs, 0.5),
    ack_p99_ms: quantile(ackMs, 0.99),
    delivery_p50_ms: quantile(deliveryMs, 0.5),
    delivery_p99_ms: quantile(deliveryMs, 0.99),
    client_cpu_s: (cpu.user + cpu.system) / 1e6,
    troubles,
  }),
);
process.exit(0);
