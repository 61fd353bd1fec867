import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { emptyDrafts } from "@/app/drafts";
import { emptyKept } from "@/chat/keptDatabase";
import { api, ApiError } from "@/shared/api";
import type { Person } from "@/shared/people";

/** The signed-in person as they see themselves. */
export interface Me extends Person {
  roles: string[];
  phone_masked: string | null;
  identity: { level: "none" | "named" | "verified"; masked_name: string | null };
  session_id: string;
  device_id: string;
  demo: boolean;
}

/** How long the server may take before the device's own memory of who is signed in will do. */
const PATIENCE_MS = 2_500;
let remembered: () => Promise<Me | null> = () => Promise.resolve(null);

/** Where to read who was signed in last, for a start without a network. */
export function startFrom(memory: () => Promise<Me | null>): void {
  remembered = memory;
}

export const useSession = defineStore("session", () => {
  const me = ref<Me | null>(null);
  /** Why it is not known whether somebody is signed in. */
  const error = shallowRef<unknown>(null);
  /** The server has not said yet that this is still so. */
  const presumed = ref(false);
  let asking: Promise<void> | null = null;
  let asked = false;

  /** Asks the server who is signed in. */
  async function load(): Promise<void> {
    error.value = null;
    try {
      const answer = (await api.get<{ me: Me | null }>("/api/session")).me;
      if (answer) {
        take(answer);
        return;
      }
      forget();
      asked = true;
      // A session that has ended leaves nothing behind.
      await emptyKept();
    } catch (thrown) {
      const silent = thrown instanceof ApiError && (thrown.unanswered || thrown.status >= 500);
      if (!silent || !(await presume())) error.value = thrown;
    }
  }

  /** Takes the device's word for who is signed in, where there is one. What it shows is what they saw here before. */
  async function presume(): Promise<boolean> {
    if (me.value) return true;
    const known = await remembered();
    // The server's answer may have come while the device was asked.
    if (!known || asked) return me.value !== null;
    me.value = known;
    presumed.value = true;
    return true;
  }

  /** Resolves when the first answer is here; asks again after a failure. */
  function ready(): Promise<void> {
    if (asked) return Promise.resolve();
    if (presumed.value) return Promise.resolve();
    asking ??= load().finally(() => {
      asking = null;
    });
    const slow = new Promise<void>((resolve) => {
      setTimeout(() => void presume().then((known) => (known ? resolve() : undefined)), PATIENCE_MS);
    });
    return Promise.race([asking, slow]);
  }

  /** What a sign-in or a change of the profile answered. */
  function take(answer: Me): void {
    me.value = answer;
    presumed.value = false;
    error.value = null;
    asked = true;
  }

  /** After signing in or out: forgets everything that was read as somebody else. */
  function forget(): void {
    me.value = null;
    presumed.value = false;
    asked = false;
    emptyDrafts();
  }

  return { me, error, presumed, load, ready, take, forget };
});
