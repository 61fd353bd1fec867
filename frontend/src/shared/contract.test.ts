import { expect, expectTypeOf, it } from "vitest";
import type { CardEnvelope } from "@/cards";
import type { Me } from "@/app/stores/session";
import type { Schemas } from "./contract";
import type { Person } from "./people";

// vue-tsc is what fails here when the server's shapes and the page's part.
it("draws people, oneself and cards in the shapes that the server promises", () => {
  expectTypeOf<Schemas["PersonOutput"]>().toExtend<Person>();
  expectTypeOf<Person>().toExtend<Schemas["PersonOutput"]>();
  expectTypeOf<Schemas["MeOutput"]>().toExtend<Me>();
  expectTypeOf<Omit<Schemas["CardOutput"], "payload">>().toExtend<Omit<CardEnvelope, "payload">>();
  expect.assertions(0);
});
