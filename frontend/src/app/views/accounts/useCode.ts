import { computed, onBeforeUnmount, ref } from "vue";
import { deviceId } from "@/app/device";
import { api, ApiError } from "@/shared/api";

interface CodeAnswer {
  sent_to: string;
  again_in_s: number;
  demo_code: string | null;
}

export type Purpose = "register" | "sign_in" | "reset_password";

/** Asks for a one-time code, and counts down until the next may be asked for. */
export function useCode(purpose: Purpose) {
  const sentTo = ref("");
  const demoCode = ref<string | null>(null);
  const wait = ref(0);
  const busy = ref(false);
  let timer: ReturnType<typeof setInterval> | undefined;

  function countDown(seconds: number): void {
    clearInterval(timer);
    wait.value = seconds;
    timer = setInterval(() => {
      wait.value -= 1;
      if (wait.value <= 0) clearInterval(timer);
    }, 1000);
  }

  async function send(phone: string): Promise<void> {
    busy.value = true;
    try {
      const answer = await api.post<CodeAnswer>("/api/codes", { phone, purpose, device_id: deviceId() });
      sentTo.value = answer.sent_to;
      demoCode.value = answer.demo_code;
      countDown(answer.again_in_s);
    } catch (error) {
      if (error instanceof ApiError && typeof error.params["wait_s"] === "number") countDown(Math.min(error.params["wait_s"], 60));
      throw error;
    } finally {
      busy.value = false;
    }
  }

  onBeforeUnmount(() => clearInterval(timer));
  return { sentTo, demoCode, wait, busy, may: computed(() => wait.value <= 0 && !busy.value), send };
}
