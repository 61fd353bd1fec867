import type { CardRegistration } from "./index";

export default { kind: "product", component: () => import("./ProductCard.vue") } satisfies CardRegistration;
