import { tab } from "../routes";

export default tab(
  "moments",
  "/moments",
  () => import("../views/moments/MomentsTab.vue"),
  [
    { name: "moments-compose", path: "new", component: () => import("../views/moments/ComposePage.vue") },
    { name: "moments-album", path: "persons/:id", component: () => import("../views/moments/AlbumPage.vue") },
    { name: "moments-post", path: "posts/:id", component: () => import("../views/moments/PostPage.vue") },
  ],
  { single: true },
);
