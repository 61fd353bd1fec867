import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import vue from "@vitejs/plugin-vue";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Writes sw.js with the names of the files that the app's first screens need. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((item) => item.type === "chunk");
      const entry = chunks.find((chunk) => chunk.isEntry && chunk.name === "app");
      if (!entry) throw new Error("the app has no entry");
      const files = new Set<string>();
      const reach = (name: string): void => {
        const chunk = chunks.find((item) => item.fileName === name);
        if (!chunk || files.has(name)) return;
        files.add(name);
        for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css);
        for (const next of [...chunk.imports, ...chunk.dynamicImports]) reach(next);
      };
      reach(entry.fileName);
      const list = [...files].sort().map((file) => `/static/dist/${file}`);
      list.push("/static/dist/theme-boot.js");
      const shell = `shell-${createHash("sha256").update(list.join()).digest("hex").slice(0, 12)}`;
      const source = readFileSync(here("./src/app/sw.js"), "utf8")
        .replace('"__SHELL__"', JSON.stringify(shell))
        .replace('"__FILES__"', JSON.stringify(list, null, 2));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

const WORTH_BYTES = 1_024;

/** Puts compressed twins beside what is built: the server sends those to whoever takes them. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(?:js|css|svg)$/.test(name)) continue;
        const file = join(dir ?? "", name);
        const content = readFileSync(file);
        if (content.length < WORTH_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
      }
    },
  };
}

const SCREENS = {
  app: "src/app/main.ts",
  desk: "src/desk/main.ts",
  bank: "src/bank/main.ts",
  first: "src/app/views/messages/MessagesTab.vue",
};

const AREA = /src\/(\w+)\/views\/(\w+)\//;

interface Graph {
  getModuleInfo(id: string): { importedIds: readonly string[]; dynamicallyImportedIds: readonly string[] } | null;
}

/** Names the chunk that a module belongs to, so that a first screen is twenty files and not a hundred.
 *
 * Together is what the same first screens need at once, apart from what other entries' views need too; and what views
 * alone share, for each area or for all areas of an entry. No first screen loads what it does not need.
 */
function chunkName(): (id: string, graph: Graph) => string | null {
  const screens = new Map(Object.entries(SCREENS).map(([name, path]) => [here(`./${path}`), name]));
  let users: Map<string, string[]> | undefined;

  const reached = (graph: Graph, start: string, views: Set<string>): Set<string> => {
    const found = new Set<string>();
    const waiting = [start];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const module = found.has(id) ? null : graph.getModuleInfo(id);
      if (!module) continue;
      found.add(id);
      waiting.push(...module.importedIds);
      for (const view of module.dynamicallyImportedIds) views.add(view);
    }
    return found;
  };

  const look = (graph: Graph): Map<string, string[]> => {
    const all = new Map<string, string[]>();
    const starts = new Set(screens.keys());
    // What is found on the way is gone through too.
    for (const start of starts) {
      for (const id of reached(graph, start, starts)) all.set(id, [...(all.get(id) ?? []), start]);
    }
    return all;
  };

  return (id, graph) => {
    users ??= look(graph);
    const starts = users.get(id) ?? [];
    if (screens.has(id)) return null;
    if (starts.length < 2) return screens.get(starts[0] ?? "") ?? null;
    const names = starts.flatMap((start) => screens.get(start) ?? []).sort();
    const areas = starts.filter((start) => !screens.has(start)).map((view) => AREA.exec(view)?.slice(1) ?? [""]);
    const owners = new Set(areas.map(([owner]) => owner));
    if (names.length) {
      // What an entry needs at once, its views find there.
      const elsewhere = [...owners].some((owner) => owner && !names.includes(owner));
      return `${names.join("-")}${elsewhere ? "-views" : ""}`;
    }
    const one = new Set(areas.map((area) => area.join("-")));
    if (one.size === 1 && areas[0]?.[0]) return `area-${areas[0].join("-")}`;
    return owners.size === 1 ? `areas-${[...owners].join()}` : "areas";
  };
}

const backend = process.env["RONGLIAO_BACKEND"] ?? "http://localhost:8000";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/dist/" : "/",
  plugins: [vue(), serviceWorker(), compressed()],
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
      output: {
        // Whoever imports a chunk's module belongs to fewer entries, so that no two chunks import each other.
        codeSplitting: { groups: [{ name: chunkName(), includeDependenciesRecursively: false }] },
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
