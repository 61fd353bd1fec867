const files: Record<string, object> = import.meta.glob("./*.json", { eager: true, import: "default" });

const messages: Record<string, object> = {};
for (const [path, words] of Object.entries(files)) messages[path.replace(/^.*\/|\.json$/g, "")] = words;

export default messages;
