import type { CardRegistration } from "./index";

export default { kind: "alert", component: () => import("./AlertCard.vue") } satisfies CardRegistration;
