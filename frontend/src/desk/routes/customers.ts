import type { RouteRecordRaw } from "vue-router";

export default [
  {
    name: "customers",
    path: "/customers/:customerId?",
    component: () => import("../views/customers/CustomersPage.vue"),
    props: true,
    meta: { rail: { icon: "messages", label: "desk.customers", order: 1, roles: ["advisor"] } },
  },
] satisfies RouteRecordRaw[];
