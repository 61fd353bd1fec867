// Runs before the first paint, so that a dark or large page never flashes light or small.
(function () {
  var root = document.documentElement;
  var asked = new URLSearchParams(location.hash.slice(1));
  function read(name) {
    try {
      return asked.get(name) || localStorage.getItem("rl." + name);
    } catch {
      return null;
    }
  }
  var theme = read("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (read("size") === "large") root.dataset.size = "large";
  var lang = read("lang");
  if (lang === "en" || lang === "zh-CN") root.lang = lang;
})();
