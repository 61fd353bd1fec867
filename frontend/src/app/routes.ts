import { defineAsyncComponent, type Component } from "vue";
import type { RouteRecordRaw } from "vue-router";
import NothingOpen from "./NothingOpen.vue";

declare module "vue-router" {
  interface RouteMeta {
    /** The tab that is lit. */
    tab?: string;
    /** A page of its own above the list; on a phone it covers list and tabs. */
    detail?: boolean;
    /** On a wide screen the tab is one column and not a list beside a detail. */
    single?: boolean;
    /** What stands beside the tab's list on a wide screen while nothing is open. */
    waiting?: Component;
    /** May be seen without being signed in. */
    open?: boolean;
    /** Neither tabs nor list: sign-in, registration. */
    bare?: boolean;
  }
}

type Lazy = () => Promise<{ default: Component }>;

export interface Detail {
  name: string;
  /** Below the tab's path: ":id" */
  path: string;
  component: Lazy;
}

/** A tab: its list, and the pages that open beside it (wide) or over it (phone). Route params arrive as props. */
export function tab(name: string, path: string, list: Lazy, details: Detail[] = [], options: { single?: boolean; waiting?: Lazy } = {}): RouteRecordRaw[] {
  const meta = { tab: name, single: options.single ?? false };
  return [
    { path, name, components: { list, default: NothingOpen }, meta: { ...meta, waiting: options.waiting && defineAsyncComponent(options.waiting) } },
    ...details.map((detail) => ({
      path: `${path}/${detail.path}`,
      name: detail.name,
      components: { list, default: detail.component },
      props: { list: false, default: true },
      meta: { ...meta, detail: true },
    })),
  ];
}

/** A page beside the list of a tab that belongs to another area. */
export function beside(tab: string, list: Lazy, name: string, path: string, component: Lazy): RouteRecordRaw {
  return { name, path, components: { list, default: component }, props: { list: false, default: true }, meta: { tab, detail: true } };
}

/** A page without tabs. `open`: may be seen without being signed in. */
export function page(name: string, path: string, component: Lazy, options: { open?: boolean } = {}): RouteRecordRaw {
  return { path, name, component, props: true, meta: { bare: true, open: options.open ?? false } };
}
