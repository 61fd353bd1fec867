// Weighs what a phone must fetch before the first screen of each entry, compressed; exits 1 above the limit.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 150 * 1024;
const dist = new URL("../../static/dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));

// The first screen of an entry, besides what the entry imports: the language and the first view.
const FIRST = {
  "index.html": ["src/shared/i18n/zh-CN/index.ts", "src/app/views/messages/MessagesTab.vue"],
  "desk.html": ["src/shared/i18n/zh-CN/index.ts"],
  "bank.html": ["src/shared/i18n/zh-CN/index.ts"],
};

function reach(key, found) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`${key} is not in the manifest`);
  if (found.has(chunk.file)) return;
  found.add(chunk.file);
  for (const css of chunk.css ?? []) found.add(css);
  for (const next of chunk.imports ?? []) reach(next, found);
}

for (const [entry, lazy] of Object.entries(FIRST)) {
  const files = new Set();
  for (const key of [entry, ...lazy]) reach(key, files);
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist))).length, 0);
  const fits = bytes < LIMIT_BYTES;
  console.log(`${fits ? "ok  " : "FAIL"} ${entry}: ${(bytes / 1024).toFixed(1)} KB compressed in ${files.size} files, limit ${LIMIT_BYTES / 1024} KB`);
  if (!fits) process.exitCode = 1;
}
