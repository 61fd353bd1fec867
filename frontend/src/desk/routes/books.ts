import type { RouteRecordRaw } from "vue-router";

const OPERATIONS = ["operator", "checker"];

export default [
  {
    path: "/operations/reversals",
    name: "reversals",
    component: () => import("../views/operations/ReversalsPage.vue"),
    meta: { rail: { icon: "retry", label: "books.reversals", order: 62, roles: OPERATIONS } },
  },
  {
    path: "/operations/closes",
    name: "closes",
    component: () => import("../views/operations/ClosesPage.vue"),
    meta: { rail: { icon: "calendar", label: "books.closes", order: 63, roles: OPERATIONS } },
  },
] satisfies RouteRecordRaw[];
