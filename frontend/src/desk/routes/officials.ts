import type { RouteRecordRaw } from "vue-router";

export default [
  {
    name: "officials",
    path: "/officials/:articleId?",
    component: () => import("../views/officials/OfficialsPage.vue"),
    props: true,
    meta: { rail: { icon: "megaphone", label: "officials.desk", order: 5, roles: ["official_operator"] } },
  },
  {
    name: "official-replies",
    path: "/replies/:code?",
    component: () => import("../views/officials/RepliesPage.vue"),
    props: true,
    meta: { rail: { icon: "menu", label: "officials.replies.title", order: 6, roles: ["official_operator"] } },
  },
] satisfies RouteRecordRaw[];
