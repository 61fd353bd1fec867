import { tab } from "../routes";

export default tab("me", "/me", () => import("../views/me/MeTab.vue"));
