import type { CardRegistration } from "./index";

export default { kind: "security", component: () => import("./SecurityCard.vue") } satisfies CardRegistration;
