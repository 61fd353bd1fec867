import type { CardRegistration } from "./index";

export default { kind: "order", component: () => import("./OrderCard.vue") } satisfies CardRegistration;
