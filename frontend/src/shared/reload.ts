import type { Router } from "vue-router";
import { toast } from "./feedback";
import { t } from "./i18n";

const ONCE = "rl.reloaded";

const entry = (page: Document): string | null => page.querySelector("script[type=module][src]")?.getAttribute("src") ?? null;

/** Whether the server has another release than the one that this page came from; no answer means no. */
async function isReplaced(): Promise<boolean> {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) return false;
    return entry(new DOMParser().parseFromString(await answer.text(), "text/html")) !== entry(document);
  } catch {
    return false;
  }
}

/** Sheets that could not be fetched. Vite asks for each once; after that it takes the page for dressed. */
const missing = new Set<string>();

function fetchSheet(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = path;
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(`no stylesheet: ${path}`));
    });
    document.head.append(link);
  });
}

/** Fetches the sheets that are missing; fails while one is still out of reach. */
export async function mendStyles(): Promise<void> {
  await Promise.all([...missing].map(async (path) => {
    await fetchSheet(path);
    missing.delete(path);
  }));
}

/**
 * After a new release the old page's lazy files are gone: load the new page, once and not in a circle.
 * Without a network they are only out of reach: the page that stands is all that the person has, and it stays.
 */
export function reloadWhenReplaced(reload = (): void => location.reload()): void {
  addEventListener("vite:preloadError", (event) => {
    const sheet = /CSS for (\S+)/.exec(event.payload?.message ?? "")?.[1];
    if (sheet) {
      missing.add(sheet);
      // Else Vite names the first alone. The code itself, when it is out of reach too, comes here next.
      event.preventDefault();
      return;
    }
    const last = Number(sessionStorage.getItem(ONCE) ?? 0);
    if (Date.now() - last < 60_000) return;
    void isReplaced().then((replaced) => {
      if (!replaced) return;
      sessionStorage.setItem(ONCE, String(Date.now()));
      reload();
    });
  });
}

/** A page whose code could not be fetched does not open; where one stands stays, and the person is told. */
export function sayWhatDidNotOpen(router: Router): void {
  router.beforeResolve(mendStyles);
  router.onError(() => toast(t("common.notOpened"), "bad"));
}
