import { describe, expect, it } from "vitest";
import { nextTick, ref } from "vue";
import { ApiError } from "@/shared/api";
import { CODE, PHONE, useForm } from "./form";
import { ownPath } from "./useEntrance";

const refusal = (fields: Record<string, string>) => new ApiError("invalid", "Nothing was changed.", 400, {}, fields);

describe("a form", () => {
  it("puts a refusal at the field that it shows", async () => {
    const form = useForm({ phone: ref("") });
    expect(await form.submit(() => Promise.reject(refusal({ phone: "Check the number." })))).toBe(false);
    expect(form.errors.value).toEqual({ phone: "Check the number." });
    expect(form.said.value).toBe("");
  });

  it("says what belongs to no field of its own as a whole", async () => {
    const form = useForm({ phone: ref("") });
    await form.submit(() => Promise.reject(refusal({ device_id: "No." })));
    expect(form.errors.value).toEqual({});
    expect(form.said.value).toBe("Nothing was changed.");
  });

  it("takes a refusal back when its field is written in again, and no other", async () => {
    const phone = ref("123");
    const form = useForm({ phone, code: ref("") });
    form.errors.value = { phone: "Eleven digits.", code: "Six digits." };
    phone.value = "1234";
    await nextTick();
    expect(form.errors.value).toEqual({ code: "Six digits." });
  });

  it("forgets the last refusal when it is sent again, and is busy meanwhile", async () => {
    const form = useForm({ phone: ref("") });
    await form.submit(() => Promise.reject(refusal({ phone: "No." })));
    let finish = () => {};
    const sent = form.submit(() => new Promise<void>((resolve) => {
      finish = resolve;
    }));
    expect(form.errors.value).toEqual({});
    expect(form.busy.value).toBe(true);
    expect(await form.submit(() => Promise.resolve())).toBe(false);
    finish();
    expect(await sent).toBe(true);
    expect(form.busy.value).toBe(false);
  });
});

describe("what a form takes", () => {
  it("knows a mobile number and a code", () => {
    expect(PHONE.test("13800000001")).toBe(true);
    for (const wrong of ["12800000001", "1380000000", "138000000011", "１３８００００００００１"]) expect(PHONE.test(wrong)).toBe(false);
    expect(CODE.test("012345")).toBe(true);
    expect(CODE.test("１２３４５６")).toBe(false);
  });
});

describe("the way on after signing in", () => {
  it("stays on this origin", () => {
    expect(ownPath("/contacts/add")).toBe("/contacts/add");
    for (const elsewhere of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", undefined, ["/a"]]) {
      expect(ownPath(elsewhere)).toBeNull();
    }
  });
});
