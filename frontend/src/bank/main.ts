import "@/shared/base.css";
import { createApp } from "vue";
import { i18n, preferredLanguage, useLanguage } from "@/shared/i18n";
import App from "./App.vue";

await useLanguage(preferredLanguage());
createApp(App).use(i18n).mount("#app");
