import { beside } from "../routes";

export default [
  beside("messages", () => import("../views/messages/MessagesTab.vue"), "alert-settings", "/alerts/settings", () => import("../views/alerts/AlertSettingsPage.vue")),
];
