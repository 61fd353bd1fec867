import { shallowRef, type Ref } from "vue";
import type { Comment, Post } from "./moments";

export interface PostList {
  update: (change: (items: Post[]) => Post[]) => void;
  reload: () => Promise<void>;
}

/** What a page of posts does with its rows: replace one, drop one, and which is being answered. */
export function usePosts(list: Ref<PostList | null>) {
  const answering = shallowRef<{ post: Post; to: Comment | null } | null>(null);

  function change(post: Post): void {
    list.value?.update((items) => items.map((item) => (item.id === post.id ? post : item)));
  }
  function drop(id: string): void {
    list.value?.update((items) => items.filter((item) => item.id !== id));
    if (answering.value?.post.id === id) answering.value = null;
  }
  function reply(post: Post, to: Comment | null): void {
    answering.value = { post, to };
  }
  function said(post: Post): void {
    change(post);
    answering.value = null;
  }
  return { answering, change, drop, reply, said };
}
