import { page } from "../routes";

export default [page("alert-settings", "/alerts/settings", () => import("../views/alerts/AlertSettingsPage.vue"))];
