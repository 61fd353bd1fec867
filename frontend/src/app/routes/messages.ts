import { tab } from "../routes";

export default tab("messages", "/messages", () => import("../views/messages/MessagesTab.vue"));
