import { page } from "../routes";

export default [page("receipt-check", "/receipts/:id", () => import("../views/bank/ReceiptCheck.vue"), { open: true })];
