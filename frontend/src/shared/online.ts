import { readonly, ref } from "vue";

const state = ref(navigator.onLine);

addEventListener("online", () => {
  state.value = true;
});
addEventListener("offline", () => {
  state.value = false;
});

/** Whether the browser believes that it has a network. */
export const online = readonly(state);

const times = ref(0);

/** Counts how often the server was found, after a start or an absence: what got no answer may be asked for anew. */
export const found = readonly(times);

/** Says that the server answers again. */
export function foundAgain(): void {
  times.value += 1;
}
