/** What one may see of another person; the server's accounts.wire.person_json. */
export interface Seal {
  role: "advisor" | "agent" | "official" | "staff";
  title: string;
  title_en: string;
  organisation: string;
}

export interface Person {
  id: string;
  name: string;
  remark: string | null;
  hue: number;
  avatar_url: string | null;
  seal: Seal | null;
  kind: "customer" | "visitor" | "staff" | "official";
}

/** The name that the viewer gave, else the person's own. */
export function shownName(person: Pick<Person, "name" | "remark">): string {
  return person.remark || person.name;
}
