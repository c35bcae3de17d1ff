import { CircleHelp, LogOut, Menu as MenuIcon, Monitor, Moon, Sun, WifiOff } from "lucide-react";
import { useEffect, useState, type MouseEvent, type ReactNode } from "react";
import { after } from "../lib/time.ts";
import { IconButton } from "./button.tsx";
import { setDrawerOpen, useChrome } from "./chrome-store.ts";
import { openDialog, openMenu } from "./overlay-store.ts";
import styles from "./page-header.module.css";
import { setTheme, useTheme } from "./theme.ts";

const lostAfterMs = 1500;

/** The top row of a view: where one is on the left, what concerns the whole page on the right. */
export function PageHeader({ children }: { readonly children: ReactNode }): ReactNode {
  const isDrawerOpen = useChrome((chrome) => chrome.isDrawerOpen);
  return (
    <header className={styles["header"]}>
      <IconButton
        label="Open the menu"
        className={styles["menu"] ?? ""}
        aria-expanded={isDrawerOpen}
        onClick={() => setDrawerOpen(true)}
      >
        <MenuIcon size={20} />
      </IconButton>
      <div className={styles["lead"]}>{children}</div>
      <ConnectionNote />
      <IconButton
        label="Keyboard shortcuts"
        className={styles["keys"] ?? ""}
        onClick={() => openDialog({ kind: "shortcuts" })}
      >
        <CircleHelp size={18} />
      </IconButton>
      <ThemeButton />
      <AccountButton />
    </header>
  );
}

function ConnectionNote(): ReactNode {
  const isLost = useChrome((chrome) => chrome.connection === "lost");
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isLost) return setShown(false);
    return after(lostAfterMs, () => setShown(true));
  }, [isLost]);
  return (
    <div role="status">
      {isShown && (
        <span
          className={styles["lost"]}
          data-tip="Your files are safe. What you see may be out of date until the connection is back."
        >
          <WifiOff size={14} aria-hidden />
          Reconnecting…
        </span>
      )}
    </div>
  );
}

function ThemeButton(): ReactNode {
  const theme = useTheme((state) => state.theme);
  const Icon = theme === "system" ? Monitor : theme === "light" ? Sun : Moon;
  const choose = (event: MouseEvent<HTMLButtonElement>) =>
    openMenu({
      label: "Theme",
      anchor: event.currentTarget,
      align: "end",
      items: [
        { label: "As the system", icon: Monitor, onSelect: () => setTheme("system") },
        { label: "Light", icon: Sun, onSelect: () => setTheme("light") },
        { label: "Dark", icon: Moon, onSelect: () => setTheme("dark") },
      ],
    });
  return (
    <IconButton label="Theme" aria-haspopup="menu" onClick={choose}>
      <Icon size={18} />
    </IconButton>
  );
}

function AccountButton(): ReactNode {
  const email = useChrome((chrome) => chrome.email);
  const onSignOut = useChrome((chrome) => chrome.onSignOut);
  const open = (event: MouseEvent<HTMLButtonElement>) =>
    openMenu({
      label: `Account ${email}`,
      anchor: event.currentTarget,
      align: "end",
      items: [{ label: `Sign out ${email}`, icon: LogOut, onSelect: onSignOut }],
    });
  return (
    <button
      type="button"
      className={styles["avatar"]}
      aria-label={`Account ${email}`}
      aria-haspopup="menu"
      data-tip={email}
      onClick={open}
    >
      {email.slice(0, 1)}
    </button>
  );
}
