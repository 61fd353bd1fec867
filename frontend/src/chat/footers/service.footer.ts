import type { ConversationFooter } from "../footers";

export default {
  fits: (talk, place) => talk.kind === "service" && place === "app",
  component: () => import("./ServiceFooter.vue"),
} satisfies ConversationFooter;
