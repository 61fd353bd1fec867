import { ref, readonly } from "vue";
import { api } from "@/shared/api";
import { foundAgain } from "@/shared/online";
import type { ClientFrame, FrameOf, ServerFrame } from "./types";

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8_000;
const PING_EVERY_MS = 20_000;
const ANSWER_LIMIT_MS = 8_000;
const OPEN_LIMIT_MS = 10_000;

/** Codes with which the server says that it is of no use to come back. */
const SESSION_OVER = new Set([4001, 4401]);

type Handler<F> = (frame: F) => void;

/** One socket for the whole page: comes back by itself, and tells everybody what arrives. */
class Socket {
  private readonly handlers = new Map<string, Set<Handler<never>>>();
  private socket: WebSocket | null = null;
  private wanted = false;
  private pause = FIRST_PAUSE_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heart: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private readonly state = ref<"closed" | "opening" | "open">("closed");
  readonly status = readonly(this.state);

  constructor() {
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.lose());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.look();
    });
  }

  on<T extends ServerFrame["type"]>(type: T, handler: Handler<FrameOf<T>>): () => void {
    const there = this.handlers.get(type) ?? new Set();
    this.handlers.set(type, there);
    there.add(handler as Handler<never>);
    return () => there.delete(handler as Handler<never>);
  }

  /** Opens the socket and keeps it open. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.open();
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.lose();
  }

  /** Sends a frame; false where there is no connection, and the caller keeps it. */
  send(frame: ClientFrame): boolean {
    if (this.state.value !== "open" || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** The connection is not to be trusted (an answer is missing): begins another. */
  renew(): void {
    if (this.state.value === "open") this.lose();
    this.hurry();
  }

  private open(): void {
    clearTimeout(this.timer);
    if (!this.wanted || this.socket) return;
    this.state.value = "opening";
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws/`);
    this.socket = socket;
    const giveUp = setTimeout(() => socket.close(), OPEN_LIMIT_MS);
    let admitted = false;
    socket.onmessage = (event) => {
      if (this.socket !== socket || typeof event.data !== "string") return;
      this.heardAt = Date.now();
      for (const line of event.data.split("\n")) {
        const frame = JSON.parse(line) as ServerFrame;
        if (frame.type === "ready") {
          admitted = true;
          clearTimeout(giveUp);
          this.pause = FIRST_PAUSE_MS;
          this.state.value = "open";
          foundAgain();
          this.beat();
        } else if (frame.type === "probe") {
          this.send({ type: "probed", n: frame.n });
        }
        this.tell(frame);
      }
    };
    socket.onclose = (event) => {
      clearTimeout(giveUp);
      if (this.socket !== socket) return;
      this.forget();
      // A refused handshake tells the page nothing; asking who we are does, and ends the session if there is none.
      if (SESSION_OVER.has(event.code) || !admitted) void api.get("/api/me").catch(() => undefined);
      this.later();
    };
  }

  private tell(frame: ServerFrame): void {
    for (const handler of this.handlers.get(frame.type) ?? []) (handler as Handler<ServerFrame>)(frame);
  }

  private beat(): void {
    clearInterval(this.heart);
    this.heart = setInterval(() => this.look(), PING_EVERY_MS);
  }

  /** Asks whether the other side is still there; silence means that it is not. */
  private look(): void {
    if (this.state.value !== "open") {
      this.hurry();
      return;
    }
    const asked = Date.now();
    const socket = this.socket;
    this.send({ type: "ping", n: 0 });
    setTimeout(() => {
      if (this.socket === socket && this.heardAt < asked) this.renew();
    }, ANSWER_LIMIT_MS);
  }

  private hurry(): void {
    if (!this.wanted || this.socket) return;
    this.pause = FIRST_PAUSE_MS;
    this.open();
  }

  private later(): void {
    if (!this.wanted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.pause * (0.7 + Math.random() * 0.6));
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2);
  }

  private lose(): void {
    const socket = this.socket;
    this.forget();
    socket?.close();
    if (this.wanted && navigator.onLine) this.later();
  }

  private forget(): void {
    clearInterval(this.heart);
    this.socket = null;
    this.state.value = "closed";
  }
}

export const socket = new Socket();

/** Something outside chat that the person looks at has changed: `contacts`, `moments`, `finance`, `desk`, … */
export function onHint(topic: string, handler: (data: Record<string, unknown>) => void): () => void {
  return socket.on("hint", (frame) => {
    if (frame.topic === topic) handler(frame.data);
  });
}
