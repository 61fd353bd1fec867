import "@/shared/base.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { onSignedOut } from "@/shared/api";
import { toast } from "@/shared/feedback";
import { i18n, preferredLanguage, t, useLanguage } from "@/shared/i18n";
import { keepShell } from "./shell";
import App from "./App.vue";
import { router } from "./router";
import { emptyKept, keptOwner } from "@/chat/keptDatabase";
import { startFrom, useSession } from "./stores/session";

// The first view's code comes while the words do, and not after the session is known; the router says if it does not.
for (const record of router.resolve(location.pathname).matched) {
  for (const view of Object.values(record.components ?? {})) {
    if (typeof view === "function") (view as () => Promise<unknown>)().catch(() => undefined);
  }
}

await useLanguage(preferredLanguage());
const app = createApp(App).use(createPinia()).use(i18n).use(router);

startFrom(keptOwner);
onSignedOut(() => {
  // A session that was ended, here or from another device, leaves nothing behind.
  void emptyKept();
  const session = useSession();
  if (!session.me) return;
  session.forget();
  toast(t("errors.signedOut"), "bad");
  void router.push({ name: "sign-in", query: { to: router.currentRoute.value.fullPath } });
});

app.mount("#app");
keepShell();
