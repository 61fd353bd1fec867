import type { RouteRecordRaw } from "vue-router";

export default [
  {
    path: "/products",
    name: "products",
    component: () => import("../views/operations/ProductsPage.vue"),
    meta: { rail: { icon: "wallet", label: "products.title", order: 59, roles: ["product", "operator", "checker"] } },
  },
  { path: "/products/new", name: "product-new", component: () => import("../views/operations/ProductFormPage.vue") },
  { path: "/products/:productId/change", name: "product-change", component: () => import("../views/operations/ProductFormPage.vue"), props: true },
  { path: "/products/drafts/:draftId", name: "product-draft", component: () => import("../views/operations/ProductDraftPage.vue"), props: true },
  { path: "/products/drafts/:draftId/edit", name: "product-draft-edit", component: () => import("../views/operations/ProductFormPage.vue"), props: true },
] satisfies RouteRecordRaw[];
