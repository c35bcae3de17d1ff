// Runs before the first paint, as its own file so that a strict content security policy needs no exception for it.
(function () {
  try {
    var theme = localStorage.getItem("holdfast.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (error) {
    void error; // Storage may be forbidden: the system's theme is used then.
  }
})();
