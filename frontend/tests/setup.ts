import { beforeEach } from "vitest";
import { i18n, useLanguage } from "@/shared/i18n";
import { config } from "@vue/test-utils";

config.global.plugins = [i18n];

beforeEach(async () => {
  localStorage.clear();
  await useLanguage("zh-CN");
});
