import { newId } from "@/shared/ids";

const KEY = "rl.device";
let kept: string | null = null;

/** This device's name for itself, so that signing in again is not a new device. */
export function deviceId(): string {
  if (kept) return kept;
  try {
    kept = localStorage.getItem(KEY);
    if (!kept) {
      kept = newId();
      localStorage.setItem(KEY, kept);
    }
  } catch {
    // A browser without storage is a new device at each visit.
    kept ??= newId();
  }
  return kept;
}
