import type { CardRegistration } from "./index";

export default { kind: "article", component: () => import("./ArticleCard.vue") } satisfies CardRegistration;
