import type { Router } from "vue-router";

const WAIT_MS = 2_000;
const HANDS = ["pointerdown", "touchmove", "wheel", "keydown"] as const;

const place = (): number => (history.state as { position?: number } | null)?.position ?? 0;
const scroller = (): HTMLElement | null => document.querySelector(".pane .scroll");

/** Scrolls there once the page is long enough, unless a hand was quicker. */
function stand(top: number): void {
  const until = performance.now() + WAIT_MS;
  const over = new AbortController();
  for (const hand of HANDS) addEventListener(hand, () => over.abort(), { capture: true, passive: true, signal: over.signal });
  function look(): void {
    if (over.signal.aborted) return;
    const page = scroller();
    const reaches = page !== null && page.scrollHeight - page.clientHeight >= top;
    if (page && reaches) page.scrollTop = top;
    if (reaches || performance.now() > until) over.abort();
    else requestAnimationFrame(look);
  }
  requestAnimationFrame(look);
}

/** Whoever goes back to a page finds it scrolled as they left it; one that is opened anew begins at its head. */
export function keepScroll(router: Router): void {
  const stood = new Map<number, { path: string; top: number }>();
  let here = place();
  router.beforeEach((_, from) => {
    stood.set(here, { path: from.fullPath, top: scroller()?.scrollTop ?? 0 });
  });
  router.afterEach((to, _, failure) => {
    if (failure) return;
    const before = here;
    here = place();
    const was = stood.get(here);
    if (here < before && was?.path === to.fullPath && was.top > 0) stand(was.top);
  });
}
