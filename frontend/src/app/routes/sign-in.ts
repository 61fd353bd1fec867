import { page } from "../routes";

export default [
  page("sign-in", "/sign-in", () => import("../views/sign-in/SignIn.vue"), { open: true }),
  page("register", "/register", () => import("../views/sign-in/RegisterPage.vue"), { open: true }),
  page("privacy-notice", "/privacy", () => import("../views/me/PrivacyPage.vue"), { open: true }),
  page("agreement", "/agreements/:kind", () => import("../views/agreements/AgreementPage.vue"), { open: true }),
  page("reset-password", "/reset-password", () => import("../views/sign-in/ResetPage.vue"), { open: true }),
];
