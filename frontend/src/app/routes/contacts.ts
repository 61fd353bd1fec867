import { tab } from "../routes";

export default tab("contacts", "/contacts", () => import("../views/contacts/ContactsTab.vue"), [
  { name: "friend-requests", path: "requests", component: () => import("../views/contacts/RequestsPage.vue") },
  { name: "add-friend", path: "add", component: () => import("../views/contacts/AddFriendPage.vue") },
  { name: "person", path: ":id", component: () => import("../views/contacts/PersonPage.vue") },
], { waiting: () => import("../views/contacts/NobodyOpen.vue") });
