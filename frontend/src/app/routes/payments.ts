import { beside } from "../routes";

const messages = () => import("../views/messages/MessagesTab.vue");
const wealth = () => import("../views/wealth/WealthTab.vue");
const me = () => import("../views/me/MeTab.vue");

export default [
  beside("wealth", wealth, "transfer-to", "/wealth/transfer", () => import("../views/payments/TransferTo.vue")),
  beside("wealth", wealth, "own-transfer", "/wealth/own-transfer", () => import("../views/payments/OwnTransferPage.vue")),
  beside("messages", messages, "transfer-new", "/transfers/new/:conversationId/:payeeId", () => import("../views/payments/TransferNew.vue")),
  beside("messages", messages, "transfer", "/transfers/:id", () => import("../views/payments/TransferPage.vue")),
  beside("me", me, "open-account", "/me/open-account", () => import("../views/payments/OpenAccount.vue")),
  beside("me", me, "payouts", "/me/payouts", () => import("../views/payments/PayoutsPage.vue")),
  beside("me", me, "payout-new", "/me/payouts/new", () => import("../views/payments/PayoutNew.vue")),
];
