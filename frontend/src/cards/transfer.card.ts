import type { CardRegistration } from "./index";

export default { kind: "transfer", component: () => import("./TransferCard.vue") } satisfies CardRegistration;
