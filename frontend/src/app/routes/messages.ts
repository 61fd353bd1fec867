import { tab } from "../routes";

export default tab("messages", "/messages", () => import("../views/messages/MessagesTab.vue"), [
  { name: "conversation", path: ":id", component: () => import("../views/messages/ConversationPage.vue") },
], { waiting: () => import("../views/messages/NoConversation.vue") });
