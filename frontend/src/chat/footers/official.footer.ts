import type { ConversationFooter } from "../footers";

export default {
  fits: (talk, place) => talk.kind === "official" && place === "app",
  component: () => import("./OfficialFooter.vue"),
} satisfies ConversationFooter;
