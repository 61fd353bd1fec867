import { ApiError } from "@/shared/api";
import { language, t } from "@/shared/i18n";
import { reactive } from "vue";
import { MAX_PICTURE_BYTES, MAX_PICTURES, PICTURE_TYPES, type Picture } from "./moments";

export interface Upload {
  key: string;
  file: File;
  preview: string;
  percent: number;
  state: "sending" | "done" | "failed";
  message: string;
  id: string | null;
}

const LIMIT_MS = 120_000;

/** One picture over XMLHttpRequest, which alone tells how much of it has gone. */
function send(file: File, progress: (percent: number) => void, begun: (stop: () => void) => void): Promise<Picture> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/moments/pictures");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", language.value);
    request.responseType = "json";
    request.timeout = LIMIT_MS;
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(Math.floor((event.loaded / event.total) * 100));
    };
    const failed = () => reject(new ApiError("unreachable", t("moments.uploadFailed")));
    request.onerror = failed;
    request.ontimeout = failed;
    request.onabort = failed;
    request.onload = () => {
      if (request.status === 201) {
        resolve(request.response as Picture);
        return;
      }
      const body = request.response as { error?: { code: string; message: string } } | null;
      reject(new ApiError(body?.error?.code ?? "refused", body?.error?.message ?? t("moments.uploadFailed"), request.status));
    };
    begun(() => request.abort());
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

/** The pictures of a post that is being written, each on its own way to the server. */
export function useUploads(complain: (message: string) => void) {
  const items = reactive<Upload[]>([]);
  const stops = new Map<string, () => void>();

  function begin(item: Upload): void {
    item.state = "sending";
    item.percent = 0;
    item.message = "";
    send(item.file, (percent) => (item.percent = percent), (stop) => stops.set(item.key, stop))
      .then((picture) => {
        item.id = picture.id;
        item.state = "done";
      })
      .catch((error: unknown) => {
        item.state = "failed";
        item.message = error instanceof ApiError ? error.message : t("moments.uploadFailed");
      })
      .finally(() => stops.delete(item.key));
  }

  function add(files: Iterable<File>): void {
    for (const file of files) {
      if (!PICTURE_TYPES.includes(file.type)) {
        complain(t("moments.notAPicture"));
        continue;
      }
      if (file.size > MAX_PICTURE_BYTES) {
        complain(t("moments.pictureTooLarge"));
        continue;
      }
      if (items.length >= MAX_PICTURES) {
        complain(t("moments.tooManyPictures"));
        return;
      }
      items.push({ key: crypto.randomUUID(), file, preview: URL.createObjectURL(file), percent: 0, state: "sending", message: "", id: null });
      const item = items[items.length - 1];
      if (item) begin(item);
    }
  }

  function remove(key: string): void {
    const index = items.findIndex((item) => item.key === key);
    const [gone] = index < 0 ? [] : items.splice(index, 1);
    if (!gone) return;
    stops.get(key)?.();
    URL.revokeObjectURL(gone.preview);
  }

  function clear(): void {
    for (const item of [...items]) remove(item.key);
  }

  return { items, add, remove, retry: begin, clear };
}
