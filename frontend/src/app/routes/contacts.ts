import { tab } from "../routes";

export default tab("contacts", "/contacts", () => import("../views/contacts/ContactsTab.vue"));
