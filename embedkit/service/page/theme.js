// Runs before the page is drawn, so that it does not flash in the wrong theme.

(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is disabled: use the system's theme
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
        // storage is disabled: the choice lasts until the page is closed
      }
      show();
    });
    show();
  });
})();
