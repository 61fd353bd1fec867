import { mount } from "@vue/test-utils";
import { createPinia } from "pinia";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ref, type Ref } from "vue";
import { drafts, keepDraft } from "./drafts";
import ConversationRow from "./ConversationRow.vue";
import { newOutgoing, newTalk } from "./talks";
import type { Outgoing, Talk } from "./types";

const link = vi.hoisted(() => ({}) as { status: Ref<string> });
vi.mock("./socket", async (load) => {
  link.status = ref("open");
  return { ...(await load<object>()), socket: { status: link.status, on: () => () => undefined } };
});

const ID = "018f0000-0000-7000-8000-000000000001";
const SENT = Date.parse("2026-11-23T01:00:00Z");

function talk(...outgoing: Partial<Outgoing>[]): Talk {
  const line = {
    id: ID, kind: "direct" as const, title: "", seq: 1, version: 1, archived: false, notice_version: "", active_at: "2026-11-23T01:00:00Z", barred: "", read_seq: 1,
    unread: 0, muted: false, pinned: false, hidden: false, member_count: 2, peer_ids: [], last: null,
  };
  return { ...newTalk(line), outgoing: outgoing.map((one) => ({ ...newOutgoing(ID, { text: "在吗" }), at: new Date(SENT).toISOString(), ...one })) };
}
function shown(of: Talk, more: { selected?: boolean; now?: number } = {}): string {
  const row = mount(ConversationRow, { props: { talk: of, now: SENT + 1_000, ...more }, global: { plugins: [createPinia()] } });
  const labels = row.findAll("svg[aria-label], [role=img]").map((icon) => icon.attributes("aria-label") ?? icon.text());
  return [...labels, row.text()].join(" ");
}

afterEach(() => {
  drafts.clear();
  link.status.value = "open";
});

describe("a conversation in the list", () => {
  it("says nothing of a message that has only just gone out", () => {
    expect(shown(talk({}))).not.toMatch(/发送中|未送出/);
  });

  it("marks what waits for the server, however long the network has been there", () => {
    expect(shown(talk({}), { now: SENT + 60_000 })).toContain("发送中");
    link.status.value = "opening";
    expect(shown(talk({}))).toContain("发送中");
  });

  it("marks what was refused", () => {
    expect(shown(talk({ state: "failed" }))).toContain("未送出");
  });

  it("shows what was begun and left, and not while one is writing it", () => {
    keepDraft(ID, "明天\n几点");
    expect(shown(talk())).toContain("[草稿] 明天 几点");
    expect(shown(talk(), { selected: true })).not.toContain("草稿");
    keepDraft(ID, "  ");
    expect(shown(talk())).not.toContain("草稿");
  });
});
