/*
 * The app's shell without a network, and what rings while no page is open. It keeps the page and its code, and never an
 * answer of the API; the bank's sheet has an origin of its own, which it does not reach.
 */
const SHELL = "__SHELL__";
const FILES = "__FILES__";
const PAGE = "/";
const ASSETS = "/static/dist/assets/";
const ELSEWHERE = /^\/(api|ws|desk|admin|static|healthz|readyz)(\/|$)/;
const BOOT = "/static/dist/theme-boot.js";
const PAGE_TIMEOUT_MS = 4000;
const ICON = "/static/icons/app-192.png";

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll([PAGE, ...FILES]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

/** What the network has in time, else what was kept; the kept page says itself that there is no network. */
async function newest(request, kept) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // Falls through to what was kept.
  }
  return (await caches.match(kept)) ?? Response.error();
}

/** Built files carry a hash of their content in their name, so a kept one is never old. */
async function asset(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(SHELL)).put(request, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(request));
  else if (url.pathname === BOOT) event.respondWith(newest(request, BOOT));
  else if (request.mode === "navigate" && !ELSEWHERE.test(url.pathname)) event.respondWith(newest(request, PAGE));
});

/** The count on the app's icon, where the system has one. One that refuses it keeps nobody from being rung for. */
async function badge(count) {
  if (!("setAppBadge" in navigator) || typeof count !== "number") return;
  try {
    await (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge());
  } catch {
    // The system shows none.
  }
}

const windows = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

/** Rings for a message, unless the person has the app before them: there it shows by itself. */
async function ring(note) {
  await badge(note.badge);
  const open = await windows();
  if (open.some((client) => client.focused && client.visibilityState === "visible")) return;
  await self.registration.showNotification(note.title, {
    body: note.body,
    tag: note.tag,
    renotify: true,
    icon: ICON,
    timestamp: Date.parse(note.at) || undefined,
    data: { path: `/messages/${note.conversation_id}` },
  });
}

self.addEventListener("push", (event) => {
  let note;
  try {
    note = event.data.json();
  } catch {
    return;
  }
  if (note.type === "message") event.waitUntil(ring(note));
});

/** Brings the app to the conversation: the page that is open, else a new one. */
async function show(path) {
  const page = (await windows()).find((client) => !ELSEWHERE.test(new URL(client.url).pathname));
  if (!page) return self.clients.openWindow(path);
  page.postMessage({ type: "show", path });
  return page.focus();
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data?.path ?? PAGE));
});

/** The push service gave the browser another address: the bank has to know it. */
async function renew(options) {
  const fresh = await self.registration.pushManager.subscribe(options);
  const { endpoint, keys } = fresh.toJSON();
  await fetch("/api/chat/push/subscriptions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    credentials: "same-origin",
    body: JSON.stringify({ endpoint, keys }),
  });
}

self.addEventListener("pushsubscriptionchange", (event) => {
  if (event.oldSubscription) event.waitUntil(renew(event.oldSubscription.options));
});
