import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { sayWhatDidNotOpen } from "@/shared/reload";
import { closeLayersFirst } from "@/shared/wayBack";
import { keepScroll } from "./keptScroll";
import { useSession } from "./stores/session";

const areas: Record<string, RouteRecordRaw[]> = import.meta.glob("./routes/*.ts", { eager: true, import: "default" });

const kit: RouteRecordRaw[] =
  import.meta.env.DEV || import.meta.env.MODE === "kit"
    ? [{ path: "/__kit", name: "kit", component: () => import("./kit/KitPage.vue"), meta: { bare: true, open: true } }]
    : [];

export const router = createRouter({
  history: createWebHistory("/"),
  routes: [
    { path: "/", redirect: "/messages" },
    ...Object.values(areas).flat(),
    ...kit,
    { path: "/:rest(.*)*", name: "not-found", component: () => import("./NotFound.vue"), meta: { bare: true, open: true } },
  ],
});

closeLayersFirst(router);
sayWhatDidNotOpen(router);
keepScroll(router);
router.beforeEach(async (to) => {
  if (to.meta.open) return true;
  const session = useSession();
  await session.ready();
  if (session.me || session.error) return true;
  return { name: "sign-in", query: to.fullPath === "/messages" ? {} : { to: to.fullPath } };
});
