import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import type { IconName } from "@/shared/components/icons";
import { sayWhatDidNotOpen } from "@/shared/reload";
import { closeLayersFirst } from "@/shared/wayBack";
import { useSession } from "@/app/stores/session";

declare module "vue-router" {
  interface RouteMeta {
    /** Shown in the desk's rail to whoever has one of the roles. */
    rail?: { icon: IconName; label: string; order: number; roles: readonly string[] };
  }
}

const areas: Record<string, RouteRecordRaw[]> = import.meta.glob("./routes/*.ts", { eager: true, import: "default" });

export const router = createRouter({
  history: createWebHistory("/desk/"),
  routes: [
    { path: "/", name: "desk", component: () => import("./views/DeskHome.vue") },
    ...Object.values(areas).flat(),
    { path: "/:rest(.*)*", redirect: "/" },
  ],
});

closeLayersFirst(router);
sayWhatDidNotOpen(router);
router.beforeEach(async (to) => {
  if (to.meta.open) return true;
  const session = useSession();
  await session.ready();
  if (session.me || session.error) return true;
  location.assign(`/sign-in?to=${encodeURIComponent(`/desk${to.fullPath}`)}`);
  return false;
});
