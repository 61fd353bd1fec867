import type { Router } from "vue-router";
import { closeTopLayer, isCovered } from "./focus";

let held = false;
let returning = false;

// Registered before the router's own listener, which must find the answer here.
addEventListener("popstate", () => {
  if (returning) {
    returning = false;
    return;
  }
  held = isCovered();
  setTimeout(() => {
    held = false;
  });
}, true);

/** The browser's or the phone's "back" closes what lies over the page before it leaves the page. */
export function closeLayersFirst(router: Router): void {
  router.beforeEach(() => {
    if (!held) return true;
    held = false;
    // The router goes forward again to where it stands; that step is not another "back".
    returning = true;
    closeTopLayer();
    return false;
  });
}
