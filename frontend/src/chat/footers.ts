import { defineAsyncComponent, type Component } from "vue";
import type { Talk } from "./types";

/**
 * What stands below the messages instead of the composer (a service account's menu), or around it: the composer is its
 * default slot. A file `chat/footers/<name>.footer.ts` exports one as default; its component gets `conversationId`.
 */
export interface ConversationFooter {
  fits: (talk: Talk, place: "app" | "desk") => boolean;
  component: () => Promise<{ default: Component }>;
}

const files: Record<string, ConversationFooter> = import.meta.glob("./footers/*.footer.ts", { eager: true, import: "default" });
const footers = Object.values(files).map(({ fits, component }) => ({ fits, component: defineAsyncComponent(component) }));

/** The footer of a conversation, or null where one writes. */
export function footerOf(talk: Talk, place: "app" | "desk"): Component | null {
  return footers.find((footer) => footer.fits(talk, place))?.component ?? null;
}
