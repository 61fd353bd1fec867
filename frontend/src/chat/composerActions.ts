import { defineAsyncComponent, type Component } from "vue";
import type { IconName } from "@/shared/components/icons";
import type { Talk } from "./types";

/**
 * What the composer's plus panel offers beyond pictures. A file `chat/actions/<name>.action.ts` exports one as default.
 * A tap shows the component over the conversation, with the props `conversationId` and `peerIds`; it emits `close`.
 */
export interface ComposerAction {
  key: string;
  icon: IconName;
  /** A key of the i18n messages. */
  label: string;
  order: number;
  /** Where it is offered. */
  available: (talk: Talk, place: "app" | "desk") => boolean;
  component: () => Promise<{ default: Component }>;
}

const files: Record<string, ComposerAction> = import.meta.glob("./actions/*.action.ts", { eager: true, import: "default" });

export const composerActions: readonly (Omit<ComposerAction, "component"> & { component: Component })[] = Object.values(files)
  .map((action) => ({ ...action, component: defineAsyncComponent(action.component) }))
  .sort((one, other) => one.order - other.order);
