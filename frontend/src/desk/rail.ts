import { computed, type ComputedRef } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { useSession } from "@/app/stores/session";
import type { IconName } from "@/shared/components/icons";

export interface RailEntry {
  name: string;
  label: string;
  icon: IconName;
}

/** The places of the desk that the signed-in person's roles open, in their order. */
export function useRail(): ComputedRef<RailEntry[]> {
  const { t } = useI18n();
  const router = useRouter();
  const session = useSession();
  return computed(() =>
    router
      .getRoutes()
      .flatMap((route) => (route.meta.rail && route.name ? [{ name: String(route.name), ...route.meta.rail }] : []))
      .filter((entry) => entry.roles.some((role) => session.me?.roles.includes(role)))
      .sort((one, other) => one.order - other.order)
      .map(({ name, label, icon }) => ({ name, icon, label: t(label) })),
  );
}
