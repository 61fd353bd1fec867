import { tab } from "../routes";

export default tab("wealth", "/wealth", () => import("../views/wealth/WealthTab.vue"));
