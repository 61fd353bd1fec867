import { defineAsyncComponent, type Component } from "vue";
import type { Person } from "@/shared/people";
import { mendStyles } from "@/shared/reload";
import CardPlaceholder from "./CardPlaceholder.vue";

/** A card as it stands in a message; its payload belongs to the area that registered the kind. */
export interface CardEnvelope<P = Record<string, unknown>> {
  kind: string;
  ref: string;
  state: string;
  payload: P;
  revision: number;
}

/** What every card component is given. */
export interface CardProps<P = Record<string, unknown>> {
  card: CardEnvelope<P>;
  /** The viewer sent it. */
  mine: boolean;
  conversationId: string;
  /** "desk" draws for staff: facts without the customer's actions. */
  place: "app" | "desk";
  sender?: Person | null;
}

export interface CardRegistration {
  kind: string;
  component: () => Promise<{ default: Component }>;
}

const files: Record<string, CardRegistration> = import.meta.glob("./*.card.ts", { eager: true, import: "default" });

const RETRIES = 5;
const RETRY_MS = 1000;
const components = new Map<string, Component>();
/** A card keeps its place while its code comes; out of reach, it is asked for again when the network is back. */
function lazily(loader: CardRegistration["component"]): Component {
  return defineAsyncComponent({
    async loader() {
      const found = await loader();
      await mendStyles();
      return found;
    },
    delay: 0,
    loadingComponent: CardPlaceholder,
    onError(_error, retry, fail, attempts) {
      if (!navigator.onLine) addEventListener("online", retry, { once: true });
      else if (attempts < RETRIES) setTimeout(retry, RETRY_MS * attempts);
      else fail();
    },
    errorComponent: CardPlaceholder,
  });
}

for (const { kind, component } of Object.values(files)) components.set(kind, lazily(component));

/** The component that draws a kind; null for a kind that this version does not know. */
export function cardComponent(kind: string): Component | null {
  return components.get(kind) ?? null;
}
