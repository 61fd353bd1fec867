import { tab } from "../routes";

export default tab("moments", "/moments", () => import("../views/moments/MomentsTab.vue"), [], { single: true });
