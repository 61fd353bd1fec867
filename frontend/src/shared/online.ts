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
