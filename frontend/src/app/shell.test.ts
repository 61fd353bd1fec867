import { flushPromises, mount } from "@vue/test-utils";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { useRail } from "@/desk/rail";
import { api, ApiError } from "@/shared/api";
import InstallBanner from "./InstallBanner.vue";
import { page, tab } from "./routes";
import { install, keepShell } from "./shell";
import { startFrom, useSession, type Me } from "./stores/session";

const me = { id: "1", name: "周经理", remark: null, hue: 0, avatar_url: null, seal: null, kind: "staff", roles: ["advisor"] } as unknown as Me;
const view = () => Promise.resolve({ default: defineComponent(() => () => h("p")) });

beforeEach(() => {
  setActivePinia(createPinia());
  startFrom(() => Promise.resolve(null));
  vi.restoreAllMocks();
});

describe("the session", () => {
  it("is asked for once, however many routes want it", async () => {
    const get = vi.spyOn(api, "get").mockResolvedValue({ me });
    const session = useSession();
    await Promise.all([session.ready(), session.ready()]);
    await session.ready();
    expect(get).toHaveBeenCalledTimes(1);
    expect(session.me?.name).toBe("周经理");
  });

  it("knows that nobody is signed in, which is an answer and no failure", async () => {
    vi.spyOn(api, "get").mockResolvedValue({ me: null });
    const session = useSession();
    await session.ready();
    expect([session.me, session.error]).toEqual([null, null]);
  });

  it("keeps the reason when the server did not answer, and asks again the next time", async () => {
    const get = vi.spyOn(api, "get").mockRejectedValueOnce(new ApiError("offline", "没有网络")).mockResolvedValueOnce({ me });
    const session = useSession();
    await session.ready();
    expect(session.error).toBeInstanceOf(ApiError);
    await session.ready();
    expect([session.me?.id, session.error]).toEqual(["1", null]);
    expect(get).toHaveBeenCalledTimes(2);
  });

  it("takes the device's word without a network, until the server says otherwise", async () => {
    startFrom(() => Promise.resolve(me));
    vi.spyOn(api, "get").mockRejectedValueOnce(new ApiError("offline", "没有网络")).mockResolvedValueOnce({ me: null });
    const session = useSession();
    await session.ready();
    expect([session.me?.id, session.presumed, session.error]).toEqual(["1", true, null]);
    await session.load();
    expect([session.me, session.presumed]).toEqual([null, false]);
  });

  it("does not take the device's word where the server refuses", async () => {
    startFrom(() => Promise.resolve(me));
    vi.spyOn(api, "get").mockRejectedValueOnce(new ApiError("not_allowed", "不可以", 403));
    const session = useSession();
    await session.ready();
    expect([session.me, session.error instanceof ApiError]).toEqual([null, true]);
  });

  it("forgets a person who leaves", async () => {
    const get = vi.spyOn(api, "get").mockResolvedValue({ me });
    const session = useSession();
    await session.ready();
    session.forget();
    expect(session.me).toBeNull();
    await session.ready();
    expect(get).toHaveBeenCalledTimes(2);
  });
});

describe("an area's routes", () => {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [...tab("messages", "/messages", view, [{ name: "conversation", path: ":id", component: view }]), page("sign-in", "/sign-in", view, { open: true })],
  });

  it("open a page beside its tab's list, with the parameters as props for the page alone", () => {
    const found = router.resolve("/messages/7");
    expect(found.name).toBe("conversation");
    expect(found.meta).toMatchObject({ tab: "messages", detail: true });
    const record = found.matched[0];
    expect(Object.keys(record?.components ?? {}).sort()).toEqual(["default", "list"]);
    expect(record?.components?.["list"]).toBe(router.resolve("/messages").matched[0]?.components?.["list"]);
    expect(record?.props).toEqual({ list: false, default: true });
  });

  it("need a sign-in unless they say that they are open", () => {
    expect(router.resolve("/messages").meta.open).toBeUndefined();
    expect(router.resolve("/sign-in").meta).toMatchObject({ open: true, bare: true });
  });
});

it("the desk's rail shows a person the places of their roles, in order", async () => {
  vi.spyOn(api, "get").mockResolvedValue({ me });
  await useSession().ready();
  const place = (name: string, order: number, roles: string[]) => ({ path: `/${name}`, name, component: view, meta: { rail: { icon: "chart" as const, label: "shell.deskHome", order, roles } } });
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: "/", component: view }, place("late", 9, ["advisor"]), place("first", 1, ["agent", "advisor"]), place("closed", 2, ["operator"])],
  });
  let names: string[] = [];
  mount(
    defineComponent(() => {
      const rail = useRail();
      return () => {
        names = rail.value.map((entry) => entry.name);
        return h("p");
      };
    }),
    { global: { plugins: [router] } },
  );
  await flushPromises();
  expect(names).toEqual(["first", "late"]);
});

describe("the offer to install", () => {
  function offer(): { prompt: ReturnType<typeof vi.fn> } {
    const event = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), {
      prompt: vi.fn(() => Promise.resolve()),
      userChoice: Promise.resolve({ outcome: "accepted" as const }),
    });
    dispatchEvent(event);
    return event;
  }

  it("appears when the browser makes it, and not again for a month after 'not now'", async () => {
    keepShell();
    const banner = mount(InstallBanner);
    expect(banner.find("aside").exists()).toBe(false);
    const first = offer();
    await flushPromises();
    await banner.get("button").trigger("click");
    await flushPromises();
    expect(first.prompt).toHaveBeenCalledTimes(1);
    expect(banner.find("aside").exists()).toBe(false);
    offer();
    await flushPromises();
    await banner.get("[aria-label]:not(aside)").trigger("click");
    expect(install.offer.value).toBeNull();
    offer();
    await flushPromises();
    expect(banner.find("aside").exists()).toBe(false);
  });
});
