import { tab } from "../routes";

export default tab("me", "/me", () => import("../views/me/MeTab.vue"), [
  { name: "profile", path: "profile", component: () => import("../views/me/ProfilePage.vue") },
  { name: "identity", path: "identity", component: () => import("../views/me/IdentityPage.vue") },
  { name: "bank-cards", path: "cards", component: () => import("../views/me/CardsPage.vue") },
  { name: "devices", path: "devices", component: () => import("../views/me/DevicesPage.vue") },
  { name: "receipts", path: "receipts", component: () => import("../views/bank/ReceiptsPage.vue") },
  { name: "bank-security", path: "bank", component: () => import("../views/bank/SecurityPage.vue") },
  { name: "notifications", path: "notifications", component: () => import("../views/me/NotificationsPage.vue") },
  { name: "password", path: "password", component: () => import("../views/me/PasswordPage.vue") },
  { name: "display", path: "display", component: () => import("../views/me/DisplayPage.vue") },
  { name: "privacy", path: "privacy", component: () => import("../views/me/PrivacyPage.vue") },
], { waiting: () => import("../views/me/ProfilePage.vue") });
