import type { RouteRecordRaw } from "vue-router";

export default [
  {
    path: "/operations/clearing",
    name: "clearing",
    component: () => import("../views/operations/ClearingPage.vue"),
    meta: { rail: { icon: "swap", label: "clearing.title", order: 61, roles: ["operator", "checker"] } },
  },
] satisfies RouteRecordRaw[];
