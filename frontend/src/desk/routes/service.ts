import type { RouteRecordRaw } from "vue-router";

export default [
  {
    name: "service",
    path: "/service/:caseId?",
    component: () => import("../views/service/ServicePage.vue"),
    props: true,
    meta: { rail: { icon: "headset", label: "desk.service", order: 2, roles: ["agent"] } },
  },
] satisfies RouteRecordRaw[];
