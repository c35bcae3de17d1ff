import { create } from "zustand";

/** Which theme: the system's, or one that was chosen. */
export type Theme = "system" | "light" | "dark";

const key = "holdfast.theme";

/** The chosen theme; `public/theme.js` applies the same before the first paint. */
export const useTheme = create<{ readonly theme: Theme }>(() => ({ theme: storedTheme() }));

/** Chooses a theme and remembers it on this device. */
export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
  } catch {
    // Storage may be forbidden: the choice holds until the page is closed.
  }
  useTheme.setState({ theme });
}

function storedTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}
