import { defineAsyncComponent, type Component } from "vue";
import type { Person } from "@/shared/people";

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

const components = new Map<string, Component>();
for (const { kind, component } of Object.values(files)) components.set(kind, defineAsyncComponent(component));

/** The component that draws a kind; null for a kind that this version does not know. */
export function cardComponent(kind: string): Component | null {
  return components.get(kind) ?? null;
}
