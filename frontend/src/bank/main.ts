import "@/shared/base.css";
import { createApp } from "vue";
import { i18n, preferredLanguage, useLanguage } from "@/shared/i18n";
import App from "./App.vue";

const asked = new URLSearchParams(location.hash.slice(1));
await useLanguage(preferredLanguage());

// The code opens one session, once: it leaves the address before anything else can read it.
const code = asked.get("code");
asked.delete("code");
history.replaceState(null, "", `#${asked.toString()}`);

createApp(App, { code, shuffled: asked.get("pad") === "random" }).use(i18n).mount("#app");
