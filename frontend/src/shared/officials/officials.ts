import { api, type Page } from "@/shared/api";
import type { Person } from "@/shared/people";
import type { StoredBranch } from "./replies";

export interface MenuLeaf {
  key: string;
  name: string;
  /** A page of this app that the tap opens; null where an answer comes as a message. */
  path: string | null;
}

export interface MenuEntry extends MenuLeaf {
  entries: MenuLeaf[];
}

export interface Official {
  code: string;
  person: Person;
  description: string;
  followed: boolean;
  always_on: boolean;
  menu: MenuEntry[];
}

export interface Managed extends Official {
  followers: number;
}

export type Block = { kind: "heading"; text: string } | { kind: "paragraph"; text: string } | { kind: "picture"; picture_id: string };

export interface ArticleLine {
  id: string;
  official_code: string;
  title: string;
  summary: string;
  cover_id: string | null;
  status: "draft" | "published";
  revision: number;
  sent: boolean;
  updated_at: string;
  published_at: string | null;
}

export interface Article extends ArticleLine {
  person: Person;
  blocks: Block[];
}

export interface Progress {
  total: number;
  sent: number;
  started_at: string;
  finished_at: string | null;
}

export interface ArticleDraft {
  id: string;
  revision: number;
  title: string;
  summary: string;
  cover_id: string | null;
  blocks: Block[];
}

export function pictureUrl(id: string, size: "full" | "thumb" = "full"): string {
  return `/api/officials/pictures/${id}?size=${size}`;
}

export const officials = {
  list: (query: { q?: string; followed?: boolean; before?: string | null }, signal?: AbortSignal) => api.get<Page<Official>>("/api/officials/", { query, signal }),
  one: (code: string) => api.get<Official>(`/api/officials/${code}`),
  /** Nothing for a face that is no account to find or follow, as the service desk's. */
  ofPerson: (id: string) => api.get<Official | undefined>(`/api/officials/persons/${id}`),
  follow: (code: string) => api.put<{ conversation_id: string }>(`/api/officials/${code}/follow`),
  unfollow: (code: string) => api.delete(`/api/officials/${code}/follow`),
  tap: (code: string, body: { id: string; key: string }) => api.post<{ conversation_id: string }>(`/api/officials/${code}/menu`, body),
  articles: (code: string, before: string | null, signal?: AbortSignal) => api.get<Page<ArticleLine>>(`/api/officials/${code}/articles`, { query: { before }, signal }),
  article: (id: string) => api.get<Article>(`/api/officials/articles/${id}`),
};

export interface Replies {
  /** Counts the saves: what is sent says which was seen. */
  revision: number;
  menu: StoredBranch[];
  greeting: string;
  auto_reply: string;
  keywords: { word: string; reply: string }[];
}

export const operations = {
  managed: () => api.get<{ items: Managed[] }>("/api/officials/operations/"),
  articles: (code: string, before: string | null) => api.get<Page<ArticleLine>>(`/api/officials/operations/${code}/articles`, { query: { before } }),
  article: (id: string) => api.get<Article>(`/api/officials/operations/articles/${id}`),
  save: (code: string, draft: ArticleDraft) => api.put<Article>(`/api/officials/operations/${code}/articles`, draft),
  upload: (code: string, file: File) => {
    const form = new FormData();
    form.append("file", file);
    return api.upload<{ id: string; width: number; height: number }>(`/api/officials/operations/${code}/pictures`, form);
  },
  replies: (code: string) => api.get<Replies>(`/api/officials/operations/${code}/replies`),
  saveReplies: (code: string, replies: Replies) => api.put<Replies>(`/api/officials/operations/${code}/replies`, replies),
  send: (id: string) => api.post<Progress>(`/api/officials/operations/articles/${id}/broadcast`),
  progress: (id: string) => api.get<Progress>(`/api/officials/operations/articles/${id}/broadcast`),
};
