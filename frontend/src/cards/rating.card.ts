import type { CardRegistration } from "./index";

export default { kind: "rating", component: () => import("./RatingCard.vue") } satisfies CardRegistration;
