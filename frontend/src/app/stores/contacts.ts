import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { api, type Page } from "@/shared/api";
import type { Person } from "@/shared/people";
import { useBadges } from "./badges";

export interface Contact {
  person: Person;
  index: string;
}

interface ContactsAnswer extends Page<Contact> {
  advisor: Person | null;
  officials: Person[];
  waiting: number;
}

const PAGE = 500;

/** The address book, kept while the app is open and read again when the server hints at a change. */
export const useContacts = defineStore("contacts", () => {
  const items = ref<Contact[]>([]);
  const advisor = ref<Person | null>(null);
  const officials = ref<Person[]>([]);
  const waiting = ref(0);
  const loaded = ref(false);
  const error = shallowRef<unknown>(null);
  let turn = 0;

  function setWaiting(count: number): void {
    waiting.value = count;
    useBadges().set("contacts", count);
  }

  async function load(): Promise<void> {
    turn += 1;
    const mine = turn;
    error.value = null;
    try {
      const found: Contact[] = [];
      let before: string | null = null;
      do {
        const page: ContactsAnswer = await api.get<ContactsAnswer>("/api/contacts", { query: { limit: PAGE, before } });
        found.push(...page.items);
        advisor.value = page.advisor;
        officials.value = page.officials;
        before = page.next;
        if (mine === turn) setWaiting(page.waiting);
      } while (before !== null && mine === turn);
      if (mine !== turn) return;
      items.value = found;
      loaded.value = true;
    } catch (thrown) {
      if (mine === turn) error.value = thrown;
    }
  }

  function forget(): void {
    turn += 1;
    items.value = [];
    advisor.value = null;
    officials.value = [];
    loaded.value = false;
    setWaiting(0);
  }

  return { items, advisor, officials, waiting, loaded, error, load, setWaiting, forget };
});
