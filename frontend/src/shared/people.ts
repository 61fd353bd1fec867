import { language } from "./i18n";

/** What one may see of another person; the server's accounts.wire.person_json. */
export interface Seal {
  role: "advisor" | "agent" | "official" | "staff";
  title: string;
  title_en: string;
  organisation: string;
  organisation_en: string;
}

export interface Person {
  id: string;
  name: string;
  /** Of a service account, for English readers; people have one name. */
  name_en: string;
  remark: string | null;
  hue: number;
  avatar_url: string | null;
  seal: Seal | null;
  kind: "customer" | "visitor" | "staff" | "official";
}

/** The name that the viewer gave, else the person's own. */
export function shownName(person: Pick<Person, "name" | "remark"> & Partial<Pick<Person, "name_en">>): string {
  return person.remark || (language.value === "en" && person.name_en) || person.name;
}

/** The bank and branch of a seal, in the reader's language; what a device kept from before may have no English. */
export function organisationOf(seal: Pick<Seal, "organisation" | "organisation_en">, language: string): string {
  return (language === "en" && seal.organisation_en) || seal.organisation;
}
