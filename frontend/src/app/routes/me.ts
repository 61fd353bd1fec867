import { tab } from "../routes";

export default tab("me", "/me", () => import("../views/me/MeTab.vue"), [
  { name: "display", path: "display", component: () => import("../views/me/DisplayPage.vue") },
]);
