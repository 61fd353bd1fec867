import type { Directive } from "vue";

const FOCUSABLE = 'a[href],button:not(:disabled),input:not(:disabled),textarea:not(:disabled),select:not(:disabled),iframe,[tabindex]:not([tabindex="-1"])';

function inside(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((item) => !item.closest("[inert]") && item.offsetParent !== null);
}

/** The dialogs that stand open, the topmost last. */
const layers: HTMLElement[] = [];

export function isCovered(): boolean {
  return layers.length > 0;
}

/** Asks the topmost dialog to close, as Esc does; one that is locked stays. */
export function closeTopLayer(): void {
  layers.at(-1)?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
}

interface Trapped extends HTMLElement {
  releaseFocus?: () => void;
}

/** Keeps Tab within a dialog, puts the focus in at opening, and back where it was at closing. */
export const vFocusTrap: Directive<Trapped> = {
  mounted(box) {
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Tab") return;
      const items = inside(box);
      const first = items[0] ?? box;
      const last = items.at(-1) ?? box;
      if (event.shiftKey && (document.activeElement === first || document.activeElement === box)) {
        event.preventDefault();
        last.focus();
      } else if (!event.shiftKey && document.activeElement === last) {
        event.preventDefault();
        first.focus();
      }
    };
    box.addEventListener("keydown", onKey);
    layers.push(box);
    (box.querySelector<HTMLElement>("[autofocus]") ?? box).focus({ preventScroll: true });
    box.releaseFocus = () => {
      box.removeEventListener("keydown", onKey);
      layers.splice(layers.indexOf(box), 1);
      before?.focus({ preventScroll: true });
    };
  },
  unmounted(box) {
    box.releaseFocus?.();
  },
};
