import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useLanguage } from "@/shared/i18n";
import type { Replies } from "@/shared/officials/officials";
import RepliesEditor from "./RepliesEditor.vue";

const REPLIES: Replies = { revision: 3, menu: [], greeting: "Welcome", auto_reply: "", keywords: [] };
const sent: { revision: number; greeting: string }[] = [];
let stored = 3;
let page: VueWrapper;

/** A server that keeps one revision and refuses a stale one. */
function answer(_: string, init: RequestInit): Promise<Response> {
  const body = JSON.parse(init.body as string) as Replies;
  sent.push(body);
  if (body.revision !== stored) return Promise.resolve(Response.json({ error: { code: "replies_moved", message: "Somebody else", params: {} } }, { status: 409 }));
  stored += 1;
  return Promise.resolve(Response.json({ ...body, revision: stored }));
}

async function save(greeting: string): Promise<void> {
  await page.find("textarea").setValue(greeting);
  await page.find(".tools button").trigger("click");
  await flushPromises();
}

beforeEach(async () => {
  await useLanguage("en");
  stored = 3;
  sent.length = 0;
  vi.stubGlobal("fetch", answer);
  page = mount(RepliesEditor, { props: { code: "news", replies: REPLIES, articles: [] } });
});
afterEach(() => {
  page.unmount();
  vi.unstubAllGlobals();
});

describe("the editor of a service account's replies", () => {
  it("sends along what it has seen, and after a save the new one", async () => {
    await save("One");
    await save("Two");
    expect(sent.map(({ revision, greeting }) => [revision, greeting])).toEqual([[3, "One"], [4, "Two"]]);
    expect(page.find("[role=alert]").exists()).toBe(false);
  });

  it("says that somebody else saved, saves nothing over it, and offers the latest", async () => {
    stored = 4;
    await save("Mine");
    const said = page.get("[role=alert]");
    expect(said.text()).toContain("Somebody else");
    expect(page.get(".tools button").attributes("disabled")).toBeDefined();
    await said.get("button").trigger("click");
    expect(page.emitted("reload")).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });
});
