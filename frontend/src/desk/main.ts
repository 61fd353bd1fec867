import "@/shared/base.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { onSignedOut } from "@/shared/api";
import { i18n, preferredLanguage, useLanguage } from "@/shared/i18n";
import { reloadWhenReplaced } from "@/shared/reload";
import App from "./App.vue";
import { router } from "./router";
import { useSession } from "@/app/stores/session";

await useLanguage(preferredLanguage());
const app = createApp(App).use(createPinia()).use(i18n).use(router);

onSignedOut(() => {
  const session = useSession();
  if (!session.me) return;
  session.forget();
  location.assign("/sign-in?to=/desk/");
});

app.mount("#app");
reloadWhenReplaced();
