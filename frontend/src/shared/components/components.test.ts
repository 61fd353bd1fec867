import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { ApiError, type Page } from "../api";
import { ask, question, toast, toasts } from "../feedback";
import { closeTopLayer, isCovered } from "../focus";
import { useLanguage } from "../i18n";
import { foundAgain } from "../online";
import type { Person } from "../people";
import Amount from "./Amount.vue";
import Avatar from "./Avatar.vue";
import Badge from "./Badge.vue";
import BottomSheet from "./BottomSheet.vue";
import ConfirmDialog from "./ConfirmDialog.vue";
import ErrorState from "./ErrorState.vue";
import InfiniteList from "./InfiniteList.vue";
import MoneyField from "./MoneyField.vue";
import NumberPad from "./NumberPad.vue";
import PersonName from "./PersonName.vue";
import PictureViewer from "./PictureViewer.vue";
import PinBoxes from "./PinBoxes.vue";
import TextField from "./TextField.vue";
import VirtualList from "./VirtualList.vue";

const zhou: Person = {
  id: "1",
  name: "周经理",
  name_en: "",
  remark: null,
  hue: 300,
  avatar_url: null,
  kind: "staff",
  seal: { role: "advisor", title: "客户经理", title_en: "Relationship manager", organisation: "远山银行", organisation_en: "Yuanshan Bank" },
};
const lin: Person = { ...zhou, id: "2", name: "林晓舟", seal: null };

function press(key: string, options: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options });
  (document.activeElement ?? document.body).dispatchEvent(event);
  return event;
}

describe("the seal", () => {
  it("stands by a vouched name, with words for screen readers", async () => {
    const name = mount(PersonName, { props: { person: zhou } });
    expect(name.get("[role=img]").attributes("aria-label")).toBe("银行认证:远山银行 客户经理");
    await useLanguage("en");
    await nextTick();
    expect(name.get("[role=img]").attributes("aria-label")).toBe("Verified by the bank: Relationship manager, Yuanshan Bank");
    const alerts = { ...zhou, name: "账户变动", name_en: "Account alerts" };
    const english = mount(PersonName, { props: { person: alerts } });
    expect(english.get(".name").text()).toBe("Account alerts");
    expect(mount(Avatar, { props: { person: alerts } }).text()).toContain("账");
    await english.setProps({ person: { ...alerts, remark: "Mine" } });
    expect(english.get(".name").text()).toBe("Mine");
  });

  it("never stands by another, whatever the name says", () => {
    expect(mount(PersonName, { props: { person: { ...lin, name: "周经理 行" } } }).find("[role=img]").exists()).toBe(false);
    expect(mount(Avatar, { props: { person: { ...lin, name: "行" } } }).find("[role=img]").exists()).toBe(false);
  });
});

describe("an avatar", () => {
  it("shows the first character of the remark, an emoji or a joined one whole", () => {
    expect(mount(Avatar, { props: { person: { ...lin, remark: "妈妈" } } }).text()).toBe("妈");
    expect(mount(Avatar, { props: { person: { ...lin, name: "👩‍👧 家" } } }).text()).toBe("👩‍👧");
    expect(mount(Avatar, { props: { person: { ...lin, name: "  tao" } } }).text()).toBe("T");
  });

  it("tells service accounts of one bank apart by the third character", () => {
    const official = (name: string) => mount(Avatar, { props: { person: { ...zhou, name, seal: { role: "official", title: "服务号", title_en: "Service account", organisation: "远山银行", organisation_en: "Yuanshan Bank" } } } }).text().charAt(0);
    expect(["远山财富", "远山商城", "年报"].map(official)).toEqual(["财", "商", "年"]);
  });

  it("takes a colour of the palette for every hue", () => {
    for (const hue of [-9, -1, 0, 7, 8, 359]) expect(mount(Avatar, { props: { person: { ...lin, hue } } }).classes().join(" ")).toMatch(/hue-[0-7]( |$)/);
  });

  it("falls back to the character when the picture does not come", async () => {
    const avatar = mount(Avatar, { props: { person: { ...lin, avatar_url: "/x.webp" } } });
    await avatar.get("img").trigger("error");
    expect(avatar.text()).toBe("林");
  });
});

describe("an amount", () => {
  it("always writes the sign of a change beside its colour", () => {
    const up = mount(Amount, { props: { fen: 3812, tone: "change" } });
    const down = mount(Amount, { props: { fen: -3812, tone: "change" } });
    expect([up.text(), up.classes()]).toEqual(["+38.12", expect.arrayContaining(["is-up"])]);
    expect([down.text(), down.classes()]).toEqual(["−38.12", expect.arrayContaining(["is-down"])]);
    expect(mount(Amount, { props: { fen: 0, tone: "change" } }).text()).toBe("0.00");
  });

  it("shows nothing of itself when hidden", () => {
    expect(mount(Amount, { props: { fen: 28691437, hidden: true } }).text()).not.toMatch(/\d/);
  });
});

it("a badge is silent at zero and stops counting at 99", () => {
  expect(mount(Badge, { props: { count: 0 } }).text()).toBe("");
  expect(mount(Badge, { props: { count: 120 } }).text()).toContain("99+");
  expect(mount(Badge, { props: { count: 120 } }).text()).toContain("120 条未读");
});

describe("a money field", () => {
  it("gives fen for what was typed, and null for what is no amount", async () => {
    const field = mount(MoneyField, { props: { label: "金额", modelValue: null } });
    const said = async (typed: string) => {
      await field.get("input").setValue(typed);
      return field.emitted("update:modelValue")?.at(-1);
    };
    expect(await said("5,000.5")).toEqual([500050]);
    expect(await said("1.234")).toEqual([null]);
    expect(await said("１２")).toEqual([1200]);
    expect(field.find("[role=alert]").exists()).toBe(false);
  });

  it("stands in groups of three while nobody writes in it", async () => {
    const field = mount(MoneyField, { props: { label: "金额", modelValue: null, "onUpdate:modelValue": (fen: number | null) => field.setProps({ modelValue: fen }) } });
    const input = field.get("input");
    await input.setValue("99999999.5");
    await input.trigger("blur");
    expect(input.element.value).toBe("99,999,999.5");
    await input.trigger("focus");
    expect(input.element.value).toBe("99999999.5");
    await input.setValue("1.234");
    await input.trigger("blur");
    expect(input.element.value).toBe("1.234");
  });

  it("lets what is selected of an amount be typed over when it gets the focus", async () => {
    const field = mount(MoneyField, { props: { label: "金额", modelValue: 20_000_00 }, attachTo: document.body });
    const input = field.get("input").element;
    await field.get("input").trigger("blur");
    expect(input.value).toBe("20,000");
    input.select();
    await field.get("input").trigger("focus");
    expect([input.value, input.selectionStart, input.selectionEnd]).toEqual(["20000", 0, 5]);
    field.unmount();
  });

  it("says when what was typed is no amount, and nothing while nothing was", async () => {
    const field = mount(MoneyField, { props: { label: "金额", modelValue: null, hint: "1 元起" } });
    expect(field.text()).toContain("1 元起");
    for (const typed of ["99999999999999", "1.234", "-5", "1e9"]) {
      await field.get("input").setValue(typed);
      expect(field.get("[role=alert]").text(), typed).toContain("请输入正确的金额");
    }
    await field.get("input").setValue("");
    expect(field.find("[role=alert]").exists()).toBe(false);
  });
});

it("what had no network tries again by itself once there is one, or the server is back; a refusal does not", async () => {
  const cut = mount(ErrorState, { props: { error: new ApiError("offline", "当前没有网络") } });
  const refused = mount(ErrorState, { props: { error: new ApiError("not_found", "没有找到", 404) } });
  const down = mount(ErrorState, { props: { error: new ApiError("unavailable", "服务暂时不可用", 503) } });
  dispatchEvent(new Event("offline"));
  await nextTick();
  expect(cut.emitted("retry")).toBeUndefined();
  dispatchEvent(new Event("online"));
  await nextTick();
  expect(cut.emitted("retry")).toHaveLength(1);
  foundAgain();
  await nextTick();
  expect(cut.emitted("retry")).toHaveLength(2);
  expect(down.emitted("retry")).toHaveLength(2);
  expect(refused.emitted("retry")).toBeUndefined();
});

it("a field names its error for screen readers", () => {
  const field = mount(TextField, { props: { label: "手机号", modelValue: "", error: "应为 11 位" } });
  const input = field.get("input");
  expect(input.attributes("aria-invalid")).toBe("true");
  expect(field.get(`#${input.attributes("aria-describedby") ?? ""}`).text()).toBe("应为 11 位");
  expect(field.get("label").attributes("for")).toBe(input.attributes("id"));
});

describe("the number pad", () => {
  it("takes taps and the physical keys, and leaves typing in a field alone", async () => {
    const pad = mount(NumberPad, { attachTo: document.body });
    await pad.findAll("button").find((key) => key.text() === "7")?.trigger("click");
    expect(press("5").defaultPrevented).toBe(true);
    press("Backspace");
    expect(press("a").defaultPrevented).toBe(false);
    press("3", { ctrlKey: true });
    expect(pad.emitted("digit")).toEqual([["7"], ["5"]]);
    expect(pad.emitted("back")).toHaveLength(1);
    const input = document.createElement("input");
    document.body.append(input);
    input.focus();
    expect(press("1").defaultPrevented).toBe(false);
    expect(pad.emitted("digit")).toHaveLength(2);
    input.remove();
    pad.unmount();
    expect(press("9").defaultPrevented).toBe(false);
  });

  it("has each digit once, elsewhere each time where it is shuffled, and types what stands on the key", async () => {
    const orders = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const pad = mount(NumberPad, { props: { shuffled: true } });
      const keys = pad.findAll("button").filter((key) => /^[0-9]$/.test(key.text()));
      for (const key of keys) await key.trigger("click");
      const order = keys.map((key) => key.text());
      expect(pad.emitted("digit")).toEqual(order.map((digit) => [digit]));
      expect([...order].sort().join("")).toBe("0123456789");
      orders.add(order.join(""));
      pad.unmount();
    }
    expect(orders.size).toBeGreaterThan(15);
    const plain = mount(NumberPad);
    expect(plain.findAll("button").map((key) => key.text()).join("")).toContain("1234567890");
    plain.unmount();
  });

  it("is silent while disabled", () => {
    const pad = mount(NumberPad, { props: { disabled: true } });
    press("5");
    expect(pad.emitted("digit")).toBeUndefined();
    pad.unmount();
  });
});

it("the boxes of a PIN say how many digits, never which", () => {
  const boxes = mount(PinBoxes, { props: { filled: 3 } });
  expect(boxes.attributes("aria-label")).toBe("已输入 3 位,共 6 位");
  expect(boxes.findAll(".on")).toHaveLength(3);
});

describe("a dialog", () => {
  it("answers yes, no, and no to Esc, and one at a time", async () => {
    const host = mount(ConfirmDialog, { attachTo: document.body, global: { stubs: { Transition: false } } });
    const first = ask({ title: "一", ok: "好" });
    const second = ask({ title: "二", ok: "好" });
    expect(await first).toBe(false);
    await nextTick();
    const buttons = [...document.querySelectorAll<HTMLButtonElement>("[role=alertdialog] button")];
    buttons.at(-1)?.click();
    expect(await second).toBe(true);
    const third = ask({ title: "三", ok: "好" });
    await nextTick();
    press("Escape");
    expect(await third).toBe(false);
    expect(question.value).toBeNull();
    host.unmount();
  });
});

describe("a sheet", () => {
  it("takes the focus, closes with Esc, and gives the focus back", async () => {
    const opener = document.createElement("button");
    document.body.append(opener);
    opener.focus();
    const sheet = mount(BottomSheet, { props: { open: true, title: "账户" }, attachTo: document.body, slots: { default: "<button>一</button>" } });
    await nextTick();
    const dialog = document.querySelector<HTMLElement>("[role=dialog]");
    expect(dialog?.contains(document.activeElement)).toBe(true);
    press("Escape");
    expect(sheet.emitted("update:open")).toEqual([[false]]);
    await sheet.setProps({ open: false });
    await flushPromises();
    expect(document.activeElement).toBe(opener);
    sheet.unmount();
    opener.remove();
  });

  it("is the first thing that the way back closes", async () => {
    expect(isCovered()).toBe(false);
    const sheet = mount(BottomSheet, { props: { open: true, title: "账户" }, attachTo: document.body });
    await nextTick();
    expect(isCovered()).toBe(true);
    closeTopLayer();
    expect(sheet.emitted("update:open")).toEqual([[false]]);
    await sheet.setProps({ open: false });
    await flushPromises();
    expect(isCovered()).toBe(false);
    sheet.unmount();
  });

  it("stays while it is locked", async () => {
    const sheet = mount(BottomSheet, { props: { open: true, title: "账户", locked: true }, attachTo: document.body });
    await nextTick();
    press("Escape");
    expect(sheet.emitted("update:open")).toBeUndefined();
    sheet.unmount();
  });
});

describe("an error", () => {
  it("offers to try again what may come, and not what is gone", () => {
    const offered = (status: number) => mount(ErrorState, { props: { error: new ApiError("x", "…", status) } }).find("button").exists();
    expect([0, 409, 500].map(offered)).toEqual([true, true, true]);
    expect([403, 404, 410].map(offered)).toEqual([false, false, false]);
  });
});

describe("pictures over the screen", () => {
  it("are turned by buttons and by keys, from the first to the last", async () => {
    Element.prototype.scrollIntoView = vi.fn();
    const pictures = ["a", "b", "c"].map((id) => ({ id, full: `/${id}` }));
    const viewer = mount(PictureViewer, { props: { pictures, start: 1 }, attachTo: document.body });
    const named = (name: string) => document.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`);
    const count = () => document.querySelector(".count")?.textContent;
    expect(count()).toBe("2 / 3");
    named("下一张")?.click();
    await nextTick();
    expect([count(), named("下一张")?.disabled, named("上一张")?.disabled]).toEqual(["3 / 3", true, false]);
    press("ArrowLeft");
    await nextTick();
    expect(count()).toBe("2 / 3");
    expect(document.querySelector<HTMLElement>("[role=group]")?.tabIndex).toBe(0);
    viewer.unmount();
  });
});

describe("a toast", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("goes by itself, and no more than three stand at once", () => {
    for (const text of ["1", "2", "3", "4"]) toast(text);
    expect(toasts.value.map((item) => item.text)).toEqual(["2", "3", "4"]);
    toast("3");
    expect(toasts.value.map((item) => item.text)).toEqual(["2", "4", "3"]);
    vi.advanceTimersByTime(5000);
    expect(toasts.value).toEqual([]);
  });
});

describe("an endless list", () => {
  interface Row {
    id: string;
  }
  let near: () => void = () => undefined;
  beforeEach(() => {
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        constructor(heard: (entries: { isIntersecting: boolean }[]) => void) {
          near = () => heard([{ isIntersecting: true }]);
        }
        observe = () => undefined;
        disconnect = () => undefined;
      },
    );
  });
  afterEach(() => vi.unstubAllGlobals());

  function list(load: (before: string | null) => Promise<Page<Row>>) {
    return mount(InfiniteList<Row>, {
      props: { load, itemKey: (row: Row) => row.id },
      slots: { default: `<template #default="{ item }"><p>{{ item.id }}</p></template>`, empty: "<p>空</p>" },
    });
  }

  it("fetches page by page to the end, shows no row twice, and then asks no more", async () => {
    const load = vi.fn((before: string | null) => Promise.resolve(before === null ? { items: [{ id: "a" }, { id: "b" }], next: "2" } : { items: [{ id: "b" }, { id: "c" }], next: null }));
    const rows = list(load);
    expect(rows.find("[role=status]").exists()).toBe(true);
    await flushPromises();
    near();
    await flushPromises();
    near();
    await flushPromises();
    expect(rows.findAll("p").map((row) => row.text())).toEqual(["a", "b", "c"]);
    expect(load.mock.calls.map(([before]) => before)).toEqual([null, "2"]);
  });

  it("says that it is empty", async () => {
    const rows = list(() => Promise.resolve({ items: [], next: null }));
    await flushPromises();
    expect(rows.text()).toBe("空");
  });

  it("shows what went wrong and tries again when asked", async () => {
    let broken = true;
    const rows = list(() => (broken ? Promise.reject(new Error("x")) : Promise.resolve({ items: [{ id: "a" }], next: null })));
    await flushPromises();
    expect(rows.get("[role=alert]").text()).toContain("出了点问题");
    broken = false;
    await rows.get("[role=alert] button").trigger("click");
    await flushPromises();
    expect(rows.text()).toBe("a");
  });

  it("forgets an answer that comes after it began anew", async () => {
    let answerOld: (page: Page<Row>) => void = () => undefined;
    let count = 0;
    const rows = list(() => {
      count += 1;
      return count === 1 ? new Promise((resolve) => (answerOld = resolve)) : Promise.resolve({ items: [{ id: "new" }], next: null });
    });
    await rows.setProps({ source: "other" });
    await flushPromises();
    answerOld({ items: [{ id: "old" }], next: null });
    await flushPromises();
    expect(rows.findAll("p").map((row) => row.text())).toEqual(["new"]);
  });
});

it("a list of 20,000 rows holds only those in sight", async () => {
  const items = Array.from({ length: 20_000 }, (_, index) => ({ id: String(index) }));
  const list = mount(VirtualList<{ id: string }>, {
    props: { items, itemKey: (item: { id: string }) => item.id, rowHeight: 68 },
    slots: { default: `<template #default="{ item }"><p>{{ item.id }}</p></template>` },
    attachTo: document.body,
  });
  await nextTick();
  expect(list.findAll("p").length).toBeLessThan(40);
  list.vm.scrollTo(12_000);
  await nextTick();
  const shown = list.findAll("p").map((row) => Number(row.text()));
  expect(shown).toContain(12_000);
  expect(shown.length).toBeLessThan(40);
  expect(list.get(`[aria-posinset="12001"]`).attributes("aria-setsize")).toBe("20000");
  list.unmount();
});
