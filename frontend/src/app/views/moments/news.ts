import { defineStore } from "pinia";
import { ref } from "vue";
import { useBadges } from "@/app/stores/badges";
import { moments } from "./moments";

/** What is new in moments since one looked, for the tab's mark and the line above the feed. */
export const useMomentsNews = defineStore("moments-news", () => {
  const posts = ref(0);
  const reactions = ref(0);
  /** Something was posted or taken away while another page was open. */
  const stale = ref(false);
  /** The post whose likes or comments have just changed. */
  const touched = ref<string | null>(null);
  const badges = useBadges();

  function show(): void {
    badges.set("moments", posts.value + reactions.value);
  }

  async function load(): Promise<void> {
    // A count that could not be read leaves the mark as it was; the next hint asks again.
    const found = await moments.unseen().catch(() => null);
    if (!found) return;
    posts.value = found.posts;
    reactions.value = found.reactions;
    show();
  }

  /** The feed has been shown down from this moment. */
  async function seen(newest: string | null): Promise<void> {
    stale.value = false;
    const upto = new Date(Math.max(Date.now(), newest ? Date.parse(newest) : 0)).toISOString();
    await moments.seen(upto).catch(() => null);
    await load();
  }

  /** A hint from the socket. */
  function hear(data: Record<string, unknown>): void {
    const id = data["post_id"];
    if (typeof id === "string") {
      touched.value = null;
      queueMicrotask(() => (touched.value = id));
    } else {
      stale.value = true;
    }
    void load();
  }

  return { posts, reactions, stale, touched, load, seen, hear };
});
