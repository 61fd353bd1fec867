import { language, t } from "@/shared/i18n";
import { shownName, type Person } from "@/shared/people";
import type { Message, Talk } from "./types";

/** The sentence of a notice in the reader's language; the server's own where this version does not know its code. */
export function noticeText(message: Message): string {
  const known: Record<string, string> = {
    archive: "chat.notice.archive", friends: "chat.notice.friends", group_opened: "chat.notice.groupOpened", joined: "chat.notice.joined", left: "chat.notice.left",
    advisor_changed: "chat.notice.advisorChanged",
  };
  const key = message.notice && known[message.notice.code];
  return key ? t(key, message.notice?.params ?? {}) : message.text;
}

/** What a message says in one line. */
export function lineOf(message: Message, mine: boolean): string {
  if (message.recalled) return t(mine ? "chat.recalledMine" : "chat.recalled");
  if (message.kind === "picture") return t("chat.picturePreview");
  if (message.kind === "card") return message.card?.summary[language.value === "en" ? "en" : "zh"] || t("chat.cardPreview");
  if (message.kind === "notice") return noticeText(message);
  return message.text.replace(/\s+/g, " ");
}

/** The second line of a conversation in the list. */
export function previewOf(talk: Talk, people: ReadonlyMap<string, Person>, meId: string | null): string {
  const waiting = talk.outgoing.at(-1);
  if (waiting) return waiting.kind === "picture" ? t("chat.picturePreview") : waiting.text.replace(/\s+/g, " ");
  const message = talk.last;
  if (!message) return "";
  const mine = message.sender_id === meId;
  const line = lineOf(message, mine);
  const sender = talk.kind === "group" && !mine && !message.recalled && message.sender_id ? people.get(message.sender_id) : null;
  return sender ? t("chat.said", { name: shownName(sender), text: line }) : line;
}
