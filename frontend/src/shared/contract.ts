import type { components } from "./generated/openapi";

/** The server's shapes by name: `api.get<Schemas["MeOutput"]>("/api/me")`. */
export type Schemas = components["schemas"];
