import type { RouteRecordRaw } from "vue-router";

export default [
  {
    path: "/operations/navs",
    name: "navs",
    component: () => import("../views/operations/NavsPage.vue"),
    meta: { rail: { icon: "chart", label: "navs.title", order: 60, roles: ["product", "operator", "checker"] } },
  },
] satisfies RouteRecordRaw[];
