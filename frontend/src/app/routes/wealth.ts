import { tab } from "../routes";

export default tab("wealth", "/wealth", () => import("../views/wealth/WealthTab.vue"), [
  { name: "shelf", path: "products", component: () => import("../views/wealth/ShelfPage.vue") },
  { name: "product", path: "products/:id", component: () => import("../views/wealth/ProductPage.vue") },
  { name: "purchase", path: "products/:id/buy", component: () => import("../views/wealth/PurchasePage.vue") },
  { name: "document", path: "products/:id/documents/:document", component: () => import("../views/wealth/DocumentPage.vue") },
  { name: "assessment", path: "assessment", component: () => import("../views/wealth/AssessmentPage.vue") },
  { name: "holdings", path: "holdings", component: () => import("../views/wealth/HoldingsPage.vue") },
  { name: "orders", path: "orders", component: () => import("../views/wealth/OrdersPage.vue") },
  { name: "order", path: "orders/:id", component: () => import("../views/wealth/OrderPage.vue") },
  { name: "accounts", path: "accounts", component: () => import("../views/wealth/AccountsPage.vue") },
  { name: "entries", path: "accounts/:id", component: () => import("../views/wealth/EntriesPage.vue") },
  { name: "statements", path: "accounts/:id/statements", component: () => import("../views/wealth/StatementsPage.vue") },
], { waiting: () => import("../views/wealth/ShelfPage.vue") });
