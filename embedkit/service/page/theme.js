// Runs before the page is drawn, so that the chosen theme does not flash in late.

(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off: the system's theme it is
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  const show = () => {
    document.getElementById("theme")?.setAttribute("aria-pressed", String(isDark()));
    root.dispatchEvent(new Event("theme"));
  };

  if (["light", "dark"].includes(chosen())) root.dataset.theme = chosen();
  system.addEventListener("change", show);
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // it holds for this visit
      }
      show();
    });
    show();
  });
})();
