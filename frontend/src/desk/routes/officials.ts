import type { RouteRecordRaw } from "vue-router";

export default [
  {
    name: "officials",
    path: "/officials/:articleId?",
    component: () => import("../views/officials/OfficialsPage.vue"),
    props: true,
    meta: { rail: { icon: "megaphone", label: "officials.desk", order: 5, roles: ["official_operator"] } },
  },
] satisfies RouteRecordRaw[];
