import { shallowReactive } from "vue";

/** What was written into each conversation's field and not sent; gone with the page, and at sign-out. */
export const drafts = shallowReactive(new Map<string, string>());

export function keepDraft(conversationId: string, text: string): void {
  if (text.trim()) drafts.set(conversationId, text);
  else drafts.delete(conversationId);
}
