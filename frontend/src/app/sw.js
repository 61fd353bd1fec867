/* The app's shell without a network. It keeps the page and its code, and never an answer of the API. */
const SHELL = "__SHELL__";
const FILES = "__FILES__";
const PAGE = "/";
const ASSETS = "/static/dist/assets/";
const ELSEWHERE = /^\/(api|ws|desk|admin|static|healthz|readyz)(\/|$)/;
const BOOT = "/static/dist/theme-boot.js";
const PAGE_TIMEOUT_MS = 4000;

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
