import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useLanguage } from "@/shared/i18n";
import ProofForm from "./ProofForm.vue";

/** A bank that sends one code and lets nobody prove anything. */
function answer(path: string): Response {
  if (path.endsWith("/proof/code")) return Response.json({ demo_code: "330512", again_in_s: 60 }, { status: 201 });
  if (path.includes("/proof?")) return Response.json({ purpose: "device", needs: ["id_tail"], sent_to: "138****0001", proved: false });
  return Response.json({ error: { code: "proof_refused", message: "Not right, 4 left", params: { tries_left: 4 } } }, { status: 403 });
}

beforeEach(async () => {
  await useLanguage("en");
  vi.stubGlobal("fetch", async (path: string) => answer(path));
});
afterEach(() => vi.unstubAllGlobals());

it("asks for a new code after a refusal, which has spent the one that was sent", async () => {
  const form = mount(ProofForm, { props: { intentId: "i", asked: "device", said: "", mayGoBack: true } });
  await flushPromises();
  const press = async (words: string): Promise<void> => {
    await form.findAll("button").find((button) => button.text() === words)?.trigger("click");
    await flushPromises();
  };
  await press("Send code");
  expect(form.text()).toContain("Sent to your registered phone 138****0001");
  await press("Fill in");
  await form.get("input[name=id_tail]").setValue("123456");
  await form.get("form").trigger("submit");
  await flushPromises();
  expect(form.get("[role=alert]").text()).toBe("Not right, 4 left");
  expect(form.text()).toContain("Ask for a new code, and try again");
  expect(form.text()).not.toContain("330512");
});
