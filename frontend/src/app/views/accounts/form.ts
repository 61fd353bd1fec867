import { ref, watch, type Ref } from "vue";
import { ApiError, messageOf } from "@/shared/api";

export interface Form {
  /** Words below a field. */
  errors: Ref<Record<string, string>>;
  /** Words for what belongs to no field. */
  said: Ref<string>;
  /** The code of the last refusal. */
  refused: Ref<string>;
  busy: Ref<boolean>;
  /** Runs what the button does; puts a refusal where it belongs. Answers whether it went well. */
  submit: (work: () => Promise<void>) => Promise<boolean>;
}

/** A form whose refusals stand at their fields, by the server's names, and go when one writes there again. */
export function useForm(fields: Record<string, Ref<unknown>>): Form {
  const errors = ref<Record<string, string>>({});
  const said = ref("");
  const refused = ref("");
  const busy = ref(false);

  for (const [name, field] of Object.entries(fields)) {
    watch(field, () => {
      const { [name]: gone, ...rest } = errors.value;
      if (gone !== undefined) errors.value = rest;
    });
  }

  function place(error: unknown): void {
    refused.value = error instanceof ApiError ? error.code : "";
    const named = error instanceof ApiError ? error.fields : {};
    errors.value = Object.fromEntries(Object.entries(named).filter(([name]) => name in fields));
    const whole = error instanceof ApiError ? error.message : messageOf(error);
    said.value = Object.keys(errors.value).length ? "" : whole;
  }

  async function submit(work: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    errors.value = {};
    said.value = "";
    refused.value = "";
    busy.value = true;
    try {
      await work();
      return true;
    } catch (error) {
      place(error);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { errors, said, refused, busy, submit };
}

export const PHONE = /^1[3-9][0-9]{9}$/;
export const CODE = /^[0-9]{6}$/;
export const MIN_PASSWORD = 8;
