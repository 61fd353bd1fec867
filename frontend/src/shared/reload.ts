const ONCE = "rl.reloaded";

/** After a new release the old page's lazy files are gone: load the new page, once and not in a circle. */
export function reloadWhenReplaced(): void {
  addEventListener("vite:preloadError", (event) => {
    const last = Number(sessionStorage.getItem(ONCE) ?? 0);
    // Without a network there is no new page to load.
    if (!navigator.onLine || Date.now() - last < 60_000) return;
    sessionStorage.setItem(ONCE, String(Date.now()));
    event.preventDefault();
    location.reload();
  });
}
