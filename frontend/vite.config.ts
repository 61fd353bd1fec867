import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Vant's icon font is fetched from a CDN; a bank's page loads nothing from elsewhere. */
function withoutForeignFonts(): Plugin {
  return {
    name: "without-foreign-fonts",
    enforce: "pre",
    transform(code, id) {
      if (!/[\\/]vant[\\/].*\.css(\?|$)/.test(id)) return null;
      return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
    },
  };
}

const backend = process.env["RONGLIAO_BACKEND"] ?? "http://localhost:8000";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/dist/" : "/",
  plugins: [withoutForeignFonts(), vue()],
  resolve: { alias: { "@": here("./src") } },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
  },
  build: {
    outDir: here("../static/dist"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // data: URLs would need a wider content policy
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        app: here("./index.html"),
        desk: here("./desk.html"),
        bank: here("./bank.html"),
      },
    },
  },
  server: {
    port: 5173,
    proxy: {
      "/api": { target: backend },
      "/ws": { target: backend.replace(/^http/, "ws"), ws: true },
      "/static": { target: backend },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
    setupFiles: ["./tests/setup.ts"],
  },
}));
