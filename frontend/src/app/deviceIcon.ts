import type { IconName } from "@/shared/components/icons";

const DESKTOPS = /Windows|Mac|Linux/;

/** The server names a device by its system: what is none of these is held in the hand. */
export function deviceIcon(name: string): IconName {
  return DESKTOPS.test(name) ? "desktop" : "device";
}
