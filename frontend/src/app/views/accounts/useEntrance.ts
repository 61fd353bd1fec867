import { useRoute, useRouter } from "vue-router";
import { useContacts } from "@/app/stores/contacts";
import { useSession, type Me } from "@/app/stores/session";

const ELSEWHERE = /^\/(desk|admin)(\/|$)/;

/** A path on this origin and nothing else: `//host` and `/\host` would leave it. */
export function ownPath(wanted: unknown): string | null {
  return typeof wanted === "string" && /^\/(?![/\\])/.test(wanted) ? wanted : null;
}

/** What follows a sign-in: the page that was asked for, the desk for people who work there, else the app. */
export function useEntrance(): (me: Me) => Promise<void> {
  const route = useRoute();
  const router = useRouter();
  const session = useSession();
  return async (me) => {
    useContacts().forget();
    session.take(me);
    const wanted = ownPath(route.query["to"]) ?? (me.roles.length ? "/desk/" : "/messages");
    if (ELSEWHERE.test(wanted)) location.assign(wanted);
    else await router.replace(wanted);
  };
}
