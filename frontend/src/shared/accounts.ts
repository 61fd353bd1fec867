import { api, type Page } from "./api";
import type { components } from "./generated/openapi";

export type Account = Required<components["schemas"]["AccountOut"]>;
export type Entry = components["schemas"]["LineOut"];

/** The reader's accounts that are not closed. */
export async function accountsOf(signal: AbortSignal): Promise<Account[]> {
  return (await api.get<Page<Account>>("/api/finance/accounts", { signal })).items;
}

/** Whether an account may pay for wealth products: open, and of class I or II. */
export function canPay(account: Account): boolean {
  return account.status === "open" && (account.account_class === "I" || account.account_class === "II");
}
