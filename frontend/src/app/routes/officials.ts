import { page, tab } from "../routes";

const contacts = tab("contacts", "/contacts", () => import("../views/contacts/ContactsTab.vue"), [
  { name: "officials", path: "officials", component: () => import("../views/officials/OfficialsPage.vue") },
  { name: "official", path: "officials/:code", component: () => import("../views/officials/OfficialPage.vue") },
]);

export default [
  ...contacts.slice(1),
  page("article", "/articles/:id", () => import("../views/officials/ArticlePage.vue")),
];
