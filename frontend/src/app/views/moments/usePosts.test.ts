import { describe, expect, it } from "vitest";
import { ref } from "vue";
import type { Person } from "@/shared/people";
import type { Post } from "./moments";
import { usePosts, type PostList } from "./usePosts";

const author: Person = { id: "p", name: "n", name_en: "", remark: null, hue: 0, avatar_url: null, seal: null, kind: "customer" };
function post(id: string, text = ""): Post {
  return { id, author, text, audience: null, people: [], pictures: [], at: "2026-11-23T00:00:00Z", liked: false, likes: [], like_count: 0, comments: [], comment_count: 0, older_comments: null };
}

describe("usePosts", () => {
  function list(start: Post[]) {
    const items = ref(start);
    const handle = ref<PostList | null>({
      update: (change) => {
        items.value = change(items.value);
      },
      reload: () => Promise.resolve(),
    });
    return { items, ...usePosts(handle) };
  }

  it("replaces the post that changed and leaves the others where they are", () => {
    const { items, change } = list([post("a"), post("b"), post("c")]);
    change(post("b", "new"));
    expect(items.value.map((one) => one.id + one.text)).toEqual(["a", "bnew", "c"]);
  });

  it("drops a post that is gone, and closes the field under it", () => {
    const { items, drop, reply, answering } = list([post("a"), post("b")]);
    reply(post("b"), null);
    drop("a");
    expect(answering.value?.post.id).toBe("b");
    drop("b");
    expect(answering.value).toBeNull();
    expect(items.value).toEqual([]);
  });
});
