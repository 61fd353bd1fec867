import { readonly, ref } from "vue";

const query = matchMedia("(min-width: 900px)");
const state = ref(query.matches);
query.addEventListener("change", (event) => {
  state.value = event.matches;
});

/** List and detail stand side by side. */
export const wide = readonly(state);
