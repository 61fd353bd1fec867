import { defineStore } from "pinia";
import { ref, shallowRef } from "vue";
import { api } from "@/shared/api";
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

export const useSession = defineStore("session", () => {
  const me = ref<Me | null>(null);
  /** Why it is not known whether somebody is signed in. */
  const error = shallowRef<unknown>(null);
  let asking: Promise<void> | null = null;
  let asked = false;

  /** Asks the server who is signed in. */
  async function load(): Promise<void> {
    error.value = null;
    try {
      me.value = (await api.get<{ me: Me | null }>("/api/session")).me;
      asked = true;
    } catch (thrown) {
      error.value = thrown;
    }
  }

  /** Resolves when the first answer is here; asks again after a failure. */
  function ready(): Promise<void> {
    if (asked) return Promise.resolve();
    asking ??= load().finally(() => {
      asking = null;
    });
    return asking;
  }

  /** What a sign-in or a change of the profile answered. */
  function take(answer: Me): void {
    me.value = answer;
    error.value = null;
    asked = true;
  }

  /** After signing in or out: forgets everything that was read as somebody else. */
  function forget(): void {
    me.value = null;
    asked = false;
  }

  return { me, error, load, ready, take, forget };
});
