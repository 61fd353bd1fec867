import { page } from "../routes";

export default [page("sign-in", "/sign-in", () => import("../views/sign-in/SignIn.vue"), { open: true })];
