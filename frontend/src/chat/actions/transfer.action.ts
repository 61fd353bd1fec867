import type { ComposerAction } from "../composerActions";

/** Money goes to one friend; the bank's own people and service accounts take none. */
export default {
  key: "transfer",
  icon: "swap",
  label: "payments.transfer",
  order: 20,
  available: (talk, place) => place === "app" && talk.kind === "direct" && talk.peer_ids.length === 1,
  component: () => import("./TransferStart.vue"),
} satisfies ComposerAction;
