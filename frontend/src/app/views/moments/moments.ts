import type { GridPicture } from "@/shared/components/PictureGrid.vue";
import { api, type Page } from "@/shared/api";
import type { Person } from "@/shared/people";

export type Audience = "friends" | "private" | "some" | "except";
export type Window = "all" | "half_year" | "month" | "three_days";

export interface Picture {
  id: string;
  width: number;
  height: number;
}

export interface Comment {
  id: string;
  author: Person;
  reply_to: Person | null;
  text: string;
  at: string;
}

export interface Post {
  id: string;
  author: Person;
  text: string;
  /** Told to the author alone. */
  audience: Audience | null;
  people: Person[];
  pictures: Picture[];
  at: string;
  liked: boolean;
  likes: Person[];
  like_count: number;
  comments: Comment[];
  comment_count: number;
  older_comments: string | null;
}

export interface Draft {
  id: string;
  text: string;
  pictures: string[];
  audience: Audience;
  people: string[];
}

export const MAX_TEXT = 2000;
export const MAX_COMMENT = 500;
export const MAX_PICTURES = 9;
export const MAX_PICTURE_BYTES = 10 * 1024 * 1024;
export const PICTURE_TYPES = ["image/jpeg", "image/png", "image/webp"];
const PAGE = 20;

export function gridOf(post: Post): GridPicture[] {
  return post.pictures.map((picture) => ({
    ...picture,
    thumb: `/api/moments/pictures/${picture.id}?size=thumb`,
    full: `/api/moments/pictures/${picture.id}`,
  }));
}

export const moments = {
  timeline: (before: string | null, signal?: AbortSignal) => api.get<Page<Post>>("/api/moments/timeline", { query: { before, limit: PAGE }, signal }),
  album: (person: string, before: string | null, signal?: AbortSignal) => api.get<Page<Post>>(`/api/moments/persons/${person}/posts`, { query: { before, limit: PAGE }, signal }),
  one: (id: string) => api.get<Post>(`/api/moments/posts/${id}`),
  publish: (draft: Draft) => api.post<Post>("/api/moments/posts", draft),
  remove: (id: string) => api.delete(`/api/moments/posts/${id}`),
  like: (id: string) => api.put<Post>(`/api/moments/posts/${id}/like`),
  unlike: (id: string) => api.delete<Post>(`/api/moments/posts/${id}/like`),
  comments: (id: string, before: string | null) => api.get<Page<Comment>>(`/api/moments/posts/${id}/comments`, { query: { before, limit: PAGE } }),
  comment: (id: string, body: { id: string; text: string; reply_to: string | null }) => api.post<Comment>(`/api/moments/posts/${id}/comments`, body),
  removeComment: (id: string) => api.delete(`/api/moments/comments/${id}`),
  unseen: () => api.get<{ posts: number; reactions: number }>("/api/moments/unseen"),
  seen: (upto: string) => api.post("/api/moments/seen", { upto }),
  settings: () => api.get<{ window: Window }>("/api/moments/settings"),
  setWindow: (window: Window) => api.patch<{ window: Window }>("/api/moments/settings", { window }),
};
